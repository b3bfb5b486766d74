// GetObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import {
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
  type ObjectReadInput,
} from "../protocol/object-reading.ts";
import type { StoredObject } from "../protocol/stored-object.ts";
import { lookUpObject } from "../state/objects.ts";

const BLOB_TURNS = 3;

export const getObject = defineOperation({
  name: "GetObject",
  action: "s3:GetObject",
  route: { method: "GET", level: "object" },

  read: readObjectRead,

  lookUp: ({ bucketName, key }) => lookUpObject(bucketName, key),

  async run(context, input, facts) {
    refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
    let current = facts.object;
    for (let turn = 0; turn < BLOB_TURNS; turn += 1) {
      const answer = await readBytes(context, input, requireVersion(input, current));
      if (answer !== undefined) return answer;
      // The row's blob is gone: the object was replaced since the row was read, so what is there now is read instead.
      current = (await context.database.look(lookUpObject(input.bucketName, input.key))).object;
    }
    throw new Error(`the blob of an object in bucket ${facts.bucket.id} is missing`);
  },

  write: (answer) => answer,
});

async function readBytes(context: Context, input: ObjectReadInput, object: StoredObject) {
  const { status, headers, range } = planObjectRead(input, object, context.now);
  if (status === 304) return { status, headers };
  if (object.size === 0) return { status, headers };
  const body = await context.blobs.get(object.blobId, range);
  return body === undefined ? undefined : { status, headers, body };
}
