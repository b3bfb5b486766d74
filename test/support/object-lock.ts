// Buckets with Object Lock, and locks of versions in headers and documents.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { md5Base64, utf8 } from "./digests.ts";
import { freshBucketName } from "./fresh-bucket.ts";

const DAY_MS = 86_400_000;

export type Mode = "GOVERNANCE" | "COMPLIANCE";
type Headers = Readonly<Record<string, string>>;

export const BYPASS: Headers = { "x-amz-bypass-governance-retention": "true" };

/** A bucket that was created with Object Lock. */
export async function lockedBucket(): Promise<string> {
  const bucket = freshBucketName();
  const headers = { "x-amz-bucket-object-lock-enabled": "true" };
  expect((await send("PUT", `/${bucket}`, { headers })).status).toBe(200);
  return bucket;
}

/** The time in some days, to the second. */
export function inDays(days: number): string {
  return new Date(Math.floor((Date.now() + days * DAY_MS) / 1000) * 1000).toISOString();
}

export function retentionHeaders(mode: Mode, days: number): Headers {
  return { "x-amz-object-lock-mode": mode, "x-amz-object-lock-retain-until-date": inDays(days) };
}

export function legalHoldHeaders(status: "ON" | "OFF"): Headers {
  return { "x-amz-object-lock-legal-hold": status };
}

export function retentionOf(mode: string, days: number): string {
  return retentionUntil(mode, inDays(days));
}

export function retentionUntil(mode: string, date: string): string {
  return `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>${mode}</Mode><RetainUntilDate>${date}</RetainUntilDate></Retention>`;
}

/** An ObjectLockConfiguration with a default retention. */
export function lockConfiguration(retention: string): string {
  return `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>${retention}</DefaultRetention></Rule></ObjectLockConfiguration>`;
}

/** Sets the default retention of a bucket with Object Lock. */
export async function setDefaultRetention(bucket: string, retention: string): Promise<void> {
  const body = lockConfiguration(retention);
  expect((await send("PUT", `/${bucket}?object-lock`, { body })).status).toBe(200);
}

/** Puts an object with headers and the digest that they require. Returns its version id. */
export async function putLocked(bucket: string, key: string, headers: Headers, body = "text"): Promise<string> {
  const response = await send("PUT", `/${bucket}/${key}`, {
    body,
    headers: { "content-md5": md5Base64(utf8(body)), ...headers },
  });
  expect(response.status, await response.text()).toBe(200);
  return response.headers.get("x-amz-version-id") ?? "";
}

/** Sends a document about a version's lock. */
export function putLock(
  bucket: string,
  key: string,
  query: string,
  body: string,
  options: SendOptions = {},
): Promise<Response> {
  return send("PUT", `/${bucket}/${key}?${query}`, { ...options, body });
}

/** Sets or lifts the legal hold of the current version. */
export async function setLegalHold(bucket: string, key: string, status: "ON" | "OFF"): Promise<void> {
  const body = `<LegalHold><Status>${status}</Status></LegalHold>`;
  expect((await putLock(bucket, key, "legal-hold", body)).status).toBe(200);
}

/** Deletes a version, and returns the status. */
export async function deleteVersion(
  bucket: string,
  key: string,
  versionId: string,
  headers: Headers = {},
): Promise<number> {
  return (await send("DELETE", `/${bucket}/${key}?versionId=${versionId}`, { headers })).status;
}

/** The refusal of a deletion or change that a lock prevents. */
export const LOCKED = {
  status: 403,
  code: "AccessDenied",
  message: "Access Denied because object protected by object lock.",
};

/** The refusal of requests about locks in a bucket without Object Lock. */
export const NOT_ENABLED = {
  status: 400,
  code: "InvalidRequest",
  message: "Bucket is missing Object Lock Configuration",
};
