// CompleteMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
// Moves no bytes: the parts' blobs become the slices of the object. It stores the proof of the completion between the
// commit and the response.
import {
  isSealed,
  readableChecksum,
  storedChecksum,
  withReadableChecksums,
} from "../protocol/objects/sealed-checksums.ts";
import { keysOfEncryption, keysOfUpload } from "../auth/access/object-keys.ts";
import { digest } from "../bytes/digest.ts";
import { toHex } from "../bytes/hex-base64.ts";
import { utf8 } from "../bytes/text.ts";
import { element } from "../bytes/xml.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { refuseBlockedAcl } from "../uploads/acl-input.ts";
import { committedObject, completedObject } from "../uploads/completed-object.ts";
import { requireUploadRights, UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { checksumElement, DEFAULT_ALGORITHM, type ObjectChecksum } from "../protocol/core/checksums.ts";
import { readWriteConditions, type WriteConditions } from "../protocol/objects/conditions.ts";
import {
  checkPartKey,
  encryptionHeaders,
  readCustomerKey,
  checkReadKey,
  type CustomerKey,
} from "../protocol/objects/customer-encryption.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import {
  checkCompletionConditions,
  chooseParts,
  etagOfParts,
  parseCompletion,
  PART_MAX_NUMBER,
  readUploadId,
  type ListedPart,
} from "../protocol/objects/multipart.ts";
import {
  announcesChecksum,
  checkCompletionHeaders,
  checksumOfParts,
  defaultType,
  withoutChecksums,
} from "../protocol/objects/multipart-checksums.ts";
import { joinInputs, WRITE_CONDITIONS, CUSTOMER_KEY } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { originOf, type S3Request } from "../protocol/core/s3-request.ts";
import { versionHeaders } from "../protocol/objects/upload-headers.ts";
import { assemble } from "../state/metadata/assembly.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { ChangeOutcome } from "../state/writes/changes.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { insertManifest } from "../state/metadata/manifests.ts";
import { lookUpParts, type Part } from "../state/metadata/parts.ts";
import { closeUpload, guardUpload, lookUpUpload, type Upload } from "../state/metadata/uploads.ts";
import { lookUpCompletion, recordCompletion, type CompletedUpload } from "../state/metadata/completed-uploads.ts";
import { storeMissingProof, requireProof, storeProof } from "../state/metadata/completion-proofs.ts";

