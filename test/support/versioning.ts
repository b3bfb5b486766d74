// Versioned buckets, and the versions in them, as clients see them.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { freshBucket } from "./fresh-bucket.ts";
import { readXml, textOf } from "./read-xml.ts";

export type VersioningStatus = "Enabled" | "Suspended";

/** A version or delete marker as it is listed. */
export interface ShownVersion {
  readonly kind: string;
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
}

/** Enables or suspends a bucket's versioning. */
export async function setVersioning(bucket: string, status: VersioningStatus): Promise<void> {
  const body = `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;
  expect((await send("PUT", `/${bucket}?versioning`, { body })).status).toBe(200);
}

/** A versioned bucket. */
export async function versionedBucket(): Promise<string> {
  const bucket = await freshBucket();
  await setVersioning(bucket, "Enabled");
  return bucket;
}

/** Puts an object and returns the version id of the response; "" when it contains none. */
export async function putVersion(
  bucket: string,
  key: string,
  body: string,
  headers: NonNullable<SendOptions["headers"]> = {},
): Promise<string> {
  const response = await send("PUT", `/${bucket}/${encodeURIComponent(key)}`, { body, headers });
  expect(response.status).toBe(200);
  return response.headers.get("x-amz-version-id") ?? "";
}

/** Deletes a key, or puts a delete marker on it, and returns the version id of the response. */
export async function deleteKey(bucket: string, key: string): Promise<string> {
  const response = await send("DELETE", `/${bucket}/${encodeURIComponent(key)}`);
  expect(response.status).toBe(204);
  return response.headers.get("x-amz-version-id") ?? "";
}

/** Purges a version. */
export async function removeVersion(bucket: string, key: string, versionId: string): Promise<Response> {
  const response = await send("DELETE", `/${bucket}/${encodeURIComponent(key)}?versionId=${versionId}`);
  expect(response.status).toBe(204);
  return response;
}

/** The body of an object or of one of its versions; the status and code when there is none. */
export async function bodyOf(bucket: string, key: string, versionId?: string): Promise<string> {
  const query = versionId === undefined ? "" : `?versionId=${versionId}`;
  const response = await send("GET", `/${bucket}/${encodeURIComponent(key)}${query}`);
  const text = await response.text();
  return response.status === 200 ? text : `${response.status} ${textOf(readXml(text), "Code") ?? ""}`;
}

/** All versions of a bucket that fit on one page, in listing order. */
export async function versionsOf(bucket: string): Promise<ShownVersion[]> {
  const root = readXml(await (await send("GET", `/${bucket}?versions`)).text());
  return root.children
    .filter(({ name }) => name === "Version" || name === "DeleteMarker")
    .map((entry) => ({
      kind: entry.name,
      key: textOf(entry, "Key") ?? "",
      versionId: textOf(entry, "VersionId") ?? "",
      isLatest: textOf(entry, "IsLatest") === "true",
    }));
}
