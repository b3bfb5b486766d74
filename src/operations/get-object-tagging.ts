// GetObjectTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
import { defineOperation } from "../contract/operation.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { taggingElement } from "../protocol/core/tagging.ts";
import { lookUpNamed } from "../state/snapshots/snapshot-reads.ts";

export const getObjectTagging = defineOperation({
  name: "GetObjectTagging",
  actions: ["s3:GetObjectTagging"],
  versionActions: ["s3:GetObjectVersionTagging"],
  route: { method: "GET", level: "object", query: ["tagging"] },
  inputs: { query: ["versionId"] },
  read: readNamedVersion,
  readsSnapshots: true,
  lookUp: (input) => lookUpNamed(input),
  subject: ({ object }) => object,

  run(_context, input, facts) {
    const object = requireVersion(input, facts);
    return Promise.resolve({ tags: object.tags, headers: versionIdHeader(object, facts.bucket.versioning !== null) });
  },

  write: ({ tags, headers }) => ({ status: 200, headers, body: taggingElement(tags) }),
});
