// The AWS SDK for JavaScript: the checksum algorithms, in headers and in trailers.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { type ChecksumAlgorithm, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { assertRefused, assertStatus, type JavaScriptTools } from "./tools.ts";

/** The checksums of "123456789", from the standards that define them. */
const CHECKSUMS = {
  CRC32: "y/Q5Jg==",
  CRC32C: "4waSgw==",
  CRC64NVME: "rosUhgp5mIg=",
  MD5: "JfnnlDI7RTiF9RgfG2JNCw==",
  SHA1: "98O8HYCOBHMq32eZZczDTKeuNEE=",
  SHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
  SHA512: "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
  XXHASH128: "MxGUd+3l3NXpcWQnaB1YYA==",
  XXHASH3: "ctyxi2ehff8=",
  XXHASH64: "jLhB20DmroM=",
} as const satisfies Partial<Record<ChecksumAlgorithm, string>>;

/** The SDK computes these by itself; it sends any other only as the caller gives it. */
const COMPUTED: ReadonlySet<string> = new Set(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]);

const BODY = "123456789";

export function checksumChecks(tools: JavaScriptTools): Check[] {
  return [
    ...Object.entries(CHECKSUMS).map(([algorithm, value]) => algorithmCheck(tools, algorithm, value)),
    defaultCheck(tools),
    rangeCheck(tools),
  ];
}

function algorithmCheck({ client, bucket }: JavaScriptTools, algorithm: string, value: string): Check {
  const field = `Checksum${algorithm}`;
  const put = (Key: string, input: object) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: BODY, ...input }));
  const assertNothingStored = (Key: string) =>
    assertStatus(client.send(new HeadObjectCommand({ Bucket: bucket, Key })), 404);
  return {
    name: `${algorithm} is verified, stored and shown, and refused when wrong`,
    async run() {
      const key = `checksum-${algorithm}`;
      const isComputed = COMPUTED.has(algorithm);
      const inHeader = await put(key, isComputed ? { ChecksumAlgorithm: algorithm } : { [field]: value });
      assert.equal(Reflect.get(inHeader, field), value);
      assert.equal(inHeader.ChecksumType, "FULL_OBJECT");
      if (isComputed) {
        const pieces = [BODY.slice(0, 4), BODY.slice(4)].map((piece) => Buffer.from(piece));
        const stream = { Body: Readable.from(pieces), ContentLength: BODY.length };
        const inTrailer = await put(key, { ...stream, ChecksumAlgorithm: algorithm });
        assert.equal(Reflect.get(inTrailer, field), value);
        assert.equal(inTrailer.ChecksumType, "FULL_OBJECT");
      }
      // The SDK refuses to read a body whose checksum it cannot verify.
      for (const Command of isComputed ? [GetObjectCommand, HeadObjectCommand] : [HeadObjectCommand]) {
        const read = await client.send(new Command({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }));
        assert.equal(Reflect.get(read, field), value);
        assert.equal(read.ChecksumType, "FULL_OBJECT");
      }
      // The right checksum of other bytes.
      const wrong = { Body: "987654321", [field]: value };
      await assertRefused(put(`${key}-wrong`, wrong), "BadDigest", 400);
      await assertNothingStored(`${key}-wrong`);
      await assertRefused(put(`${key}-none`, { [field]: "AAAA" }), "InvalidRequest", 400);
      await assertNothingStored(`${key}-none`);
    },
  };
}

function defaultCheck({ client, bucket }: JavaScriptTools): Check {
  return {
    name: "a refused overwrite leaves the object as it was",
    async run() {
      const Key = "checksum-unchanged";
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: BODY }));
      const wrong = { Bucket: bucket, Key, Body: "something else", ChecksumCRC32: CHECKSUMS.CRC32 };
      await assertRefused(client.send(new PutObjectCommand(wrong)), "BadDigest", 400);
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      assert.equal(await Body?.transformToString(), BODY);
    },
  };
}

function rangeCheck({ client, bucket }: JavaScriptTools): Check {
  return {
    name: "a range of an object is not answered with the checksum of the whole",
    async run() {
      const Key = "checksum-range";
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: BODY }));
      const range = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key, Range: "bytes=0-3", ChecksumMode: "ENABLED" }),
      );
      assert.equal(await range.Body?.transformToString(), "1234");
      assert.equal(range.ChecksumCRC32, undefined);
    },
  };
}
