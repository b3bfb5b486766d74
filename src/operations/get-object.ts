// GetObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
import { withReadableChecksums } from "../protocol/objects/sealed-checksums.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import {
  checkReadKey,
  encryptionHeaders,
  readCustomerKey,
  type CustomerKey,
} from "../protocol/objects/customer-encryption.ts";
import {
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
  type ObjectReadInput,
} from "../protocol/objects/object-reading.ts";
import { OBJECT_READ } from "../protocol/core/operation-inputs.ts";
import { expectationOf, isVerifiedRead, verifiedBytes } from "../state/reads/verified-bytes.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { openObject } from "../state/reads/object-bytes.ts";
import { reportDamage } from "../state/reads/read-damage.ts";
import { lookUpObjectRead, type ObjectReadFacts } from "../state/reads/object-reads.ts";

const MAX_ATTEMPTS = 3;

interface Input extends ObjectReadInput {
  readonly customerKey: CustomerKey | undefined;
}

export const getObject = defineOperation({
  name: "GetObject",
  actions: ["s3:GetObject"],
  versionActions: ["s3:GetObjectVersion"],
  route: { method: "GET", level: "object" },
  inputs: OBJECT_READ,

  read: async (request, { customerKeysOverHttp }): Promise<Input> => ({
    ...readObjectRead(request),
    customerKey: await readCustomerKey(request, customerKeysOverHttp),
  }),

  lookUp: (input) => lookUpObjectRead(input),
  readsSnapshots: true,
  subject: ({ object }) => object,

  async run(context, input, facts) {
    refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
    let known: ObjectReadFacts = facts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const answer = await readBytes(context, input, facts.bucket, known);
      if (answer !== undefined) return answer;
      // The blob is missing because the version was replaced after the lookup, so read the row again.
      known = await context.database.look(lookUpObjectRead(input));
    }
    throw new Error(`the blob of an object in bucket ${facts.bucket.id} is missing`);
  },

  write: (answer) => answer,
});

async function readBytes(context: Context, input: Input, bucket: Bucket, facts: ObjectReadFacts) {
  const stored = requireVersion(input, facts);
  const { customerKey } = input;
  await checkReadKey(stored.encryption, customerKey);
  const { object, parts } = await withReadableChecksums(stored, facts.parts, customerKey);
  const { status, headers, range } = planObjectRead(input, object, {
    isVersioned: bucket.versioning !== null,
    parts,
    encryption: encryptionHeaders(customerKey),
    lifecycle: bucket.configurations.lifecycle,
    now: context.now,
  });
  if (status === 304 || (range?.length ?? object.size) === 0) return { status, headers };
  const body = await openObject(context.blobs, object, facts.slices, range, customerKey);
  if (body === undefined) return undefined;
  const isWhole = range === undefined || range.length === object.size;
  const expectation =
    isWhole && isVerifiedRead(context.settings.verifyReads, object.size) ? expectationOf(object) : undefined;
  if (expectation === undefined) return { status, headers, body };
  const report = (finding: string): Promise<void> => reportDamage(context, object, finding);
  return { status, headers, body: await verifiedBytes(body, object.size, expectation, report) };
}
