// The configurations of a bucket as texts: policy, CORS, lifecycle, tags, website and the others each are one document.
import type { Connection } from "./connection.ts";
import { ServiceError } from "./failures.ts";
import { bucketPath } from "./paths.ts";

export type ConfigurationName =
  | "cors"
  | "delivery"
  | "encryption"
  | "lifecycle"
  | "notification"
  | "object-lock"
  | "policy"
  | "publicAccessBlock"
  | "queryConfiguration"
  | "quota"
  | "tagging"
  | "website";

/** The codes of a missing configuration, in addition to those that begin with `NoSuch`, except NoSuchBucket. */
const MISSING = new Set(["ServerSideEncryptionConfigurationNotFoundError", "ObjectLockConfigurationNotFoundError"]);

/** The document of a configuration; undefined if the bucket has none. */
export async function getConfiguration(
  connection: Connection,
  bucket: string,
  name: ConfigurationName,
): Promise<string | undefined> {
  try {
    const response = await connection.send({ method: "GET", path: bucketPath(bucket), query: { [name]: "" } });
    return await response.text();
  } catch (failure) {
    if (failure instanceof ServiceError && isMissing(failure.code)) return undefined;
    throw failure;
  }
}

function isMissing(code: string): boolean {
  return MISSING.has(code) || (code.startsWith("NoSuch") && code !== "NoSuchBucket");
}

export async function putConfiguration(
  connection: Connection,
  bucket: string,
  name: ConfigurationName,
  body: string,
): Promise<void> {
  await connection.send({ method: "PUT", path: bucketPath(bucket), query: { [name]: "" }, body });
}

export async function deleteConfiguration(
  connection: Connection,
  bucket: string,
  name: ConfigurationName,
): Promise<void> {
  await connection.send({ method: "DELETE", path: bucketPath(bucket), query: { [name]: "" } });
}
