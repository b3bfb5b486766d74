// Requests of users and anonymous callers, and bucket policies from statements.
import { expect } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import type { TestUser } from "../support/users.ts";

export const DENIED = { status: 403, code: "AccessDenied", message: "Access Denied" } as const;

export function as(user: TestUser, method: string, target: string, options: SendOptions = {}): Promise<Response> {
  return send(method, target, { ...options, credentials: user.credentials });
}

type Statement = Readonly<Record<string, unknown>>;

/** A statement on a bucket and its contents. */
export function on(bucket: string, Effect: "Allow" | "Deny", Action: string | string[], more: object = {}): Statement {
  return { Effect, Action, Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`], ...more };
}

export async function police(bucket: string, ...statements: readonly Statement[]): Promise<void> {
  const response = await putPolicy(bucket, policyText(...statements));
  expect([response.status, await response.text()]).toEqual([204, ""]);
}

export async function bucketWith(...keys: readonly string[]): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, Object.fromEntries(keys.map((key) => [key, key])));
  return bucket;
}

export const ofKey = (bucket: string, key: string): object => ({ Resource: `arn:aws:s3:::${bucket}/${key}` });
