// PutObjectAnnotation: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html
import { digest } from "../bytes/digest.ts";
import { toBase64, toHex } from "../bytes/hex-base64.ts";
import { element } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { checksumHeaders, DEFAULT_ALGORITHM, digestAlgorithm, readChecksums } from "../protocol/core/checksums.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { DIGESTS, joinInputs } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import {
  ANNOTATION_MAX_BYTES,
  checkObjectIfMatch,
  OBJECT_CONDITION,
  payloadText,
  readAnnotationName,
  readObjectIfMatch,
} from "../protocol/objects/annotations.ts";
import { readNamedVersion, requireVersion } from "../protocol/objects/object-reading.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { storeAnnotation } from "../state/metadata/annotations.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";
import { readAuthorization } from "../uploads/rights.ts";

export const putObjectAnnotation = defineOperation({
  name: "PutObjectAnnotation",
  actions: ["s3:PutObjectAnnotation"],
  versionActions: ["s3:PutObjectVersionAnnotation"],
  furtherActions: [{ action: "s3:GetObject", when: "with a condition on the object" }],
  route: { method: "PUT", level: "object", query: ["annotation"] },
  inputs: joinInputs({ ...DIGESTS, body: "document" }, OBJECT_CONDITION, { query: ["annotationName", "versionId"] }),

  read: (request) => ({
    ...readNamedVersion(request),
    name: readAnnotationName(request.query),
    ifMatch: readObjectIfMatch(request),
  }),
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const { access, request, database, now } = context;
    const { bucket } = facts;
    const { key, versionId, name, ifMatch } = input;
    if (ifMatch !== undefined)
      access.requireAllowed(readAuthorization(bucket, { key, versionId, object: facts.object }));
    const object = requireVersion(input, facts);
    checkObjectIfMatch(ifMatch, object);
    if (object.encryption !== undefined) {
      throw new S3Error("InvalidRequest", {}, "Objects encrypted with SSE-C cannot have annotations.");
    }
    const body = context.openBody();
    if (body.length > ANNOTATION_MAX_BYTES) throw new S3Error("EntityTooLarge");
    const { algorithm = DEFAULT_ALGORITHM } = readChecksums(request, body.trailerNames);
    const bytes = await readDocument(request, body, ANNOTATION_MAX_BYTES);
    const payload = payloadText(bytes);
    const value = toBase64(await digest(digestAlgorithm(algorithm), bytes));
    const etag = toHex(await digest("MD5", bytes));
    const checksum = { algorithm, type: "FULL_OBJECT", value } as const;
    const annotation = { name, size: bytes.length, etag, modifiedAt: now, checksum };
    const target = { bucket, object, origin: context.origin };
    const outcome = await storeAnnotation(database, target, annotation, payload);
    if (outcome === "version missing") throw new S3Error("NoSuchKey", { Key: key });
    if (outcome === "limit exceeded") throw new S3Error("AnnotationLimitExceeded");
    return { etag, checksum, object };
  },

  write: ({ etag, checksum, object }, { key, name }) => ({
    status: 200,
    headers: {
      etag: quoteEtag(etag),
      ...checksumHeaders(checksum),
      "x-amz-object-version-id": shownVersionId(object),
    },
    body: element("PutObjectAnnotationResult", [element("Key", key), element("AnnotationName", name)], {
      xmlns: S3_NAMESPACE,
    }),
  }),
});
