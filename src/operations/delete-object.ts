// DeleteObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
import { defineOperation } from "../contract/operation.ts";
import { addressedObject } from "../protocol/addressing.ts";
import { readDeleteConditions, refuseWrite } from "../protocol/conditions.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { readVersionId } from "../protocol/version-id.ts";
import { lookUpHeads } from "../state/objects.ts";

export const deleteObject = defineOperation({
  name: "DeleteObject",
  action: "s3:DeleteObject",
  route: { method: "DELETE", level: "object" },

  read(request) {
    const { bucket, key } = addressedObject(request.address);
    return {
      bucketName: bucket,
      key,
      versionId: readVersionId(request.query),
      conditions: readDeleteConditions(request),
    };
  },

  lookUp: ({ bucketName, key }) => lookUpHeads(bucketName, [key]),

  async run(context, { key, versionId, conditions }, { bucket, heads }) {
    // Every version of a bucket that never was versioned is `null`; any other id names none.
    if (versionId !== undefined && versionId !== "null") return { versionId };
    const seen = heads.get(key);
    const refusal = refuseWrite(conditions, key, seen, seen);
    if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
    if (seen === undefined) return { versionId };
    const [outcome] = await context.coordinators.delete(bucket, [{ key, seen, conditions }]);
    if (outcome?.isDone !== true) {
      throw outcome === undefined
        ? new S3Error("ServiceUnavailable")
        : new S3Error(outcome.refusal.code, outcome.refusal.fields);
    }
    return { versionId };
  },

  write: ({ versionId }) => ({
    status: 204,
    headers: versionId === undefined ? {} : { "x-amz-version-id": versionId },
  }),
});
