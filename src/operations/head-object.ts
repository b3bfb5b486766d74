// HeadObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
// Answered from metadata alone: the blob store is never asked.
import { defineOperation } from "../contract/operation.ts";
import {
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
} from "../protocol/object-reading.ts";
import { lookUpObjectHead } from "../state/object-reads.ts";

export const headObject = defineOperation({
  name: "HeadObject",
  actions: ["s3:GetObject"],
  versionActions: ["s3:GetObjectVersion"],
  route: { method: "HEAD", level: "object" },

  read: readObjectRead,

  lookUp: (input) => lookUpObjectHead(input),
  subject: ({ object }) => object,

  run(context, input, facts) {
    refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
    const surroundings = { isVersioned: facts.bucket.versioning !== null, parts: facts.parts, now: context.now };
    return Promise.resolve(planObjectRead(input, requireVersion(input, facts), surroundings));
  },

  write: ({ status, headers }) => ({ status, headers }),
});
