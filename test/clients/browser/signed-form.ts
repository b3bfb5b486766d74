// The fields of a POST form: a policy and its signature, as a server creates them for its pages.
import { createHmac } from "node:crypto";
import type { Site } from "../site.ts";

const LIFE_MS = 600_000;

/**
 * Signs a form that allows exactly these fields.
 * @param more conditions in addition to those on the bucket and the fields
 */
export function signForm(
  { credentials, region }: Site,
  bucket: string,
  fields: Readonly<Record<string, string>>,
  more: readonly unknown[] = [],
): Record<string, string> {
  const date = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = [date.slice(0, 8), region, "s3", "aws4_request"];
  const signed: Record<string, string> = {
    ...fields,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": [credentials.accessKeyId, ...scope].join("/"),
    "x-amz-date": date,
  };
  const conditions = [{ bucket }, ...Object.entries(signed).map(([name, value]) => ({ [name]: value })), ...more];
  const document = JSON.stringify({ expiration: new Date(Date.now() + LIFE_MS).toISOString(), conditions });
  const policy = Buffer.from(document).toString("base64");
  let key: string | Buffer = `AWS4${credentials.secretAccessKey}`;
  for (const part of scope) key = createHmac("sha256", key).update(part).digest();
  return { ...signed, policy, "x-amz-signature": createHmac("sha256", key).update(policy).digest("hex") };
}
