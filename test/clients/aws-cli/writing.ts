// The AWS command line: bodies, metadata, ranges, conditions and checksums.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../at.ts";
import type { Check } from "../harness.ts";
import { assertSameBytes } from "../hashes.ts";
import { words } from "../run-command.ts";
import type { AwsCliTools } from "./tools.ts";

export function bodyChecks(tools: AwsCliTools): Check[] {
  return [putObjectCheck(tools), largeCheck(tools)];
}

/** `isOld`: whether the version is from before conditional writes and CRC64NVME. */
export function writingChecks(tools: AwsCliTools, isOld: boolean): Check[] {
  return [copyCheck(tools), checksumCheck(tools, isOld), ...(isOld ? [] : [conditionalWriteCheck(tools)])];
}

export function readingChecks(tools: AwsCliTools): Check[] {
  return [metadataCheck(tools), readCheck(tools)];
}

function putObjectCheck({ aws, json, bucket, site, folder }: AwsCliTools): Check {
  return {
    name: "put-object and get-object preserve bodies of 0 B and 1 MiB, whose ETag is their MD5",
    async run() {
      for (const body of [...site.bodies.slice(0, 1), site.mebibyte]) {
        const put = await json("put-object", "--bucket", bucket, "--key", "body", "--body", body.file);
        assert.equal(at(put, "ETag"), `"${body.md5}"`);
        const target = join(folder, "body");
        const got = await json("get-object", "--bucket", bucket, "--key", "body", target);
        assert.equal(at(got, "ContentLength"), body.size);
        await assertSameBytes(target, body);
      }
      await aws("s3api", "delete-object", "--bucket", bucket, "--key", "body");
      await assert.rejects(aws("s3api", "head-object", "--bucket", bucket, "--key", "body"), /\(404\).*Not Found/s);
    },
  };
}

function copyCheck({ aws, bucket, site, endpoint, folder }: AwsCliTools): Check {
  // NOTE A PUT of no bytes is answered without a `100 Continue`, as HTTP allows. botocore (to 1.43 at least) then misreads
  // the answer to the next PUT of the same connection and waits until that is closed, 15 s later: so not over plain HTTP.
  const bodies = endpoint.scheme === "http" ? site.bodies.slice(1) : site.bodies;
  return {
    name: `\`aws s3 cp --recursive\` takes bodies of ${bodies.map(({ label }) => label).join(", ")} there and back`,
    async run() {
      const [from, back] = [join(folder, "bodies"), join(folder, "bodies-back")];
      mkdirSync(from);
      for (const { file, size } of bodies) copyFileSync(file, join(from, String(size)));
      await aws("s3", "cp", "--recursive", "--quiet", from, `s3://${bucket}/bodies/`);
      await aws("s3", "cp", "--recursive", "--quiet", `s3://${bucket}/bodies/`, back);
      for (const body of bodies) await assertSameBytes(join(back, String(body.size)), body);
    },
  };
}

function largeCheck({ aws, bucket, site, folder }: AwsCliTools): Check {
  return {
    name: "`aws s3 cp` uploads 100 MB in one request and downloads it in parallel ranges",
    async run() {
      const target = join(folder, "large");
      await aws("s3", "cp", "--quiet", site.large.file, `s3://${bucket}/large`);
      await aws("s3", "cp", "--quiet", `s3://${bucket}/large`, target);
      await assertSameBytes(target, site.large);
    },
  };
}

function metadataCheck({ json, bucket, site }: AwsCliTools): Check {
  return {
    name: "system and user metadata are returned unchanged",
    async run() {
      const described = words(
        "--metadata build-sha=4f2a9,color=blue --content-type text/plain --cache-control no-cache --storage-class STANDARD",
      );
      described.push(...words("--content-encoding gzip --content-language de --expires 2030-01-02T03:04:05Z"));
      described.push("--content-disposition", 'attachment; filename="a b.txt"');
      const place = ["--bucket", bucket, "--key", "described"];
      await json("put-object", ...place, "--body", site.mebibyte.file, ...described);
      const head = await json("head-object", ...place);
      assert.deepEqual(at(head, "Metadata"), { "build-sha": "4f2a9", color: "blue" });
      assert.equal(at(head, "ContentType"), "text/plain");
      assert.equal(at(head, "CacheControl"), "no-cache");
      assert.equal(at(head, "ContentEncoding"), "gzip");
      assert.equal(at(head, "ContentLanguage"), "de");
      assert.equal(at(head, "ContentDisposition"), 'attachment; filename="a b.txt"');
      assert.match(String(at(head, "Expires")), /^(?:2030-01-02T03:04:05|Wed, 02 Jan 2030 03:04:05 GMT)/);
      assert.equal(at(head, "ContentLength"), site.mebibyte.size);
    },
  };
}

