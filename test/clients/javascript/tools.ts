// What the checks of the AWS SDK for JavaScript share: its client, and the error it throws.
import assert from "node:assert/strict";
import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { Credentials, Endpoint, Site } from "../site.ts";

export interface JavaScriptTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly client: S3Client;
  /** The bucket that the first check makes and the last one deletes. */
  readonly bucket: string;
}

const SOCKETS = 64;

/** The SDK's client as people configure it; it does not retry, so that every answer is seen. */
export function newClient(site: Site, endpoint: Endpoint, credentials: Credentials = site.credentials): S3Client {
  return new S3Client({
    endpoint: endpoint.url,
    region: site.region,
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
    requestHandler: { httpAgent: { maxSockets: SOCKETS }, httpsAgent: { maxSockets: SOCKETS } },
  });
}

/** Asserts that a request fails with a code and a message. */
export async function assertRefused(request: Promise<unknown>, code: string, status: number): Promise<void> {
  const error = await errorOf(request);
  assert.equal(error.name, code, error.message);
  assert.equal(error.$metadata.httpStatusCode, status);
  assert.notEqual(error.message, "", `${code} has no message`);
  assert.notEqual(error.message, "UnknownError", `${code} has no message`);
}

/** Asserts the status of a failure without a body: that of a HEAD, or a 304. */
export async function assertStatus(request: Promise<unknown>, status: number): Promise<void> {
  assert.equal((await errorOf(request)).$metadata.httpStatusCode, status);
}

/** The error that a request returns. */
export async function errorOf(request: Promise<unknown>): Promise<S3ServiceException> {
  try {
    await request;
  } catch (error) {
    if (error instanceof S3ServiceException) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "the request was not refused" });
}

/** Puts a text and returns its ETag. */
export async function putText({ client, bucket }: JavaScriptTools, key: string, text: string): Promise<string> {
  const { ETag } = await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text }));
  assert.ok(ETag !== undefined, "the answer has no ETag");
  return ETag;
}

/** All keys of a bucket below a prefix, page by page. */
export async function listKeys({ client, bucket }: JavaScriptTools, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, EncodingType: "url", ContinuationToken: token }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = "" }) => decodeListed(Key)));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

/** Deletes every object of the bucket. */
export async function emptyBucket(tools: JavaScriptTools): Promise<void> {
  const keys = await listKeys(tools);
  for (let start = 0; start < keys.length; start += 1000) {
    const Objects = keys.slice(start, start + 1000).map((Key) => ({ Key }));
    await tools.client.send(new DeleteObjectsCommand({ Bucket: tools.bucket, Delete: { Objects, Quiet: true } }));
  }
}

/** A key as `encoding-type=url` shows it, decoded. */
export function decodeListed(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
