// A bucket with an upstream: what clients read comes from the other store, and stays when that store is gone.
import assert from "node:assert/strict";
import { AwsClient } from "aws4fetch";
import type { Check } from "../harness.ts";
import { newBucketName } from "../site.ts";
import { assertSamples, clientOf, fillBucket, SAMPLES, type ImportSite, type StoreSide } from "./sides.ts";

const WAIT_MS = 20_000;

export function upstreamChecks(site: ImportSite, stores: readonly StoreSide[]): Check[] {
  return [...stores.map((store) => importCheck(site, store)), tagCheck(site)];
}

async function setUpstream({ first }: ImportSite, store: StoreSide, bucket: string, remote: string): Promise<void> {
  const client = new AwsClient({ ...first.keys, service: "s3", region: first.region });
  const body = `<UpstreamConfiguration><Source>${store.upstream}</Source><Bucket>${remote}</Bucket></UpstreamConfiguration>`;
  const response = await client.fetch(`${first.url}/${bucket}?upstream`, { method: "PUT", body });
  assert.equal(response.status, 200, await response.text());
}

function importCheck(site: ImportSite, store: StoreSide): Check {
  return {
    name: `a bucket imports from ${store.upstream} what is read, once each, and keeps it`,
    async run() {
      const [source, target] = [clientOf(store), clientOf(site.first)];
      const [remote, bucket] = [newBucketName("remote"), newBucketName("imports")];
      await fillBucket(source, remote);
      await target.createBucket({ Bucket: bucket });
      await setUpstream(site, store, bucket, remote);
      const large = { Bucket: bucket, Key: "large" };
      const part = await target.getObject({ ...large, Range: "bytes=5-9" });
      const wanted = SAMPLES.find(({ key }) => key === "large")?.body.subarray(5, 10);
      assert.deepEqual(Buffer.from((await part.Body?.transformToByteArray()) ?? []), wanted);
      assert.equal((await target.headObject({ ...large, Key: "empty" })).ContentLength, 0);
      await Promise.all([assertSamples(target, bucket), assertSamples(target, bucket)]);
      await target.deleteObject({ Bucket: bucket, Key: "folder/described.txt" });
      await assert.rejects(target.getObject({ Bucket: bucket, Key: "folder/described.txt" }), { name: "NoSuchKey" });
      await assert.rejects(target.getObject({ Bucket: bucket, Key: "missing" }), { name: "NoSuchKey" });
      // An import ends after its response.
      const keys = SAMPLES.map(({ key }) => key).filter((key) => key !== "folder/described.txt");
      const listed = async (): Promise<string[]> =>
        ((await target.listObjectsV2({ Bucket: bucket })).Contents ?? []).map(({ Key = "" }) => Key);
      for (const until = Date.now() + WAIT_MS; (await listed()).length < keys.length && Date.now() < until;) {
        await new Promise((resolve) => {
          setTimeout(resolve, 200);
        });
      }
      assert.deepEqual(new Set(await listed()), new Set(keys));
      // Nothing is asked for any more.
      for (const Key of SAMPLES.map(({ key }) => key)) await source.deleteObject({ Bucket: remote, Key });
      const again = SAMPLES.find(({ key }) => key === "folder/described.txt");
      if (again !== undefined)
        await target.putObject({ Bucket: bucket, Key: again.key, Body: again.body, ...again.fields });
      await assertSamples(target, bucket);
    },
  };
}

function tagCheck(site: ImportSite): Check {
  return {
    name: "an import keeps tags and the ETag of a multipart object",
    async run() {
      const [source, target] = [clientOf(site.cairn), clientOf(site.first)];
      const [remote, bucket] = [newBucketName("remote"), newBucketName("imports")];
      await source.createBucket({ Bucket: remote });
      const upload = { Bucket: remote, Key: "parts" };
      const { UploadId } = await source.createMultipartUpload({ ...upload, Tagging: "team=a%20b" });
      const Parts = [];
      for (const [index, size] of [5 * 1024 ** 2, 1000].entries()) {
        const PartNumber = index + 1;
        const { ETag } = await source.uploadPart({ ...upload, UploadId, PartNumber, Body: Buffer.alloc(size, index) });
        Parts.push({ PartNumber, ETag });
      }
      const { ETag } = await source.completeMultipartUpload({ ...upload, UploadId, MultipartUpload: { Parts } });
      await target.createBucket({ Bucket: bucket });
      await setUpstream(site, site.cairn, bucket, remote);
      const object = { Bucket: bucket, Key: "parts" };
      const read = await target.getObject(object);
      assert.equal((await read.Body?.transformToByteArray())?.length, 5 * 1024 ** 2 + 1000);
      for (const until = Date.now() + WAIT_MS; Date.now() < until;) {
        if (((await target.listObjectsV2({ Bucket: bucket })).Contents ?? []).length > 0) break;
      }
      assert.deepEqual((await target.getObjectTagging(object)).TagSet, [{ Key: "team", Value: "a b" }]);
      assert.equal((await target.headObject(object)).ETag, ETag);
    },
  };
}
