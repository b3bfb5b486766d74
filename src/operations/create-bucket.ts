// CreateBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
import { randomDigits } from "../bytes/random-id.ts";
import { ownerOf } from "../auth/identity/principal.ts";
import { checkNewBucketAcl } from "../uploads/acl-input.ts";
import type { Context } from "../contract/context.ts";
import { defineServiceOperation } from "../contract/operation.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { checkNewBucketName } from "../protocol/core/bucket-name.ts";
import {
  parseNewBucketConfiguration,
  readNewObjectLock,
  type NewBucketConfiguration,
} from "../protocol/buckets/bucket-configuration.ts";
import { objectLockText } from "../protocol/objects/object-lock-configuration.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { joinInputs, DOCUMENT, ACL_HEADERS } from "../protocol/core/operation-inputs.ts";
import { readObjectOwnership } from "../protocol/acl/ownership-controls.ts";
import { invalidArgument, S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { createBucketIn, type Creation } from "../state/writes/bucket-creation.ts";
import { deleteLockRecords, storeBucketLock } from "../state/metadata/lock-records.ts";
import { NO_CONFIGURATIONS, type Bucket } from "../state/metadata/buckets.ts";
import { resourceTagKeys } from "../protocol/core/tagging.ts";
import { tagsJson } from "../protocol/core/stored-metadata.ts";

/** Cairn's own header: the binding of the database that holds the new bucket. Without it, the emptiest one does. */
const DATABASE_HEADER = "x-cairn-database";

/** 80 random bits, so that a bucket that is created again shares nothing with the deleted one. */
const BUCKET_ID_DIGITS = 16;

export const createBucket = defineServiceOperation({
  name: "CreateBucket",
  actions: ["s3:CreateBucket"],
  authorizes: "run",
  furtherActions: [
    { action: "s3:PutBucketOwnershipControls", when: "with `x-amz-object-ownership`" },
    { action: "s3:TagResource", when: "with tags (or `s3:PutBucketTagging`)" },
    { action: "s3:PutBucketObjectLockConfiguration", when: "with Object Lock" },
    { action: "s3:PutBucketVersioning", when: "with Object Lock" },
    { action: "s3:PutBucketAcl", when: "with an access control list that grants access to others" },
  ],
  route: { method: "PUT", level: "bucket" },
  inputs: joinInputs(DOCUMENT, ACL_HEADERS, {
    headers: ["x-amz-object-ownership", "x-amz-bucket-object-lock-enabled", DATABASE_HEADER],
  }),

  read(request, settings) {
    const name = addressedBucket(request.address);
    checkNewBucketName(name, settings);
    const acl = readAclHeaders(request, settings.accountId, "bucket");
    const database = requestHeader(request, DATABASE_HEADER);
    const hasObjectLock = readNewObjectLock(request);
    return { name, acl, ownership: readObjectOwnership(request), database, hasObjectLock };
  },

  async run(context, { name, acl, ownership, database, hasObjectLock }) {
    const { locationConstraint, tags } = await readAuthorizedConfiguration(context, name);
    if (hasObjectLock) requireObjectLockRights(context, name);
    if (database !== undefined && context.databases.find(database) === undefined) {
      const names = context.databases.all.map((one) => one.name).join(", ");
      throw invalidArgument(DATABASE_HEADER, database, `The databases of this deployment are ${names}.`);
    }
    const bucket: Bucket = {
      name,
      id: randomDigits(BUCKET_ID_DIGITS),
      ownerId: ownerOf(context.principal),
      region: locationConstraint ?? context.settings.region,
      createdAt: context.now,
      versioning: hasObjectLock ? "Enabled" : null,
      cors: [],
      creatorId: context.principal.creatorId ?? null,
      configurations: {
        ...NO_CONFIGURATIONS,
        ...checkNewBucketAcl(context, name, acl, ownership),
        tags: tags.length === 0 ? null : tagsJson(tags),
        object_lock: hasObjectLock ? objectLockText({ defaultRetention: undefined }) : null,
      },
      snapshotFloor: null,
      deliveryEpoch: 0,
    };
    const { object_lock: objectLock } = bucket.configurations;
    if (objectLock !== null) await storeBucketLock(context.blobs, bucket.id, objectLock);
    const creation = await createBucketIn(context.databases, bucket, database);
    if ("failure" in creation) throw failureOf(creation.failure, name);
    const existing = creation.bucket;
    if (existing.id === bucket.id) return { name };
    if (objectLock !== null) context.waitUntil(deleteLockRecords(context.blobs, bucket.id).catch(() => undefined));
    refuseExisting(bucket, existing, locationConstraint);
    return { name };
  },

  write: ({ name }) => ({ status: 200, headers: { location: `/${name}` } }),
});

/**
 * Reads the body's configuration and authorizes the creation with it.
 * @throws S3Error AccessDenied, IllegalLocationConstraintException
 */
async function readAuthorizedConfiguration(context: Context, bucketName: string): Promise<NewBucketConfiguration> {
  const { access, inputs, request, settings } = context;
  const authorization = { actions: ["s3:CreateBucket"], bucket: undefined, bucketName, inputs };
  access.requirePossibleAllow(authorization);
  const configuration = parseNewBucketConfiguration(await readDocument(request, context.openBody()));
  const { locationConstraint: constraint, tags } = configuration;
  access.requireAllowed({
    ...authorization,
    conditionKeys: new Map([
      ["aws:requestedregion", [constraint ?? settings.region]],
      ...resourceTagKeys(tags),
      ...(constraint === undefined ? [] : [["s3:locationconstraint", [constraint]] as const]),
    ]),
  });
  await refuseContradictions(request, inputs);
  if (tags.length > 0) {
    const actions = ["s3:TagResource", "s3:PutBucketTagging"];
    access.requireAllowed({ ...authorization, actions, conditionKeys: resourceTagKeys(tags) });
  }
  if (constraint === undefined && settings.requireLocationConstraint) {
    throw new S3Error("IllegalLocationConstraintException");
  }
  return configuration;
}

/** Authorizes a creation with Object Lock, which also enables versioning. @throws S3Error AccessDenied */
function requireObjectLockRights({ access, inputs }: Context, bucketName: string): void {
  for (const action of ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]) {
    access.requireAllowed({ actions: [action], bucket: undefined, bucketName, inputs });
  }
}

/**
 * Accepts an existing bucket only if the principal owns it and the request has no LocationConstraint, as in us-east-1,
 * and if it has Object Lock where the request asks for it.
 * @throws S3Error BucketAlreadyOwnedByYou, BucketAlreadyExists
 */
function refuseExisting(bucket: Bucket, existing: Bucket, locationConstraint: string | undefined): void {
  const isOwn =
    existing.ownerId === bucket.ownerId && (bucket.creatorId === null || existing.creatorId === bucket.creatorId);
  const lacksObjectLock = bucket.configurations.object_lock !== null && existing.configurations.object_lock === null;
  if (isOwn && locationConstraint === undefined && !lacksObjectLock) return;
  throw new S3Error(isOwn ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists", { BucketName: bucket.name });
}

/** The error for a bucket that could not be created. */
function failureOf(failure: Extract<Creation, { failure: unknown }>["failure"], bucketName: string): S3Error {
  if (failure === "database full") return new S3Error("InsufficientStorage");
  // Only a deployment that has lost the binding of the bucket's database answers this.
  if (failure === "name taken") return new S3Error("BucketAlreadyExists", { BucketName: bucketName });
  return new S3Error("SlowDown");
}