export const completeMultipartUpload = defineOperation({
  name: "CompleteMultipartUpload",
  actions: ["s3:PutObject"],
  route: { method: "POST", level: "object", query: ["uploadId"] },
  furtherActions: UPLOAD_ACTIONS.filter(({ action }) => action === "s3:GetObject"),
  // The checksum headers describe the object, not the document.
  inputs: joinInputs(WRITE_CONDITIONS, CUSTOMER_KEY, {
    headers: ["content-md5", "x-amz-checksum-*", "x-amz-mp-object-size", "x-amz-trailer"],
    body: "document",
  }),

  async read(request, { customerKeysOverHttp }) {
    const { bucket, key } = addressedObject(request.address);
    const uploadId = readUploadId(request.query);
    const customerKey = await readCustomerKey(request, customerKeysOverHttp);
    const location = originOf(request) + request.rawPath;
    return { bucketName: bucket, key, location, uploadId, conditions: readWriteConditions(request), customerKey };
  },

  lookUp: ({ bucketName, key, uploadId }) =>
    lookUpBoth(
      lookUpBoth(lookUpUpload(bucketName, key, uploadId), lookUpCompletion(bucketName, key, uploadId)),
      lookUpBoth(lookUpHeads(bucketName, [key]), lookUpParts(uploadId, 0, PART_MAX_NUMBER)),
    ),
  // A repeated completion has no upload any more, and its row records only whether the object is encrypted.
  conditionKeys: (_input, { upload, completed }) =>
    upload === undefined && completed !== undefined
      ? keysOfEncryption(completed.fingerprint.endsWith(ENCRYPTED))
      : keysOfUpload(upload),

  async run(context, input, { bucket, upload, completed, heads, parts }) {
    const { key, uploadId, conditions, customerKey } = input;
    const observedHead = heads.get(key) ?? NO_HEAD;
    requireUploadRights(context, bucket, key, { tags: [], conditions, current: observedHead.subject });
    const document = await readDocument(withoutChecksums(context.request), context.openBody());
    const listed = parseCompletion(document, uploadId);
    const fingerprint = await fingerprintOf(listed);
    if (upload === undefined) return repeatCompletion(context, completed, fingerprint, input, bucket);
    // The key is optional because a completion neither encrypts nor decrypts bytes.
    if (customerKey !== undefined) await checkPartKey(upload.encryption, customerKey);
    refuseBlockedAcl(bucket, upload.acl);
    checkCompletionConditions(conditions, key, upload.initialHead, observedHead.current, observedHead.versionId);
    const target = { key, observedHead, conditions };
    const assembled = await assembleObject(context, bucket, upload, listed, parts, customerKey);
    const outcome = await commitCompletion(context, bucket, upload, target, assembled, fingerprint);
    if (outcome.isDone) return finishCompletion(context, bucket, target, assembled, outcome);
    if (outcome.reason === "upload gone") return resolveLostRace(context, input, fingerprint, bucket);
    if (outcome.reason === "parts changed") throw new S3Error("InvalidPart", { UploadId: uploadId });
    throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
  },

  write: ({ etag, checksum, version, isEncrypted }, { bucketName, key, location, customerKey }): S3Response => ({
    status: 200,
    headers: { ...version, ...(isEncrypted && customerKey === undefined ? {} : encryptionHeaders(customerKey)) },
    body: element(
      "CompleteMultipartUploadResult",
      [
        element("Location", location),
        element("Bucket", bucketName),
        element("Key", key),
        element("ETag", quoteEtag(etag)),
        checksum === undefined ? undefined : element(checksumElement(checksum.algorithm), checksum.value),
        checksum === undefined ? undefined : element("ChecksumType", checksum.type),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

/** The suffix of a completion's fingerprint when a customer's key encrypts the object. */
const ENCRYPTED = " sse-c";

interface Completion {
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
  readonly version: Readonly<Record<string, string>>;
  /** Whether a customer's key encrypts the object. */
  readonly isEncrypted: boolean;
}

/** The upload that a request completes. */
interface CompletionAddress {
  readonly bucketName: string;
  readonly key: string;
  readonly uploadId: string;
  readonly customerKey: CustomerKey | undefined;
}

interface CompletionTarget {
  readonly key: string;
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
}

type AssembledObject = Awaited<ReturnType<typeof assembleObject>>;

/** Assembles the object from the listed parts. @throws S3Error of chooseParts and checkCompletionHeaders */
async function assembleObject(
  { request }: Context,
  bucket: Bucket,
  upload: Upload,
  listed: readonly ListedPart[],
  parts: readonly Part[],
  customerKey: CustomerKey | undefined,
) {
  const readable = await withReadableParts(request, upload, listed, parts, customerKey);
  const verified = chooseParts(upload, listed, new Map(readable.map((part) => [part.partNumber, part])));
  const size = verified.reduce((sum, part) => sum + part.size, 0);
  const checksum = await checksumOf(upload, verified);
  checkCompletionHeaders(request, upload, size, checksum);
  // The manifest stores the parts' checksums in their stored form.
  const stored = new Map(parts.map((part) => [part.partNumber, part]));
  const chosen = verified.map((part) => stored.get(part.partNumber) ?? part);
  const etag = await etagOfParts(chosen);
  const manifest = assemble(bucket.id, upload.uploadId, chosen);
  const { encryption } = upload;
  const encrypted =
    encryption === undefined || customerKey === undefined ? undefined : { key: customerKey, keyVerifier: encryption };
  const storedValue = await storedChecksum(checksum, encrypted);
  const content = { size, etag, checksum: storedValue, blobId: undefined, manifestId: manifest.manifestId };
  const object = completedObject(upload, content);
  return { chosen, manifest, checksum, object };
}

/**
 * The parts with readable checksums. Without the customer's key those of encrypted parts are unknown.
 * @throws S3Error InvalidRequest if a request without the key contains checksums to verify
 */
async function withReadableParts(
  request: S3Request,
  upload: Upload,
  listed: readonly ListedPart[],
  parts: readonly Part[],
  customerKey: CustomerKey | undefined,
): Promise<readonly Part[]> {
  const { encryption } = upload;
  if (encryption === undefined) return parts;
  if (customerKey !== undefined) {
    return (await withReadableChecksums({ encryption, checksum: undefined }, parts, customerKey)).parts;
  }
  if (listed.some(({ checksums }) => checksums.size > 0) || announcesChecksum(request)) {
    await checkReadKey(encryption, undefined);
  }
  return parts.map((part) =>
    part.checksum !== undefined && isSealed(part.checksum) ? { ...part, checksum: undefined } : part,
  );
}

/** Commits the object, its manifest, the record of the completion and the end of the upload in one batch. */
async function commitCompletion(
  { coordinators, now }: Context,
  bucket: Bucket,
  upload: Upload,
  target: CompletionTarget,
  { chosen, manifest, object }: AssembledObject,
  fingerprint: string,
): Promise<ChangeOutcome> {
  const { etag, checksum, encryption } = object;
  const storedFingerprint = encryption === undefined ? fingerprint : fingerprint + ENCRYPTED;
  const completion = { fingerprint: storedFingerprint, etag, checksum };
  const guardedParts = chosen.map((part) => [part.partNumber, part.referenceId, part.etag] as const);
  const partNumbers = chosen.map((part) => part.partNumber);
  return coordinators.put(bucket, {
    ...target,
    object,
    newBlobIds: [],
    before: [guardUpload(bucket.id, upload, guardedParts), ...insertManifest(manifest)],
    after: [recordCompletion(bucket.id, upload, completion, now), ...closeUpload(bucket.id, upload, partNumbers, now)],
    readKeys: [],
  });
}

/** Stores the proof of a committed completion before the response. @throws S3Error of requireProof */
async function finishCompletion(
  context: Context,
  bucket: Bucket,
  { key, observedHead }: CompletionTarget,
  { manifest, checksum, object }: AssembledObject,
  { versionId, isNullVersion, modifiedAt }: Extract<ChangeOutcome, { isDone: true }>,
): Promise<Completion> {
  // Without a version id, another version has already replaced this one, so there is nothing to prove.
  if (versionId !== undefined) {
    const committed = committedObject(object, bucket, { key, versionId, isNullVersion, modifiedAt });
    const stored = storeProof(context.blobs, bucket, { object: committed, ...manifest }, observedHead);
    // Storing continues when the client disconnects.
    context.waitUntil(stored.catch(() => undefined));
    await requireProof(stored);
  }
  const { size, etag, tags, encryption } = object;
  const expiration = expirationHeader(bucket.configurations.lifecycle, { key, size, tags, modifiedAt });
  const version = { ...versionHeaders(versionId, isNullVersion), ...expiration };
  return { etag, checksum, version, isEncrypted: encryption !== undefined };
}

/** Another request closed the upload during this one. If it was the same completion, its result applies here, too. */
async function resolveLostRace(
  context: Context,
  address: CompletionAddress,
  fingerprint: string,
  bucket: Bucket,
): Promise<Completion> {
  const { bucketName, key, uploadId } = address;
  const { completed } = await context.database.look(lookUpCompletion(bucketName, key, uploadId));
  return repeatCompletion(context, completed, fingerprint, address, bucket);
}

/** Returns the result of an earlier identical completion. @throws S3Error NoSuchUpload when there is none */
async function repeatCompletion(
  context: Context,
  completed: CompletedUpload | undefined,
  fingerprint: string,
  { key, uploadId, customerKey }: CompletionAddress,
  bucket: Bucket,
): Promise<Completion> {
  const isEncrypted = completed?.fingerprint === fingerprint + ENCRYPTED;
  if (completed === undefined || !(isEncrypted || completed.fingerprint === fingerprint)) {
    throw new S3Error("NoSuchUpload", { UploadId: uploadId });
  }
  await requireProof(storeMissingProof(context, bucket, key, uploadId));
  const { etag, versionId } = completed;
  const checksum = await readableChecksum(completed.checksum, customerKey);
  const version = versionHeaders(versionId, bucket.versioning === null || versionId === "null");
  return { etag, checksum, version, isEncrypted };
}

async function checksumOf(upload: Upload, chosen: readonly Part[]): Promise<ObjectChecksum | undefined> {
  const algorithm = upload.checksumAlgorithm ?? DEFAULT_ALGORITHM;
  const type = upload.checksumType ?? defaultType(algorithm);
  return checksumOfParts(algorithm, type, chosen);
}

async function fingerprintOf(listed: readonly ListedPart[]): Promise<string> {
  const text = listed.map(({ partNumber, etag }) => `${partNumber} ${etag}\n`).join("");
  return toHex(await digest("SHA-256", utf8(text)));
}
