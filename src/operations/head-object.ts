// HeadObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
// Answered from metadata alone: the blob store is never asked.
import { defineOperation } from "../contract/operation.ts";
import {
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
} from "../protocol/object-reading.ts";
import { lookUpObject } from "../state/objects.ts";

export const headObject = defineOperation({
  name: "HeadObject",
  action: "s3:GetObject",
  route: { method: "HEAD", level: "object" },

  read: readObjectRead,

  lookUp: ({ bucketName, key }) => lookUpObject(bucketName, key),

  run(context, input, { object }) {
    refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
    return Promise.resolve(planObjectRead(input, requireVersion(input, object), context.now));
  },

  write: ({ status, headers }) => ({ status, headers }),
});