function readCheck({ aws, json, bucket, folder }: AwsCliTools): Check {
  return {
    name: "ranges return their bytes, failed conditions 304 or 412, and a range past the end 416",
    async run() {
      const place = ["--bucket", bucket, "--key", "ranged"];
      const file = join(folder, "ranged");
      writeFileSync(file, "0123456789");
      const { ETag: etag } = Object(await json("put-object", ...place, "--body", file));
      const get = (...options: string[]) => json("get-object", ...place, ...options, file);
      assert.equal(at(await get("--range", "bytes=2-4"), "ContentRange"), "bytes 2-4/10");
      assert.equal(readFileSync(file, "utf8"), "234");
      await get("--if-match", String(etag));
      await assert.rejects(get("--if-none-match", String(etag)), /\(304\)/);
      await assert.rejects(get("--if-match", '"no"'), /\((?:412|PreconditionFailed)\)/);
      await assert.rejects(get("--range", "bytes=10-"), /\(InvalidRange\).*requested range is not satisfiable/s);
      await assert.rejects(aws("s3api", "head-object", ...place, "--if-none-match", String(etag)), /\(304\)/);
    },
  };
}

function checksumCheck({ json, bucket, folder }: AwsCliTools, isOld: boolean): Check {
  return {
    name: "checksums are computed, verified and shown; a wrong one is BadDigest and nothing is stored",
    async run() {
      const file = join(folder, "checksummed");
      writeFileSync(file, "123456789");
      const place = ["--bucket", bucket, "--key", "checksummed"];
      const put = (...options: string[]) => json("put-object", ...place, "--body", file, ...options);
      const wrong = put("--checksum-sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
      await assert.rejects(wrong, /\(BadDigest\).*did not match/s);
      await assert.rejects(json("head-object", ...place), /\(404\)/);
      const computed = {
        SHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
        CRC32: "y/Q5Jg==",
      };
      for (const [algorithm, value] of Object.entries(computed)) {
        assert.equal(at(await put("--checksum-algorithm", algorithm), `Checksum${algorithm}`), value);
      }
      const head = await json("head-object", ...place, "--checksum-mode", "ENABLED");
      assert.equal(at(head, "ChecksumCRC32"), computed.CRC32);
      await put("--checksum-crc32-c", "4waSgw==");
      if (!isOld) {
        const crc64 = await put("--checksum-crc64-nvme", "rosUhgp5mIg=");
        assert.equal(at(crc64, "ChecksumCRC64NVME"), "rosUhgp5mIg=");
      }
    },
  };
}

function conditionalWriteCheck({ json, bucket, site }: AwsCliTools): Check {
  return {
    name: "put-object with --if-none-match and --if-match writes only where the condition holds",
    async run() {
      const place = ["--bucket", bucket, "--key", "guarded", "--body", site.mebibyte.file];
      const put = (...options: string[]) => json("put-object", ...place, ...options);
      const { ETag: etag } = Object(await put("--if-none-match", "*"));
      await assert.rejects(put("--if-none-match", "*"), /\(PreconditionFailed\).*At least one of the pre-conditions/s);
      await put("--if-match", String(etag));
      await assert.rejects(put("--if-match", '"bad"'), /\(PreconditionFailed\)/);
      const absent = json("put-object", "--bucket", bucket, "--key", "guarded-never", "--if-match", String(etag));
      await assert.rejects(absent, /\(NoSuchKey\)/);
    },
  };
}
