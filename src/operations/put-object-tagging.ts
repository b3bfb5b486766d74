// PutObjectTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
import { defineOperation } from "../contract/operation.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { joinInputs, DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { parseTagging, requestTagKeys } from "../protocol/core/tagging.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";
import { replaceVersionTags } from "../state/metadata/version-attributes.ts";

export const putObjectTagging = defineOperation({
  name: "PutObjectTagging",
  actions: ["s3:PutObjectTagging"],
  versionActions: ["s3:PutObjectVersionTagging"],
  authorizes: "run",
  route: { method: "PUT", level: "object", query: ["tagging"] },
  inputs: joinInputs(DOCUMENT, { query: ["versionId"] }),
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const { bucket } = facts;
    const authorization = {
      actions: [input.versionId === undefined ? "s3:PutObjectTagging" : "s3:PutObjectVersionTagging"],
      bucket,
      bucketName: bucket.name,
      key: input.key,
      object: facts.object,
      inputs: context.inputs,
    };
    context.access.requirePossibleAllow(authorization);
    const tags = parseTagging(await readDocument(context.request, context.openBody()), "object");
    context.access.requireAllowed({ ...authorization, conditionKeys: requestTagKeys(tags) });
    await refuseContradictions(context.request, context.inputs);
    const object = await replaceVersionTags(
      context.database,
      input,
      facts,
      (found) => requireVersion(input, found),
      tags,
      context.origin,
    );
    return versionIdHeader(object, bucket.versioning !== null);
  },

  write: (headers) => ({ status: 200, headers }),
});
