// PostObject: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
// An upload by an HTML form. Who sends it, what it is called and what it may be stand in the form before the file, so it
// is authenticated and authorised here, once they have been read and before the file is.
import { claimOfForm, verifyPostClaim, type PostClaim } from "../auth/sigv4/post-signature.ts";
import { PieceReader } from "../bytes/streams.ts";
import { admitUploadAcl } from "../uploads/acl-input.ts";
import type { Context, Identity } from "../contract/context.ts";
import { ONE_BODY_MAX_BYTES, type NewObject } from "../uploads/new-object.ts";
import { defineOperation } from "../contract/operation.ts";
import { requireUploadRights, UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { storeFormFile } from "../uploads/form-upload.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { addressedBucket, checkKey } from "../protocol/core/addressing.ts";
import { checksumHeaders, readChecksums } from "../protocol/core/checksums.ts";
import { readWriteConditions, refuseWrite } from "../protocol/objects/conditions.ts";
import { admitCustomerKey } from "../protocol/buckets/bucket-encryption.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { encryptionHeaders, readCustomerKey } from "../protocol/objects/customer-encryption.ts";
import { refuseEnvelopeHeaders } from "../protocol/core/envelope-headers.ts";
import { readBoundary } from "../protocol/forms/form-data.ts";
import { DelimitedReader, malformedForm } from "../protocol/forms/form-delimiter.ts";
import { FormFile, type SizeRange } from "../protocol/forms/form-file.ts";
import { readMetadata } from "../protocol/objects/object-metadata.ts";
import { FORM_UPLOAD, joinInputs, NO_COPY, NO_RENAME } from "../protocol/core/operation-inputs.ts";
import { answerPost } from "../protocol/forms/post-answer.ts";
import { readPostForm, type FormFields } from "../protocol/forms/post-form.ts";
import { checkPostPolicy } from "../protocol/forms/post-policy-check.ts";
import { parsePostPolicy } from "../protocol/forms/post-policy.ts";
import { requestOfForm } from "../protocol/forms/post-request.ts";
import { invalidArgument, S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { parseTaggingHeader, requestTagKeys, type Tag } from "../protocol/core/tagging.ts";
import { readStorageClass, refuseUnsupportedHeaders } from "../protocol/objects/upload-headers.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import { currentHeads, NO_HEAD } from "../state/commit/heads.ts";

const ANY_SIZE: SizeRange = { least: 0, most: Number.POSITIVE_INFINITY };

export const postObject = defineOperation({
  name: "PostObject",
  actions: ["s3:PutObject"],
  authorizes: "run",
  route: { method: "POST", level: "bucket" },
  inputs: joinInputs(FORM_UPLOAD, NO_COPY, NO_RENAME),
  furtherActions: UPLOAD_ACTIONS,

  read: (request) => ({
    bucketName: addressedBucket(request.address),
    boundary: readBoundary(request.headers.get("content-type")),
  }),

  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, { bucketName, boundary }, { bucket }) {
    refuseOtherSignature(context);
    const body = context.openBody();
    if (body.plain === undefined) throw malformedForm();
    const reader = new DelimitedReader(new PieceReader(body.plain), boundary);
    const fields = await readPostForm(reader);
    const key = fields.require("key");
    checkKey(key);
    const claim = claimOfForm(fields, context.now);
    const sender = claim === undefined ? context : await identify(context, claim);
    const range = claim === undefined ? ANY_SIZE : checkPolicy(claim, fields, bucketName, context.now);

    const upload = requestOfForm(context.request, fields);
    const asked = { ...context, ...sender, request: upload, access: sender.access.inForm(upload, claim) };
    const tags = parseTaggingHeader(requestHeader(upload, "x-amz-tagging"));
    asked.access.require({
      actions: ["s3:PutObject"],
      bucket,
      bucketName,
      key,
      inputs: context.inputs,
      conditionKeys: requestTagKeys(tags),
    });
    await refuseContradictions(upload, context.inputs);
    const object = await readObject(asked, bucket, key, tags);
    const announced = readChecksums(upload, []);
    const most = Math.min(range.most, ONE_BODY_MAX_BYTES);
    const file = new FormFile(reader, boundary, body.length, { least: range.least, most });
    const stored = await storeFormFile(asked, bucket, object, file, announced);
    const encryption = encryptionHeaders(object.encryption?.key);
    const posted = { bucketName, key, etag: stored.etag };
    return { stored, encryption, answer: answerPost(context.request, fields, claim !== undefined, posted) };
  },

  write: ({ stored, encryption, answer }) => ({
    ...answer,
    headers: {
      ...answer.headers,
      ...stored.version,
      ...stored.expiration,
      ...checksumHeaders(stored.checksum),
      ...encryption,
    },
  }),
});

/** @throws S3Error InvalidArgument for a request that is signed as forms are not */
function refuseOtherSignature({ request, principal }: Context): void {
  if (principal.kind === "anonymous") return;
  const message = "Only one auth mechanism allowed; a form is signed by its fields.";
  throw invalidArgument("Authorization", request.headers.get("authorization") ?? undefined, message);
}

/** Whose form it is, once its signature is verified. */
async function identify(context: Context, claim: PostClaim): Promise<Identity> {
  return context.identify(claim, async (secretAccessKey) => verifyPostClaim(claim, secretAccessKey));
}

function checkPolicy(claim: PostClaim, fields: FormFields, bucketName: string, now: number): SizeRange {
  return checkPostPolicy(parsePostPolicy(claim.policy), fields, bucketName, now);
}

/** What the form says of the object, and whether it may be put there. */
async function readObject(context: Context, bucket: Bucket, key: string, tags: readonly Tag[]): Promise<NewObject> {
  const { request, settings, database } = context;
  refuseUnsupportedHeaders(request);
  refuseEnvelopeHeaders(request, undefined);
  const metadata = readMetadata(request);
  const storageClass = readStorageClass(request);
  const wantedAcl = readAclHeaders(request, settings.accountId, "object");
  const conditions = readWriteConditions(request);
  const seen = (await database.look(currentHeads(bucket.id, [key]))).get(key) ?? NO_HEAD;
  requireUploadRights(context, bucket, key, { tags, conditions, current: seen.subject });
  const acl = admitUploadAcl(context, bucket, key, wantedAcl);
  const refusal = refuseWrite(conditions, key, seen.current, seen.current);
  if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
  const customerKey = await readCustomerKey(request, settings.customerKeysOverHttp);
  const encryption = await admitCustomerKey(bucket.configurations.encryption, customerKey);
  return { key, seen, conditions, metadata, tags, storageClass, acl, encryption };
}
