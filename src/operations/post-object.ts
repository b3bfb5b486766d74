// PostObject: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
// An upload by an HTML form. Credentials, key and policy are form fields before the file, so `run` authenticates and
// authorizes the request between the fields and the file.
import { claimOfForm, verifyPostClaim, type PostClaim } from "../auth/sigv4/post-signature.ts";
import { PieceReader } from "../bytes/streams.ts";
import type { Context, Identity } from "../contract/context.ts";
import { ONE_BODY_MAX_BYTES, type NewObject } from "../uploads/new-object.ts";
import { defineOperation } from "../contract/operation.ts";
import { checkUpload, readUploadHeaders, type UploadHeaders } from "../uploads/upload-input.ts";
import { UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { storeFormFile } from "../uploads/form-upload.ts";
import { addressedBucket, checkKey } from "../protocol/core/addressing.ts";
import { checksumHeaders, readChecksums } from "../protocol/core/checksums.ts";
import { readWriteConditions } from "../protocol/objects/conditions.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { encryptionHeaders } from "../protocol/objects/customer-encryption.ts";
import { refuseEnvelopeHeaders } from "../protocol/core/envelope-headers.ts";
import { readBoundary } from "../protocol/forms/form-data.ts";
import { DelimitedReader, malformedForm } from "../protocol/forms/form-delimiter.ts";
import { FormFile, type SizeRange } from "../protocol/forms/form-file.ts";
import { FORM_UPLOAD, joinInputs, NO_COPY, NO_RENAME } from "../protocol/core/operation-inputs.ts";
import { makePostResponse } from "../protocol/forms/post-response.ts";
import { readPostForm, type FormFields } from "../protocol/forms/post-form.ts";
import { checkPostPolicy } from "../protocol/forms/post-policy-check.ts";
import { parsePostPolicy } from "../protocol/forms/post-policy.ts";
import { requestFromForm } from "../protocol/forms/post-request.ts";
import { invalidArgument } from "../protocol/core/s3-error.ts";
import { requestTagKeys } from "../protocol/core/tagging.ts";
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

    const upload = requestFromForm(context.request, fields);
    const formContext = { ...context, ...sender, request: upload, access: sender.access.forForm(upload, claim) };
    const described = await readUploadHeaders(upload, context.settings);
    formContext.access.requireAllowed({
      actions: ["s3:PutObject"],
      bucket,
      bucketName,
      key,
      inputs: context.inputs,
      conditionKeys: requestTagKeys(described.tags),
    });
    await refuseContradictions(upload, context.inputs);
    const object = await readObject(formContext, bucket, key, described);
    const announced = readChecksums(upload, []);
    const most = Math.min(range.most, ONE_BODY_MAX_BYTES);
    const file = new FormFile(reader, boundary, body.length, { least: range.least, most });
    const stored = await storeFormFile(formContext, bucket, object, file, announced);
    const encryption = encryptionHeaders(object.encryption?.key);
    const posted = { bucketName, key, etag: stored.etag };
    return { stored, encryption, answer: makePostResponse(context.request, fields, claim !== undefined, posted) };
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

/** @throws S3Error InvalidArgument for a request with a signature outside its form */
function refuseOtherSignature({ request, principal }: Context): void {
  if (principal.kind === "anonymous") return;
  const message = "Only one auth mechanism allowed; a form is signed by its fields.";
  throw invalidArgument("Authorization", request.headers.get("authorization") ?? undefined, message);
}

/** Verifies the form's signature and returns the identity of its credentials. */
async function identify(context: Context, claim: PostClaim): Promise<Identity> {
  return context.identify(claim, async (secretAccessKey) => verifyPostClaim(claim, secretAccessKey));
}

function checkPolicy(claim: PostClaim, fields: FormFields, bucketName: string, now: number): SizeRange {
  return checkPostPolicy(parsePostPolicy(claim.policy), fields, bucketName, now);
}

/** Builds the new object from a form's fields after checking the upload. */
async function readObject(context: Context, bucket: Bucket, key: string, fields: UploadHeaders): Promise<NewObject> {
  const { request, database } = context;
  refuseEnvelopeHeaders(request, undefined);
  const { metadata, tags, storageClass } = fields;
  const conditions = readWriteConditions(request);
  const head = (await database.look(currentHeads(bucket.id, [key]))).get(key) ?? NO_HEAD;
  const checked = await checkUpload(context, bucket, { key, ...fields, conditions, head });
  return { key, observedHead: head, conditions, metadata, tags, storageClass, ...checked };
}
