// GetObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
import { randomDigits } from "../bytes/random-id.ts";
import { withReadableChecksums } from "../protocol/objects/sealed-checksums.ts";
import type { Context, SpeculationContext } from "../contract/context.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import {
  checkReadKey,
  encryptionHeaders,
  readCustomerKey,
  type CustomerKey,
} from "../protocol/objects/customer-encryption.ts";
import {
  expectedBytes,
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
  type ObjectReadInput,
} from "../protocol/objects/object-reading.ts";
import { MULTIPART_BOUNDARY_DIGITS, withSeveralRanges, type RangesReadPlan } from "../protocol/objects/multi-range.ts";
import { joinInputs, OBJECT_READ } from "../protocol/core/operation-inputs.ts";
import { READ_LOCK_ACTIONS, visibleLockHeaders } from "../uploads/object-lock-rights.ts";
import { readCacheUse, type CacheUse } from "../protocol/objects/cache-use.ts";
import { expectationOf, isVerifiedRead, verifiedBytes } from "../state/reads/verified-bytes.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { openBytes, type CacheOutcome, type OpenedObject } from "../state/reads/open-bytes.ts";
import { openRanges } from "../state/reads/open-ranges.ts";
import { recallObject, rememberObject, type RepeatedRead } from "../state/reads/remembered-objects.ts";
import { SpeculativeRead } from "../state/reads/speculative-read.ts";
import { reportDamage } from "../state/reads/read-damage.ts";
import { readMissing } from "../upstream/read-missing.ts";
import { lookUpObjectContent, type ObjectContentFacts } from "../state/reads/object-reads.ts";

const MAX_ATTEMPTS = 3;

interface Input extends ObjectReadInput {
  readonly customerKey: CustomerKey | undefined;
  readonly cacheUse: CacheUse;
  readonly answersSeveralRanges: boolean;
}

export const getObject = defineOperation({
  name: "GetObject",
  actions: ["s3:GetObject"],
  versionActions: ["s3:GetObjectVersion"],
  furtherActions: READ_LOCK_ACTIONS,
  route: { method: "GET", level: "object" },
  inputs: joinInputs(OBJECT_READ, { headers: ["cache-control"] }),

  read: async (request, { customerKeysOverHttp }): Promise<Input> => ({
    ...readObjectRead(request),
    customerKey: await readCustomerKey(request, customerKeysOverHttp),
    cacheUse: readCacheUse(request.headers.get("cache-control")),
    answersSeveralRanges: request.answersSeveralRanges === true,
  }),

  lookUp: (input) => lookUpObjectContent(input),
  readsSnapshots: true,
  subject: ({ object }) => object,
  speculate,

  async run(context, input, facts) {
    refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
    const ofUpstream = facts.object === undefined ? await readMissing(context, input, facts) : undefined;
    if (ofUpstream !== undefined) return ofUpstream;
    let known: ObjectContentFacts = facts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const answer = await readBytes(context, input, facts.bucket, known);
      if (answer !== undefined) return answer;
      // The blob is missing because the version was replaced after the lookup, so read the row again.
      known = await context.database.lookShared(lookUpObjectContent(input));
    }
    throw new Error(`the blob of an object in bucket ${facts.bucket.id} is missing`);
  },

  write: (answer) => answer,
});

/** Begins to read what the caller last found under the key, if the request would then be answered with bytes of it. */
async function speculate(context: SpeculationContext, input: Input): Promise<SpeculativeRead | undefined> {
  const read = repeatedRead(context, input);
  const remembered = read && recallObject(read);
  if (read === undefined || remembered === undefined) return undefined;
  // Anonymous requests with them are refused.
  if (context.caller === "" && Object.keys(input.overrides).length > 0) return undefined;
  const range = expectedBytes(input, remembered, context.now);
  if (range === "none" || !(await context.isVerified())) return undefined;
  return new SpeculativeRead(context, { read, remembered, range, cacheUse: input.cacheUse });
}

/** Undefined for a read whose blob is not remembered. */
function repeatedRead(
  { caller, settings }: Pick<Context, "caller" | "settings">,
  { bucketName, key, versionId, snapshot, customerKey }: Input,
): RepeatedRead | undefined {
  const isRemembered = settings.speculativeReads && snapshot === undefined && customerKey === undefined;
  return isRemembered ? { caller, bucketName, key, versionId } : undefined;
}

async function readBytes(
  context: Context,
  input: Input,
  bucket: Bucket,
  facts: ObjectContentFacts,
): Promise<S3Response | undefined> {
  const stored = requireVersion(input, facts);
  const { customerKey } = input;
  await checkReadKey(stored.encryption, customerKey);
  const { object, parts } = await withReadableChecksums(stored, facts.parts, customerKey);
  const plan = planObjectRead(input, object, {
    isVersioned: bucket.versioning !== null,
    parts,
    encryption: encryptionHeaders(customerKey),
    lock: visibleLockHeaders(context, { bucket, key: input.key, versionId: input.versionId, object }),
    lifecycle: bucket.configurations.lifecycle,
    now: context.now,
  });
  const { status, headers, range, multipart }: RangesReadPlan = input.answersSeveralRanges
    ? withSeveralRanges(plan, input, object, () => randomDigits(MULTIPART_BOUNDARY_DIGITS))
    : plan;
  if (status === 304 || (range?.length ?? object.size) === 0) return { status, headers };
  const isWhole = multipart === undefined && (range === undefined || range.length === object.size);
  const expectation =
    isWhole && isVerifiedRead(context.settings.verifyReads, object.size) ? expectationOf(object) : undefined;
  const answerWith = async ({ body, cache, evict }: OpenedObject): Promise<S3Response> => {
    const answer = { status, headers: { ...headers, ...cacheHeaders(cache, context.now) } };
    if (expectation === undefined) return { ...answer, body };
    const report = async (finding: string): Promise<void> => {
      await evict?.();
      if (cache === "HIT")
        console.error(JSON.stringify({ level: "error", message: "cached bytes are damaged", finding }));
      else await reportDamage(context, object, finding);
    };
    return { ...answer, body: await verifiedBytes(body, object.size, expectation, report) };
  };
  const open = async (one: typeof range) =>
    openBytes(context, { ...input, small: facts.small }, object, facts.slices, one);
  const [small] = facts.small;
  const ahead = multipart === undefined ? await context.speculative?.take(object, small, range) : undefined;
  const opened = ahead ?? (await (multipart === undefined ? open(range) : openRanges(multipart, open)));
  if (opened === undefined) return undefined;
  const repeated = repeatedRead(context, input);
  if (repeated !== undefined) rememberObject(repeated, object, small);
  try {
    return await answerWith(opened);
  } catch (error) {
    if (opened.cache !== "HIT") throw error;
    // The cached bytes are damaged. They are evicted, and the blob store has the object.
    const fromStore = await openBytes(context, { ...input, cacheUse: "bypass" }, object, facts.slices, range);
    return fromStore === undefined ? undefined : answerWith(fromStore);
  }
}

/**
 * `Age` is the time since the database confirmed the response, as RFC 9111 defines it, and not the time that the bytes
 * have been in the cache: otherwise browsers would take a confirmed response for stale.
 */
function cacheHeaders(cache: CacheOutcome, confirmedAt: number): Record<string, string> {
  const age = Math.max(0, Math.floor((Date.now() - confirmedAt) / 1000));
  return { "x-cache": cache, ...(cache === "HIT" ? { age: String(age) } : {}) };
}
