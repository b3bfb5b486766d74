// The AWS SDK for JavaScript: annotations of objects.
import assert from "node:assert/strict";
import {
  DeleteObjectAnnotationCommand,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { assertRefused, type JavaScriptTools } from "./tools.ts";

export function annotationChecks({ client, bucket }: JavaScriptTools): Check[] {
  return [
    {
      name: "annotations are put, listed, read and deleted",
      async run() {
        const of = { Bucket: bucket, Key: "annotated" };
        const AnnotationName = "ml.labels";
        await client.send(new PutObjectCommand({ ...of, Body: "picture" }));
        const payload = JSON.stringify({ labels: ["kitten", "Ärmel"] });
        const put = await client.send(
          new PutObjectAnnotationCommand({ ...of, AnnotationName, AnnotationPayload: payload }),
        );
        assert.equal(put.AnnotationName, AnnotationName);
        assert.equal(put.Key, of.Key);
        const listed = await client.send(new ListObjectAnnotationsCommand({ ...of, AnnotationPrefix: "ml." }));
        assert.deepEqual(
          listed.Annotations?.map((entry) => [entry.AnnotationName, entry.Size, entry.ETag]),
          [[AnnotationName, Buffer.byteLength(payload), put.ETag]],
        );
        const read = await client.send(
          new GetObjectAnnotationCommand({ ...of, AnnotationName, ChecksumMode: "ENABLED" }),
        );
        assert.equal(await read.AnnotationPayload?.transformToString(), payload);
        assert.equal(read.ETag, put.ETag);
        await client.send(new DeleteObjectAnnotationCommand({ ...of, AnnotationName }));
        const gone = client.send(new GetObjectAnnotationCommand({ ...of, AnnotationName }));
        await assertRefused(gone, "NoSuchAnnotation", 404);
      },
    },
  ];
}
