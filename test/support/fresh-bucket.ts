// Buckets that no other test uses: storage is shared by all of them.
import { expect } from "vitest";

import { send, type RequestScope } from "./client.ts";
import { drawnUuid } from "./seed.ts";

/** A new bucket name. */
export function freshBucketName(): string {
  return `t-${drawnUuid()}`;
}

/** Creates a bucket, as a client does, and returns its name. */
export async function freshBucket(): Promise<string> {
  const name = freshBucketName();
  const response = await send("PUT", `/${name}`);
  expect(response.status).toBe(200);
  return name;
}

/** Puts objects concurrently, as a client does: texts by key. */
export async function putAll(
  bucket: string,
  objects: Readonly<Record<string, string>>,
  scope: RequestScope = {},
): Promise<void> {
  await Promise.all(
    Object.entries(objects).map(async ([key, body]) => {
      const response = await send("PUT", `/${bucket}/${encodeURIComponent(key)}`, { body }, scope);
      expect(response.status, key).toBe(200);
    }),
  );
}
