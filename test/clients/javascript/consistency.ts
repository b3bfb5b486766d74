// The AWS SDK for JavaScript: reads after acknowledged writes, and bulk deletions.
import assert from "node:assert/strict";
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
} from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { assertStatus, emptyBucket, type JavaScriptTools, listKeys, putText } from "./tools.ts";

const LOOPS = 200;
const WRITERS = 10;

export function consistencyChecks(tools: JavaScriptTools): Check[] {
  const { client, bucket } = tools;
  return [
    {
      name: "200 overwrites are each read back at once",
      async run() {
        for (let turn = 0; turn < LOOPS; turn += 1) {
          const etag = await putText(tools, "looped", `turn ${turn}`);
          const { Body, ETag } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "looped" }));
          assert.equal(await Body?.transformToString(), `turn ${turn}`);
          assert.equal(ETag, etag);
        }
      },
    },
    {
      name: "100 keys put by 10 writers are all listed at once",
      async run() {
        const writer = async (writer: number): Promise<void> => {
          for (let key = 0; key < 10; key += 1) await putText(tools, `written/${writer}/${key}`, "x");
        };
        await Promise.all(Array.from({ length: WRITERS }, (_, index) => writer(index)));
        assert.equal((await listKeys(tools, "written/")).length, 100);
      },
    },
    {
      name: "write, list, read, delete and list again need no waiting in between",
      async run() {
        for (let turn = 0; turn < 20; turn += 1) {
          const key = `flow/${turn}`;
          await putText(tools, key, key);
          assert.deepEqual(await listKeys(tools, "flow/"), [key]);
          await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
          assert.deepEqual(await listKeys(tools, "flow/"), []);
        }
      },
    },
    {
      name: "DeleteObjects deletes 1,000 keys at once, returns each, and reports missing ones as deleted",
      async run() {
        const keys = Array.from({ length: 1000 }, (_, index) => `bulk/${index} &é`);
        const waiting = keys.slice(0, 900);
        const lane = async (): Promise<void> => {
          for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await putText(tools, key, "x");
        };
        await Promise.all(Array.from({ length: WRITERS }, lane));
        const Objects = keys.map((Key) => ({ Key }));
        const result = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
        assert.deepEqual(
          result.Deleted?.map(({ Key }) => Key),
          keys,
        );
        assert.deepEqual(result.Errors ?? [], []);
        assert.deepEqual(await listKeys(tools, "bulk/"), []);
        const quiet = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
        assert.deepEqual(quiet.Deleted ?? [], []);
      },
    },
    {
      name: "an emptied bucket is deleted and is gone",
      async run() {
        await emptyBucket(tools);
        await client.send(new DeleteBucketCommand({ Bucket: bucket }));
        await assertStatus(client.send(new HeadBucketCommand({ Bucket: bucket })), 404);
      },
    },
  ];
}
