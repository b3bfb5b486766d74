// PutObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import { appendToObject } from "../uploads/append.ts";
import { storeNewObject, type StoredNewObject } from "../uploads/new-object.ts";
import { storeUnsized } from "../uploads/unsized-upload.ts";
import { defineOperation } from "../contract/operation.ts";
import { checkUpload, readUploadHeaders, type CheckedUpload, type UploadHeaders } from "../uploads/upload-input.ts";
import { requireLockDigest } from "../uploads/object-lock-rights.ts";
import { UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { checksumHeaders, readChecksums } from "../protocol/core/checksums.ts";
import {
  readWriteOffset,
  refuseEmptyAppend,
  refuseOtherProperties,
  WRITE_OFFSET_HEADER,
} from "../protocol/objects/appending.ts";
import { readWriteConditions, type WriteConditions } from "../protocol/objects/conditions.ts";
import { encryptionHeaders } from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import {
  joinInputs,
  NEW_OBJECT,
  NO_COPY,
  NO_RENAME,
  DIGESTS,
  WRITE_CONDITIONS,
} from "../protocol/core/operation-inputs.ts";
import { invalidArgument } from "../protocol/core/s3-error.ts";
import { requestTagKeys } from "../protocol/core/tagging.ts";
import { lookUpHeads, NO_HEAD, type HeadsFacts, type KeyHead } from "../state/commit/heads.ts";
import { lookUpBoth, type Lookup } from "../state/d1/database.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { lookUpAppendBase, type AppendBase } from "../state/reads/append-bases.ts";
import type { Context } from "../contract/context.ts";

interface PutInput extends UploadHeaders {
  readonly bucketName: string;
  readonly key: string;
  readonly conditions: WriteConditions;
}

interface PutFacts extends HeadsFacts {
  /** The current version, if the request appends to it. */
  readonly appendBase?: AppendBase | undefined;
}

export const putObject = defineOperation({
  name: "PutObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object" },
  furtherActions: UPLOAD_ACTIONS,
  inputs: joinInputs(NEW_OBJECT, DIGESTS, WRITE_CONDITIONS, NO_COPY, NO_RENAME, {
    headers: [WRITE_OFFSET_HEADER],
    body: "object",
  }),

  async read(request, settings): Promise<PutInput> {
    const { bucket, key } = addressedObject(request.address);
    const partNumber = request.query.get("partNumber");
    if (partNumber !== undefined) {
      throw invalidArgument(
        "partNumber",
        partNumber,
        "This operation does not accept a partNumber without an uploadId",
      );
    }
    return {
      bucketName: bucket,
      key,
      ...(await readUploadHeaders(request, settings)),
      conditions: { ...readWriteConditions(request), writeOffset: readWriteOffset(request) },
    };
  },

  conditionKeys: ({ tags }) => requestTagKeys(tags),
  lookUp: ({ bucketName, key, conditions }): Lookup<PutFacts> => {
    const heads = lookUpHeads(bucketName, [key]);
    return conditions.writeOffset === undefined ? heads : lookUpBoth(heads, lookUpAppendBase(bucketName, key));
  },

  async run(context, input, { bucket, heads, appendBase }) {
    const { key, metadata, tags, storageClass, conditions } = input;
    const head = heads.get(key) ?? NO_HEAD;
    const checked = await checkUpload(context, bucket, { ...input, head });
    if (conditions.writeOffset !== undefined) return append(context, bucket, input, checked, head, appendBase);
    const body = context.openBodyOfAnySize();
    const announced = readChecksums(context.request, body.trailerNames);
    requireLockDigest(input.lock, announced);
    const object = { key, observedHead: head, conditions, metadata, tags, storageClass, ...checked };
    return body.length === undefined
      ? storeUnsized(context, bucket, object, body, announced)
      : storeNewObject(context, bucket, object, body, announced);
  },

  write: ({ etag, size, checksum, version, expiration }, { customerKey, conditions }) => ({
    status: 200,
    headers: {
      etag: quoteEtag(etag),
      ...version,
      ...expiration,
      ...(conditions.writeOffset === undefined ? {} : { "x-amz-object-size": String(size) }),
      ...checksumHeaders(checksum),
      ...encryptionHeaders(customerKey),
    },
  }),
});

/** Appends to the current version, or stores the first bytes of a new object. */
async function append(
  context: Context,
  bucket: Bucket,
  input: PutInput,
  checked: CheckedUpload,
  head: KeyHead,
  base: AppendBase | undefined,
): Promise<StoredNewObject> {
  const { key, metadata, tags, storageClass, customerKey, conditions } = input;
  const { acl, lock } = checked;
  if (base !== undefined) refuseOtherProperties(context.request, { ...metadata, tags, storageClass, acl }, base.object);
  const body = context.openBody();
  refuseEmptyAppend(body.length);
  const announced = readChecksums(context.request, body.trailerNames);
  requireLockDigest(lock, announced);
  const target = { observedHead: head, conditions, lock };
  if (base !== undefined) return appendToObject(context, bucket, { ...target, base, customerKey }, body, announced);
  // Coordinators of the release before know no offset; that there must be no object, they do know.
  const isNew = conditions.ifMatch === undefined ? { ifNoneMatch: "*" as const } : {};
  const object = { ...target, key, metadata, tags, storageClass, ...checked, conditions: { ...conditions, ...isNew } };
  return storeNewObject(context, bucket, object, body, announced);
}
