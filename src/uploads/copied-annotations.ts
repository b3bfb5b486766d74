// The annotations that a copy takes over from its source, and the rights that this needs.
import type { Context } from "../contract/context.ts";
import type { FurtherAction } from "../contract/operation.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { ANNOTATION_DIRECTIVE } from "../protocol/objects/copying.ts";
import type { Database, Statement } from "../state/d1/database.ts";
import { copyForeignAnnotations, copyVersionAnnotations, hasAnnotations } from "../state/metadata/annotation-copies.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { SourceFacts, SourceVersion } from "../state/reads/copy-sources.ts";

/** The actions that a copy requires if its source has annotations. */
export const ANNOTATION_ACTIONS: readonly FurtherAction[] = [
  {
    action: "s3:GetObjectAnnotation",
    when: "on the source, to copy its annotations (`s3:GetObjectVersionAnnotation` for a version)",
  },
  { action: "s3:PutObjectAnnotation", when: "with annotations of the source" },
];

/** A source that may have annotations. */
export interface AnnotationSource {
  readonly database: Database;
  readonly original: SourceVersion;
  readonly facts: SourceFacts;
  /** Whether the request names a version or a snapshot. */
  readonly isVersion: boolean;
}

/** The object that a copy writes. */
export interface AnnotationTarget {
  readonly bucket: Bucket;
  readonly key: string;
  readonly hasCustomerKey: boolean;
}

/**
 * The statements that copy the annotations after the new version is written; none if the source has none.
 * @throws S3Error AccessDenied, InvalidRequest for a copy under a customer's key
 */
export async function copiedAnnotations(
  { access, inputs, database, now }: Context,
  { database: origin, original, facts, isVersion }: AnnotationSource,
  { bucket, key, hasCustomerKey }: AnnotationTarget,
): Promise<readonly Statement[]> {
  if (facts.bucket === undefined || !(await hasAnnotations(origin, original))) return [];
  access.requireAllowed({
    actions: [isVersion ? "s3:GetObjectVersionAnnotation" : "s3:GetObjectAnnotation"],
    bucket: facts.bucket,
    bucketName: facts.bucket.name,
    key: original.key,
    versionId: isVersion ? original.versionId : undefined,
    object: original,
  });
  access.requireAllowed({ actions: ["s3:PutObjectAnnotation"], bucket, bucketName: bucket.name, key, inputs });
  if (hasCustomerKey) {
    const message = `Objects encrypted with SSE-C cannot have annotations. Use ${ANNOTATION_DIRECTIVE}: EXCLUDE.`;
    throw new S3Error("InvalidRequest", {}, message);
  }
  const destination = { bucketId: bucket.id, key };
  return origin === database
    ? [copyVersionAnnotations(original, destination, now)]
    : copyForeignAnnotations(origin, original, destination, now);
}
