// Configurations that buckets cannot have.
import { expect } from "vitest";

import { send } from "./client.ts";
import { expectS3Error } from "./expect-s3-error.ts";
import { freshBucket } from "./fresh-bucket.ts";

/** Expects a subresource to return 404 with its own code, or NoSuchBucket when the bucket is missing. */
export async function expectUnset(subresource: string, code: string): Promise<void> {
  const bucket = await freshBucket();
  const fields = { BucketName: bucket };
  await expectS3Error(await send("GET", `/${bucket}?${subresource}`), { status: 404, code, fields });
  await expectNoBucket(subresource);
}

/** Expects a subresource to return the default when nothing was set. */
export async function expectDefault(subresource: string, root: string, inner: string): Promise<void> {
  const response = await send("GET", `/${await freshBucket()}?${subresource}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/xml");
  const open = `<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`;
  const document = inner === "" ? `${open}/>` : `${open}>${inner}</${root}>`;
  expect(await response.text()).toBe(`<?xml version="1.0" encoding="UTF-8"?>\n${document}`);
  await expectNoBucket(subresource);
}

async function expectNoBucket(subresource: string): Promise<void> {
  const fields = { BucketName: "no-such-bucket-here" };
  const response = await send("GET", `/no-such-bucket-here?${subresource}`);
  await expectS3Error(response, { status: 404, code: "NoSuchBucket", fields });
}
