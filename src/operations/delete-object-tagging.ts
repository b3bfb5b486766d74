// DeleteObjectTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html
import { defineOperation } from "../contract/operation.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";
import { replaceVersionTags } from "../state/metadata/version-attributes.ts";

export const deleteObjectTagging = defineOperation({
  name: "DeleteObjectTagging",
  actions: ["s3:DeleteObjectTagging"],
  versionActions: ["s3:DeleteObjectVersionTagging"],
  route: { method: "DELETE", level: "object", query: ["tagging"] },
  inputs: { query: ["versionId"] },
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const object = await replaceVersionTags(
      context.database,
      input,
      facts,
      (found) => requireVersion(input, found),
      [],
      context.origin,
    );
    return versionIdHeader(object, facts.bucket.versioning !== null);
  },

  write: (headers) => ({ status: 204, headers }),
});
