// The AWS SDK for JavaScript: uploads in parts, and copies.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Check } from "../harness.ts";
import { hashStream } from "../hashes.ts";
import type { JavaScriptTools } from "./tools.ts";

export function partChecks({ client, bucket, site }: JavaScriptTools): Check[] {
  const { medium } = site;
  return [
    {
      name: "lib-storage's Upload puts a stream of 25 MB in parts of 5 MiB, which are one object then",
      async run() {
        const Key = "parts/streamed";
        const Body = createReadStream(medium.file);
        const { ETag } = await new Upload({ client, params: { Bucket: bucket, Key, Body } }).done();
        assert.match(ETag ?? "", /^"[0-9a-f]{32}-5"$/);
        const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
        assert.equal(got.ContentLength, medium.size);
        assert.ok(got.Body instanceof Readable);
        assert.equal(await hashStream(got.Body), medium.sha256);
      },
    },
    {
      name: "an upload that is aborted leaves no object and no upload",
      async run() {
        const Key = "parts/aborted";
        const upload = new Upload({
          client,
          params: { Bucket: bucket, Key, Body: createReadStream(medium.file) },
        });
        upload.once("httpUploadProgress", () => void upload.abort());
        await assert.rejects(upload.done(), /abort/i);
        await assert.rejects(client.send(new HeadObjectCommand({ Bucket: bucket, Key })));
      },
    },
    {
      name: "an upload that is not completed is listed, and its parts are no object",
      async run() {
        const place = { Bucket: bucket, Key: "parts/open &+é" };
        const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
        await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 2, Body: "a part" }));
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
        assert.ok(Uploads.some((upload) => upload.UploadId === UploadId && upload.Key === place.Key));
        await assert.rejects(client.send(new HeadObjectCommand(place)));
      },
    },
    {
      name: "a copy has the bytes and the metadata of its source, or metadata of its own",
      async run() {
        const put = { Bucket: bucket, Key: "source &+é", Body: "copied", Metadata: { color: "blue" } };
        await client.send(new PutObjectCommand(put));
        const CopySource = encodeURIComponent(`${bucket}/${put.Key}`);
        await client.send(new CopyObjectCommand({ Bucket: bucket, Key: "copy", CopySource }));
        const copy = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "copy" }));
        assert.equal(await copy.Body?.transformToString(), "copied");
        assert.deepEqual({ ...copy.Metadata }, { color: "blue" });
        const replaced = { MetadataDirective: "REPLACE", Metadata: { color: "red" } } as const;
        await client.send(new CopyObjectCommand({ Bucket: bucket, Key: "copy", CopySource, ...replaced }));
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "copy" }));
        assert.deepEqual({ ...head.Metadata }, { color: "red" });
      },
    },
  ];
}
