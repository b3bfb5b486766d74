// The example of a page that uploads, stored in a bucket and served by a delivery host of Cairn: an origin of its own.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Site } from "../site.ts";
import { EXAMPLE } from "./example-page.ts";

/** Browsers find hosts below `localhost` on this machine. */
const HOST = "page.localhost";
const BUCKET = "browser-upload-page";
/** The value of DELIVERY. */
export const PAGE_DELIVERY = `${HOST}=${BUCKET}`;
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

let published: Promise<void> | undefined;

/** Publishes the example's files, and others by their keys. Returns the page's origin. */
export async function publishExample(
  { http }: Site,
  client: S3Client,
  others: Readonly<Record<string, string>>,
): Promise<string> {
  // One bucket serves the checks of all endpoints.
  published ??= publish(client, others);
  await published;
  return `http://${HOST}:${new URL(http.url).port}`;
}

async function publish(client: S3Client, others: Readonly<Record<string, string>>): Promise<void> {
  const Bucket = BUCKET;
  await client.send(new CreateBucketCommand({ Bucket }));
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const WebsiteConfiguration = { IndexDocument: { Suffix: "index.html" } };
  await client.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration }));
  const own = readdirSync(EXAMPLE).filter((name) => extname(name) in TYPES);
  const files = [...own.map((name) => [name, readFileSync(join(EXAMPLE, name))] as const), ...Object.entries(others)];
  for (const [Key, Body] of files) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: TYPES[extname(Key)] }));
  }
}
