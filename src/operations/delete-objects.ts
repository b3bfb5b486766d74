// DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { parseDeletions, type Deletion } from "../protocol/deletions.ts";
import { readDocument } from "../protocol/document-body.ts";
import { S3Error, S3_NAMESPACE, type S3ErrorCode } from "../protocol/s3-error.ts";
import { lookUpBucket } from "../state/buckets.ts";
import { currentHeads } from "../state/objects.ts";

interface DeletionResult {
  readonly deletion: Deletion;
  /** Undefined where the deletion was carried out. */
  readonly code: S3ErrorCode | undefined;
}

export const deleteObjects = defineOperation({
  name: "DeleteObjects",
  action: "s3:DeleteObject",
  route: { method: "POST", level: "bucket", query: ["delete"] },

  read: (request) => ({ bucketName: addressedBucket(request.address) }),

  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const { deletions, isQuiet } = parseDeletions(await readDocument(context.request, context.openBody(), true));
    const effective = deletions.filter(
      ({ problem, versionId }) => problem === undefined && isCurrentVersion(versionId),
    );
    const heads = await context.database.look(
      currentHeads(
        bucket.id,
        effective.map(({ key }) => key),
      ),
    );
    // A key without a current version has nothing to delete, unless a condition demands one.
    const changes = effective
      .filter(({ key, conditions }) => heads.has(key) || Object.keys(conditions).length > 0)
      .map((deletion) => ({
        deletion,
        key: deletion.key,
        seen: heads.get(deletion.key),
        conditions: deletion.conditions,
      }));
    const outcomes = await context.coordinators.delete(
      bucket,
      changes.map(({ key, seen, conditions }) => ({ key, seen, conditions })),
    );
    const codes = new Map<Deletion, S3ErrorCode | undefined>();
    changes.forEach(({ deletion }, index) => {
      const outcome = outcomes[index];
      if (outcome?.isDone !== true) codes.set(deletion, outcome?.refusal.code ?? "ServiceUnavailable");
    });
    const results = deletions.map((deletion) => ({ deletion, code: deletion.problem ?? codes.get(deletion) }));
    return { results, isQuiet };
  },

  write: ({ results, isQuiet }): S3Response => ({
    status: 200,
    headers: {},
    body: element(
      "DeleteResult",
      results
        .filter(({ code }) => code !== undefined || !isQuiet)
        .map(({ deletion, code }) =>
          code === undefined ? deletedElement(deletion) : errorElement({ deletion, code }),
        ),
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

/** In a bucket that never was versioned, `null` is the current version and every other id names none. */
function isCurrentVersion(versionId: string | undefined): boolean {
  return versionId === undefined || versionId === "null";
}

function deletedElement({ key, versionId }: Deletion): XmlElement {
  return element("Deleted", [element("Key", key), optionalElement("VersionId", versionId)]);
}

function errorElement({ deletion, code }: DeletionResult): XmlElement {
  const error = new S3Error(code ?? "InternalError");
  return element("Error", [
    element("Key", deletion.key),
    optionalElement("VersionId", deletion.versionId),
    element("Code", error.code),
    element("Message", error.message),
  ]);
}
