// HeadObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
// Reads metadata only and never calls the blob store.
import { withReadableChecksums } from "../protocol/objects/sealed-checksums.ts";
import { defineOperation } from "../contract/operation.ts";
import { checkReadKey, encryptionHeaders, readCustomerKey } from "../protocol/objects/customer-encryption.ts";
import {
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
} from "../protocol/objects/object-reading.ts";
import { READ_LOCK_ACTIONS, visibleLockHeaders } from "../uploads/object-lock-rights.ts";
import { OBJECT_READ } from "../protocol/core/operation-inputs.ts";
import { readMissing } from "../upstream/read-missing.ts";
import { lookUpObjectHead } from "../state/reads/object-reads.ts";

export const headObject = defineOperation({
  name: "HeadObject",
  actions: ["s3:GetObject"],
  versionActions: ["s3:GetObjectVersion"],
  furtherActions: READ_LOCK_ACTIONS,
  route: { method: "HEAD", level: "object" },
  inputs: OBJECT_READ,

  read: async (request, { customerKeysOverHttp }) => ({
    ...readObjectRead(request),
    customerKey: await readCustomerKey(request, customerKeysOverHttp),
  }),

  lookUp: (input) => lookUpObjectHead(input),
  readsSnapshots: true,
  subject: ({ object }) => object,

  async run(context, input, facts) {
    refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
    const ofUpstream = facts.object === undefined ? await readMissing(context, input, facts) : undefined;
    if (ofUpstream !== undefined) return ofUpstream;
    const stored = requireVersion(input, facts);
    await checkReadKey(stored.encryption, input.customerKey);
    const { object, parts } = await withReadableChecksums(stored, facts.parts, input.customerKey);
    return planObjectRead(input, object, {
      isVersioned: facts.bucket.versioning !== null,
      parts,
      encryption: encryptionHeaders(input.customerKey),
      lock: visibleLockHeaders(context, { ...input, bucket: facts.bucket, object }),
      lifecycle: facts.bucket.configurations.lifecycle,
      now: context.now,
    });
  },

  write: ({ status, headers }) => ({ status, headers }),
});
