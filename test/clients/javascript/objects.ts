// The AWS SDK for JavaScript: buckets, objects, bodies, keys, metadata, ranges.
import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Check } from "../harness.ts";
import { type Body, hashStream } from "../hashes.ts";
import { bodyOfKey, ODD_KEYS, UNPRINTABLE_KEYS } from "../odd-keys.ts";
import { newBucketName } from "../site.ts";
import { assertRefused, assertStatus, type JavaScriptTools, listKeys, putText } from "./tools.ts";

export function objectChecks(tools: JavaScriptTools): Check[] {
  const { client, bucket, site, endpoint } = tools;
  return [
    {
      name: "a new bucket is in the list of buckets, has a location and answers HEAD",
      async run() {
        const { Location } = await client.send(new CreateBucketCommand({ Bucket: bucket }));
        assert.equal(Location, `/${bucket}`);
        const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
        assert.ok(Buckets.some(({ Name }) => Name === bucket));
        const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket: bucket }));
        assert.equal(BucketRegion, site.region);
        await client.send(new GetBucketLocationCommand({ Bucket: bucket }));
      },
    },
    {
      name: "an object is put, read, overwritten, read again and deleted",
      async run() {
        const first = await putText(tools, "life", "one");
        assert.equal(await getText(tools, "life"), "one");
        const second = await putText(tools, "life", "two, longer");
        assert.notEqual(second, first);
        assert.equal(await getText(tools, "life"), "two, longer");
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "life" }));
        assert.equal(head.ETag, second);
        assert.equal(head.ContentLength, 11);
        assert.ok(head.LastModified instanceof Date && Math.abs(head.LastModified.getTime() - Date.now()) < 60_000);
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: "life" }));
        await assertStatus(client.send(new HeadObjectCommand({ Bucket: bucket, Key: "life" })), 404);
        await assertRefused(client.send(new GetObjectCommand({ Bucket: bucket, Key: "life" })), "NoSuchKey", 404);
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: "life" }));
      },
    },
    ...site.bodies.map((body) => bufferCheck(tools, body)),
    ...[...site.bodies, site.large].map((body) => streamCheck(tools, body)),
    {
      name: "lib-storage's Upload puts a stream of unknown length, smaller than a part, as one object",
      async run() {
        const body = Readable.from([Buffer.from("first piece, "), Buffer.from("second piece")]);
        await new Upload({ client, params: { Bucket: bucket, Key: "uploaded", Body: body } }).done();
        assert.equal(await getText(tools, "uploaded"), "first piece, second piece");
      },
    },
    ...(endpoint.scheme === "http" ? keyChecks(tools) : []),
    {
      name: "keys are listed verbatim without encoding-type",
      async run() {
        const keys = ["plain/ lead", "plain/&<>\"'", "plain/007", "plain/a+b %20", "plain/trail ", "plain/é😀"];
        await Promise.all(keys.map((key) => putText(tools, key, "x")));
        const listed = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "plain/" }));
        assert.deepEqual(
          listed.Contents?.map(({ Key }) => Key),
          keys,
        );
      },
    },
    {
      name: "system metadata and user metadata are returned unchanged",
      async run() {
        const system = {
          CacheControl: "max-age=60, public",
          ContentDisposition: 'attachment; filename="a b.txt"',
          ContentEncoding: "gzip",
          ContentLanguage: "de, en",
          ContentType: "text/plain; charset=utf-8",
        };
        const Metadata = { color: "blue", "build-sha": "4f2a  9", empty: "", "dotted.name": "yes", under_score: "1" };
        const Expires = new Date("2030-01-02T03:04:05Z");
        const key = "described";
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: "not really gzip", ...system, Expires, Metadata }),
        );
        const get = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        assert.equal(await get.Body?.transformToString(), "not really gzip");
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        for (const answer of [get, head]) {
          for (const [name, value] of Object.entries(system)) assert.equal(Reflect.get(answer, name), value, name);
          assert.equal(answer.ExpiresString, "Wed, 02 Jan 2030 03:04:05 GMT");
          assert.deepEqual({ ...answer.Metadata }, { ...Metadata, "build-sha": answer.Metadata?.["build-sha"] });
          assert.match(answer.Metadata?.["build-sha"] ?? "", /^4f2a {1,2}9$/);
          assert.equal(answer.ContentLength, 15);
        }
      },
    },
    {
      name: "an overwrite replaces all metadata",
      async run() {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: "replaced",
            Body: "1",
            Metadata: { old: "1" },
            CacheControl: "x",
          }),
        );
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: "replaced", Body: "2", Metadata: { new: "2" } }));
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "replaced" }));
        assert.deepEqual({ ...head.Metadata }, { new: "2" });
        assert.equal(head.CacheControl, undefined);
      },
    },
    {
      name: "ranges at the start, in the middle, at the end and past it are read as asked",
      async run() {
        await putText(tools, "ranged", "0123456789");
        const expected = [
          ["bytes=0-0", "0", "bytes 0-0/10"],
          ["bytes=2-4", "234", "bytes 2-4/10"],
          ["bytes=7-", "789", "bytes 7-9/10"],
          ["bytes=-3", "789", "bytes 7-9/10"],
          ["bytes=8-99", "89", "bytes 8-9/10"],
          ["bytes=-99", "0123456789", "bytes 0-9/10"],
        ] as const;
        for (const [Range, text, contentRange] of expected) {
          const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "ranged", Range }));
          assert.equal(got.$metadata.httpStatusCode, 206);
          assert.equal(got.ContentRange, contentRange);
          assert.equal(await got.Body?.transformToString(), text);
          const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "ranged", Range }));
          assert.equal(head.ContentLength, text.length, `HEAD ${Range}`);
        }
        for (const Range of ["bytes=4-2", "lines=0-1", "bytes=0-1,4-5"]) {
          const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "ranged", Range }));
          assert.equal(got.$metadata.httpStatusCode, 200, Range);
          assert.equal(await got.Body?.transformToString(), "0123456789");
        }
        const beyond = client.send(new GetObjectCommand({ Bucket: bucket, Key: "ranged", Range: "bytes=10-" }));
        await assertRefused(beyond, "InvalidRange", 416);
      },
    },
  ];
}

