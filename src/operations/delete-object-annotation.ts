// DeleteObjectAnnotation: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectAnnotation.html
import { defineOperation } from "../contract/operation.ts";
import { joinInputs } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import {
  checkObjectIfMatch,
  OBJECT_CONDITION,
  readAnnotationName,
  readObjectIfMatch,
} from "../protocol/objects/annotations.ts";
import { BYPASS_HEADER, readBypass } from "../protocol/objects/object-lock.ts";
import { readNamedVersion, requireVersion } from "../protocol/objects/object-reading.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { deleteAnnotation } from "../state/metadata/annotations.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";
import { BYPASS_ACTION, requireBypass } from "../uploads/object-lock-rights.ts";
import { readAuthorization } from "../uploads/rights.ts";

export const deleteObjectAnnotation = defineOperation({
  name: "DeleteObjectAnnotation",
  actions: ["s3:DeleteObjectAnnotation"],
  versionActions: ["s3:DeleteObjectVersionAnnotation"],
  furtherActions: [{ action: "s3:GetObject", when: "with a condition on the object" }, BYPASS_ACTION],
  route: { method: "DELETE", level: "object", query: ["annotation"] },
  inputs: joinInputs(OBJECT_CONDITION, { query: ["annotationName", "versionId"], headers: [BYPASS_HEADER] }),

  read: (request) => ({
    ...readNamedVersion(request),
    name: readAnnotationName(request.query),
    ifMatch: readObjectIfMatch(request),
    bypassesGovernance: readBypass(request),
  }),
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const { bucket } = facts;
    const { key, versionId, name, ifMatch, bypassesGovernance } = input;
    const target = { key, versionId, object: facts.object };
    if (ifMatch !== undefined) context.access.requireAllowed(readAuthorization(bucket, target));
    if (bypassesGovernance) requireBypass(context, { bucket, ...target });
    const object = requireVersion(input, facts);
    checkObjectIfMatch(ifMatch, object);
    const annotated = { bucket, object, origin: context.origin };
    const isLocked = await deleteAnnotation(context.database, annotated, name, bypassesGovernance);
    if (isLocked) throw new S3Error("AccessDenied", {}, "Access Denied because object protected by object lock.");
    return object;
  },

  write: (object) => ({ status: 204, headers: { "x-amz-object-version-id": shownVersionId(object) } }),
});
