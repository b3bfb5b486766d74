// Sessions of STS, and S3 requests with their credentials.
import { beforeAll, expect } from "vitest";

import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  allow,
  credentialsOf,
  s3Status,
  succeed,
  type CallOptions,
  type Credentials,
  type Parameters,
} from "../support/query-api.ts";
import { plain } from "../support/read-xml.ts";

export const ACCOUNT = "000000000000";
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/path/r`;
export const MASTER_KEY = btoa("the master key of the tests only");

export let bucket: string;

/** Makes the bucket whose object `k` the sessions read and write. */
export function useBucket(): void {
  beforeAll(async () => {
    bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
  });
}

export async function begin(
  action: "GetSessionToken" | "GetFederationToken" | "AssumeRole",
  parameters: Parameters = {},
  options: CallOptions = {},
): Promise<Required<Credentials> & { readonly expiration: string }> {
  const usual: Parameters = {
    ...(action === "GetFederationToken" ? { Name: "fed" } : {}),
    ...(action === "AssumeRole" ? { RoleArn: ROLE, RoleSessionName: "session" } : {}),
  };
  return credentialsOf(await succeed("sts", action, { ...usual, ...parameters }, options));
}

export async function callerOf(credentials: Credentials): Promise<unknown> {
  return plain(await succeed("sts", "GetCallerIdentity", {}, { credentials }));
}

export function read(credentials: Credentials): Promise<number> {
  return s3Status(credentials, "GET", `/${bucket}/k`);
}

export const write = (credentials: Credentials): Promise<number> => s3Status(credentials, "PUT", `/${bucket}/k`, "x");

export function secondsLeft(expiration: string): number {
  expect(expiration).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  return Math.round((Date.parse(expiration) - Date.now()) / 1000);
}

export const READ = JSON.stringify(allow("s3:GetObject"));
