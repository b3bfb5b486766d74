// GetObjectAnnotation: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAnnotation.html
import { formatHttpDate } from "../bytes/dates.ts";
import { defineOperation } from "../contract/operation.ts";
import { checksumHeaders } from "../protocol/core/checksums.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { readAnnotationName } from "../protocol/objects/annotations.ts";
import { readNamedVersion, requireVersion } from "../protocol/objects/object-reading.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { lookUpAnnotation } from "../state/metadata/annotations.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";

export const getObjectAnnotation = defineOperation({
  name: "GetObjectAnnotation",
  actions: ["s3:GetObjectAnnotation"],
  versionActions: ["s3:GetObjectVersionAnnotation"],
  route: { method: "GET", level: "object", query: ["annotation", "annotationName"] },
  inputs: { query: ["versionId"], headers: ["x-amz-checksum-mode"] },

  read: (request) => ({
    ...readNamedVersion(request),
    name: readAnnotationName(request.query),
    wantsChecksum: requestHeader(request, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED",
  }),
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run({ database }, input, facts) {
    const object = requireVersion(input, facts);
    const { key, name } = input;
    const version = { bucketId: facts.bucket.id, key, versionId: object.versionId };
    const found = await database.look(lookUpAnnotation(version, name));
    if (found === undefined) throw new S3Error("NoSuchAnnotation", { Key: key, AnnotationName: name });
    return { ...found, object };
  },

  write: ({ annotation, payload, object }, { wantsChecksum }) => ({
    status: 200,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(annotation.size),
      "last-modified": formatHttpDate(annotation.modifiedAt),
      etag: quoteEtag(annotation.etag),
      "x-amz-object-version-id": shownVersionId(object),
      ...(wantsChecksum ? checksumHeaders(annotation.checksum) : {}),
    },
    body: payload,
  }),
});
