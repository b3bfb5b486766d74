// The AWS SDK for JavaScript: every refusal arrives as an error with S3's code, status and a message.
import assert from "node:assert/strict";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTorrentCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  RestoreObjectCommand,
} from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { assertRefused, assertStatus, errorOf, type JavaScriptTools, newClient, putText } from "./tools.ts";

export function errorChecks(tools: JavaScriptTools): Check[] {
  const { client, bucket, site, endpoint } = tools;
  const absent = `${bucket}-absent`;
  return [
    {
      name: "every operation on a missing bucket returns NoSuchBucket",
      async run() {
        for (const request of [
          () => client.send(new GetObjectCommand({ Bucket: absent, Key: "k" })),
          () => client.send(new PutObjectCommand({ Bucket: absent, Key: "k", Body: "x" })),
          () => client.send(new DeleteObjectCommand({ Bucket: absent, Key: "k" })),
          () => client.send(new ListObjectsV2Command({ Bucket: absent })),
          () => client.send(new DeleteBucketCommand({ Bucket: absent })),
        ]) {
          await assertRefused(request(), "NoSuchBucket", 404);
        }
        await assertStatus(client.send(new HeadBucketCommand({ Bucket: absent })), 404);
      },
    },
    {
      name: "NoSuchKey names the key, and the error has a request id",
      async run() {
        const error = await errorOf(client.send(new GetObjectCommand({ Bucket: bucket, Key: "never/put" })));
        assert.equal(error.name, "NoSuchKey");
        assert.equal(Reflect.get(error, "Key"), "never/put");
        assert.match(error.$metadata.requestId ?? "", /^[0-9A-Z]{16}$/);
      },
    },
    {
      name: "BucketNotEmpty and BucketAlreadyOwnedByYou are 409",
      async run() {
        await putText(tools, "occupant", "x");
        await assertRefused(client.send(new DeleteBucketCommand({ Bucket: bucket })), "BucketNotEmpty", 409);
        const again = client.send(
          new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: "EU" } }),
        );
        await assertRefused(again, "BucketAlreadyOwnedByYou", 409);
      },
    },
    {
      name: "InvalidBucketName refuses names that are too short, too long, ill-formed or reserved",
      async run() {
        const names = ["ab", "a".repeat(64), "a.b.c", "Abc", "a_b", "-abc", "abc-", "xn--abc", "int", "cw-x", "vip-x"];
        for (const Bucket of names) {
          await assertRefused(client.send(new CreateBucketCommand({ Bucket })), "InvalidBucketName", 400);
        }
      },
    },
    {
      name: "SignatureDoesNotMatch and InvalidAccessKeyId distinguish a wrong secret from an unknown key",
      async run() {
        const { accessKeyId, secretAccessKey } = site.credentials;
        const wrongSecret = newClient(site, endpoint, { accessKeyId, secretAccessKey: "wrong" });
        const unknownKey = newClient(site, endpoint, { accessKeyId: "AKIAUNKNOWN", secretAccessKey });
        const list = { Bucket: bucket };
        await assertRefused(wrongSecret.send(new ListObjectsV2Command(list)), "SignatureDoesNotMatch", 403);
        await assertRefused(unknownKey.send(new ListObjectsV2Command(list)), "InvalidAccessKeyId", 403);
        await assertStatus(wrongSecret.send(new HeadBucketCommand(list)), 403);
      },
    },
    {
      name: "KeyTooLongError and MetadataTooLarge contain the limit",
      async run() {
        const long = client.send(new PutObjectCommand({ Bucket: bucket, Key: "k".repeat(1025), Body: "x" }));
        await assertRefused(long, "KeyTooLongError", 400);
        const Metadata = { big: "m".repeat(2048) };
        const large = client.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x", Metadata }));
        await assertRefused(large, "MetadataTooLarge", 400);
      },
    },
    {
      name: "DeleteObjects refuses 1,001 keys with MalformedXML",
      async run() {
        const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: String(index) }));
        const request = client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
        await assertRefused(request, "MalformedXML", 400);
      },
    },
    {
      name: "an unsupported operation returns NotImplemented, and never the result of a similar one",
      async run() {
        await putText(tools, "whole", "x");
        const torrent = client.send(new GetObjectTorrentCommand({ Bucket: bucket, Key: "whole" }));
        await assertRefused(torrent, "NotImplemented", 501);
        const restoration = client.send(new RestoreObjectCommand({ Bucket: bucket, Key: "whole" }));
        await assertRefused(restoration, "NotImplemented", 501);
      },
    },
  ];
}