function keyChecks(tools: JavaScriptTools): Check[] {
  return [
    {
      name: "every odd key addresses one object in PUT, GET, HEAD, lists and DELETE",
      run: () => oddKeys(tools, ODD_KEYS),
    },
    {
      name: "keys with control characters are listed with encoding-type=url and address one object each",
      run: () => oddKeys(tools, UNPRINTABLE_KEYS),
    },
  ];
}

/** Puts bytes of a known length: the SDK sends them as they are, with the checksum in a header. */
function bufferCheck({ client, bucket }: JavaScriptTools, body: Body): Check {
  return {
    name: `a buffer of ${body.label} is returned unchanged, and its ETag is its MD5`,
    async run() {
      const Key = `buffer-${body.size}`;
      const put = await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: readFileSync(body.file) }));
      assert.equal(put.ETag, `"${body.md5}"`);
      await assertObject(client, bucket, Key, body);
    },
  };
}

/** Puts a stream: the SDK sends it in the aws-chunked envelope with the checksum in a trailer. */
function streamCheck({ client, bucket }: JavaScriptTools, body: Body): Check {
  return {
    name: `a stream of ${body.label} is returned unchanged`,
    async run() {
      const Key = `stream-${body.size}`;
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key,
          Body: createReadStream(body.file, { highWaterMark: 1024 ** 2 }),
          ContentLength: body.size,
        }),
      );
      await assertObject(client, bucket, Key, body);
    },
  };
}

async function assertObject(client: JavaScriptTools["client"], bucket: string, Key: string, body: Body): Promise<void> {
  const get = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
  assert.equal(get.ContentLength, body.size);
  assert.equal(get.ETag, `"${body.md5}"`);
  assert.equal(get.ContentEncoding, undefined);
  assert.ok(get.Body instanceof Readable);
  assert.equal(await hashStream(get.Body), body.sha256);
  const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
  assert.equal(head.ContentLength, body.size);
}

async function oddKeys(tools: JavaScriptTools, keys: readonly string[]): Promise<void> {
  const { client } = tools;
  const odd = { ...tools, bucket: newBucketName("javascript-odd") };
  await client.send(new CreateBucketCommand({ Bucket: odd.bucket }));
  for (const key of keys) await putText(odd, key, bodyOfKey(key));
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(await listKeys(odd), sorted);
  for (const key of keys) {
    assert.equal(await getText(odd, key), bodyOfKey(key));
    const head = await client.send(new HeadObjectCommand({ Bucket: odd.bucket, Key: key }));
    assert.equal(head.ContentLength, Buffer.byteLength(bodyOfKey(key)), `HEAD ${JSON.stringify(key)}`);
    assert.ok((await listKeys(odd, key)).includes(key), `listing the prefix ${JSON.stringify(key)}`);
  }
  const left = new Set(sorted);
  for (const key of keys) {
    await client.send(new DeleteObjectCommand({ Bucket: odd.bucket, Key: key }));
    left.delete(key);
    assert.deepEqual(await listKeys(odd), [...left], `after the deletion of ${JSON.stringify(key)}`);
  }
}

async function getText({ client, bucket }: JavaScriptTools, key: string): Promise<string | undefined> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Body?.transformToString();
}
