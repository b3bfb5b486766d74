// The AWS SDK for JavaScript: PutObject with WriteOffsetBytes.
import assert from "node:assert/strict";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { assertRefused, type JavaScriptTools } from "./tools.ts";

export function appendChecks({ client, bucket }: JavaScriptTools): Check[] {
  const append = (Key: string, WriteOffsetBytes: number, Body: string | Uint8Array) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, WriteOffsetBytes }));
  return [
    {
      name: "WriteOffsetBytes appends lines and pieces of a log, whose checksum reads verify",
      async run() {
        const pieces = ["first line\n", "second line\n", "-".repeat(300_000), "short", "*".repeat(6_000_000), "end"];
        let whole = "";
        for (const piece of pieces) {
          const { Size, ETag } = await append("log", whole.length, piece);
          whole += piece;
          assert.equal(Size, whole.length);
          const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "log" }));
          assert.deepEqual([head.ETag, head.ContentLength], [ETag, whole.length]);
        }
        const read = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "log", ChecksumMode: "ENABLED" }));
        assert.equal(read.ChecksumType, "FULL_OBJECT");
        assert.equal(await read.Body?.transformToString(), whole);
      },
    },
    {
      name: "WriteOffsetBytes that is not the object's size is InvalidWriteOffset",
      async run() {
        await append("offsets", 0, "12345");
        for (const offset of [0, 4, 6]) await assertRefused(append("offsets", offset, "x"), "InvalidWriteOffset", 400);
        await assertRefused(append("absent", 1, "x"), "InvalidWriteOffset", 400);
        const results = await Promise.allSettled(
          Array.from({ length: 8 }, (_, index) => append("offsets", 5, `${index}`)),
        );
        assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
      },
    },
  ];
}
