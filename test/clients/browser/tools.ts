// What the checks of the browser share.
import assert from "node:assert/strict";
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import type { Endpoint, Site } from "../site.ts";
import type { PageServer } from "./page-server.ts";

export interface BrowserTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  /** Serves the pages. */
  readonly client: S3Client;
  readonly pages: PageServer;
  /** A bucket whose CORS rules allow the pages' origin. */
  readonly bucket: string;
  /** A bucket without such rules. */
  readonly closedBucket: string;
}

/** Asserts that an object contains these bytes, and returns its headers. */
export async function assertStored(
  { client, bucket }: BrowserTools,
  key: string,
  bytes: Uint8Array,
): Promise<GetObjectCommandOutput> {
  const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const body = Buffer.from((await found.Body?.transformToByteArray()) ?? []);
  assert.ok(body.equals(bytes), `${key} holds ${body.length} bytes that are not the ${bytes.length} that were sent`);
  return found;
}
