// ListObjectAnnotations: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectAnnotations.html
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { makeToken, PAGE_MAX_ENTRIES, readPageSize, readToken } from "../protocol/listings/listing.ts";
import { annotationElement, readAnnotationPrefix } from "../protocol/objects/annotations.ts";
import { readNamedVersion, requireVersion } from "../protocol/objects/object-reading.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { lookUpAnnotations } from "../state/metadata/annotations.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";

export const listObjectAnnotations = defineOperation({
  name: "ListObjectAnnotations",
  actions: ["s3:ListObjectAnnotations"],
  versionActions: ["s3:ListObjectVersionAnnotations"],
  route: { method: "GET", level: "object", query: ["annotation"] },
  inputs: { query: ["versionId", "annotation-prefix", "max-annotation-results", "continuation-token"] },

  async read(request) {
    const { query } = request;
    const named = readNamedVersion(request);
    const prefix = readAnnotationPrefix(query);
    const scope = ["annotations", named.bucketName, named.key, named.versionId ?? "", prefix];
    const token = query.get("continuation-token");
    return {
      ...named,
      prefix,
      scope,
      token,
      maxResults: readPageSize(query, "max-annotation-results"),
      after: token === undefined ? "" : await readToken(token, scope),
    };
  },
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run({ database }, input, facts) {
    const object = requireVersion(input, facts);
    const { key, prefix, after, scope } = input;
    const version = { bucketId: facts.bucket.id, key, versionId: object.versionId };
    const limit = Math.min(input.maxResults, PAGE_MAX_ENTRIES);
    const found = await database.look(lookUpAnnotations(version, prefix, after, limit + 1));
    const annotations = found.slice(0, limit);
    const last = annotations.at(-1);
    const nextToken = found.length > limit && last !== undefined ? await makeToken(last.name, scope) : undefined;
    return { annotations, nextToken, object };
  },

  write: ({ annotations, nextToken, object }, { bucketName, key, prefix, token, maxResults }) => ({
    status: 200,
    headers: { "x-amz-object-version-id": shownVersionId(object) },
    body: element(
      "ListObjectAnnotationsResult",
      [
        element("Bucket", bucketName),
        element("Key", key),
        prefix === "" ? undefined : element("AnnotationPrefix", prefix),
        element("MaxAnnotationResults", maxResults),
        element("AnnotationCount", annotations.length),
        optionalElement("ContinuationToken", token),
        optionalElement("NextContinuationToken", nextToken),
        element("Annotations", annotations.map(annotationElement)),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});
