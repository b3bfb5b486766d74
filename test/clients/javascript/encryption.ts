// The AWS SDK for JavaScript: objects encrypted with a key that the client provides (SSE-C).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Check } from "../harness.ts";
import { hashStream } from "../hashes.ts";
import { assertRefused, assertStatus, type JavaScriptTools } from "./tools.ts";

export function encryptionChecks({ client, bucket, site }: JavaScriptTools): Check[] {
  const [first, second] = [keyParameters(), keyParameters()];
  const at = (key: string) => ({ Bucket: bucket, Key: `sealed/${key}` });
  const get = async (key: string, parameters = {}): Promise<string | undefined> =>
    (await client.send(new GetObjectCommand({ ...at(key), ...parameters }))).Body?.transformToString();
  return [
    {
      name: "an object that is put with SSECustomerKey is read with it alone, copied to another key and to none",
      async run() {
        await client.send(new PutObjectCommand({ ...at("small"), Body: "sealed text", ...first }));
        assert.equal(await get("small", first), "sealed text");
        await assertRefused(get("small"), "InvalidRequest", 400);
        await assertRefused(get("small", second), "AccessDenied", 403);
        await assertStatus(client.send(new HeadObjectCommand(at("small"))), 400);
        const source = {
          CopySource: `${bucket}/sealed/small`,
          CopySourceSSECustomerAlgorithm: "AES256",
          CopySourceSSECustomerKey: first.SSECustomerKey,
        };
        await client.send(new CopyObjectCommand({ ...at("other"), ...source, ...second }));
        assert.equal(await get("other", second), "sealed text");
        await client.send(new CopyObjectCommand({ ...at("open"), ...source }));
        assert.equal(await get("open"), "sealed text");
      },
    },
    {
      name: "lib-storage's Upload takes 25 MB with SSECustomerKey in parts",
      async run() {
        const Body = createReadStream(site.medium.file);
        await new Upload({ client, params: { ...at("parts"), Body, ...first }, partSize: 8 * 1024 ** 2 }).done();
        const got = await client.send(new GetObjectCommand({ ...at("parts"), ...first }));
        assert.match(got.ETag ?? "", /-3"$/);
        assert.ok(got.Body instanceof Readable);
        assert.equal(await hashStream(got.Body), site.medium.sha256);
      },
    },
  ];
}

/** A key as the SDK takes it, which hashes it by itself. */
function keyParameters() {
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey: randomBytes(32).toString("base64") };
}
