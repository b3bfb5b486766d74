// The stage of every check: a browser, the address of a served Cairn, and root's credentials.
import { AwsClient } from "aws4fetch";
import { Caller, keysIn, type Keys } from "../../../scripts/tenancy/caller.ts";
import type { Browser } from "playwright-core";

export const CREDENTIALS = {
  accessKeyId: "CAIRNCONSOLETESTKEY0",
  secretAccessKey: "a secret of the tests of the console",
} as const;

export interface Stage {
  readonly browser: Browser;
  /** The endpoint, without a trailing slash. */
  readonly url: string;
  /** The link to the console that the server printed. */
  readonly signInLink: string;
}

const client = new AwsClient({ ...CREDENTIALS, region: "auto", service: "s3", retries: 0 });
let last = 0;

/** Sends a request of S3 as root. @throws Error unless it succeeds */
export async function s3(
  { url }: Stage,
  method: string,
  target: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const response = await client.fetch(url + target, {
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
  });
  if (!response.ok) throw new Error(`${method} ${target}: ${response.status} ${await response.text()}`);
  return response;
}

/** Creates a bucket of a name that no other test has. */
export async function freshBucket(stage: Stage, { isVersioned = false, hasObjectLock = false } = {}): Promise<string> {
  last += 1;
  const bucket = `console-${process.pid}-${last}`;
  await s3(stage, "PUT", `/${bucket}`, "", hasObjectLock ? { "x-amz-bucket-object-lock-enabled": "true" } : {});
  if (isVersioned) {
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    await s3(stage, "PUT", `/${bucket}?versioning`, body);
  }
  return bucket;
}

/** Creates a user with a policy, and an access key of the user. */
export async function newUser({ url }: Stage, policy: object): Promise<Keys> {
  last += 1;
  const root = new Caller({ endpoint: url, region: "auto" }, CREDENTIALS);
  const UserName = `console-user-${process.pid}-${last}`;
  await root.iam("CreateUser", { UserName });
  await root.iam("PutUserPolicy", { UserName, PolicyName: "own", PolicyDocument: JSON.stringify(policy) });
  return keysIn(await root.iam("CreateAccessKey", { UserName }));
}

/** The keys of a bucket, up to 1000. */
export async function keysOf(stage: Stage, bucket: string): Promise<string[]> {
  const xml = await (await s3(stage, "GET", `/${bucket}?list-type=2`)).text();
  return Array.from(xml.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key = ""]) => key);
}
