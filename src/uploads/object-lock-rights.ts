// Authorizes what requests do with Object Lock: setting locks with an upload, seeing them in a read, and bypassing
// GOVERNANCE retentions.
import type { ObjectSubject } from "../auth/access/authorization-request.ts";
import type { Context } from "../contract/context.ts";
import type { FurtherAction } from "../contract/operation.ts";
import { invalidArgument, S3Error } from "../protocol/core/s3-error.ts";
import type { ChecksumAnnouncement } from "../protocol/core/checksums.ts";
import {
  BYPASS_HEADER,
  legalHoldHeaders,
  lockKeys,
  missingLockConfiguration,
  retentionHeaders,
  type ObjectLock,
} from "../protocol/objects/object-lock.ts";
import type { Bucket } from "../state/metadata/buckets.ts";

/** The actions without which a read does not show a version's lock. */
export const READ_LOCK_ACTIONS: readonly FurtherAction[] = [
  { action: "s3:GetObjectRetention", when: "to see the retention" },
  { action: "s3:GetObjectLegalHold", when: "to see the legal hold" },
];

/** The action that a bypass requires. */
export const BYPASS_ACTION: FurtherAction = {
  action: "s3:BypassGovernanceRetention",
  when: "with `x-amz-bypass-governance-retention: true`",
};

/**
 * Authorizes the lock that an upload requests.
 * @throws S3Error AccessDenied, InvalidRequest in a bucket without Object Lock
 */
export function requireLockRights({ access, inputs }: Context, bucket: Bucket, key: string, lock: ObjectLock): void {
  const { retention, legalHold } = lock;
  if (retention === undefined && legalHold === undefined) return;
  const on = { bucket, bucketName: bucket.name, key, inputs };
  if (retention !== undefined) access.requireAllowed({ ...on, actions: ["s3:PutObjectRetention"] });
  if (legalHold !== undefined) access.requireAllowed({ ...on, actions: ["s3:PutObjectLegalHold"] });
  requireObjectLock(bucket);
}

/** @throws S3Error InvalidRequest for a bucket without Object Lock */
export function requireObjectLock({ configurations }: Bucket): void {
  if (configurations.object_lock === null) throw missingLockConfiguration();
}

/** As in AWS, an upload that requests a lock needs a digest of its body. @throws S3Error InvalidRequest */
export function requireLockDigest(
  { retention, legalHold }: ObjectLock,
  { algorithm, contentMd5 }: ChecksumAnnouncement,
): void {
  if (retention === undefined && legalHold === undefined) return;
  if (algorithm !== undefined || contentMd5 !== undefined) return;
  const message =
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters";
  throw new S3Error("InvalidRequest", {}, message);
}

/** The version that a request reads or deletes. */
export interface LockedVersion {
  readonly bucket: Bucket;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly object: (ObjectSubject & ObjectLock) | undefined;
}

/** The headers that show a version's lock to a principal who may read it. */
export function visibleLockHeaders(
  { access }: Context,
  { bucket, key, versionId, object }: LockedVersion,
): Record<string, string> {
  if (object === undefined || (object.retention === undefined && object.legalHold === undefined)) return {};
  const on = { bucket, bucketName: bucket.name, key, versionId, object };
  const maySee = (action: string): boolean => access.allows({ ...on, actions: [action] });
  return {
    ...(object.retention !== undefined && maySee("s3:GetObjectRetention") ? retentionHeaders(object.retention) : {}),
    ...(object.legalHold !== undefined && maySee("s3:GetObjectLegalHold") ? legalHoldHeaders(object.legalHold) : {}),
  };
}

/**
 * Whether the principal may bypass the GOVERNANCE retention of a version.
 * @throws S3Error InvalidArgument in a bucket without Object Lock
 */
export function mayBypass({ access, now }: Context, { bucket, key, versionId, object }: LockedVersion): boolean {
  refuseUnlockedBypass(bucket);
  const conditionKeys = new Map(object === undefined ? [] : lockKeys(object, now));
  const on = { bucket, bucketName: bucket.name, key, versionId, object, conditionKeys };
  return access.allows({ ...on, actions: ["s3:BypassGovernanceRetention"] });
}

/** @throws S3Error AccessDenied, InvalidArgument in a bucket without Object Lock */
export function requireBypass(context: Context, version: LockedVersion): void {
  if (mayBypass(context, version)) return;
  const { bucket, key, versionId } = version;
  const on = { bucket, bucketName: bucket.name, key, versionId };
  context.access.requireAllowed({ ...on, actions: ["s3:BypassGovernanceRetention"] });
  throw new S3Error("AccessDenied");
}

/** @throws S3Error InvalidArgument: a bypass applies only to buckets with Object Lock */
export function refuseUnlockedBypass({ configurations }: Bucket): void {
  if (configurations.object_lock !== null) return;
  throw invalidArgument(BYPASS_HEADER, "true", `${BYPASS_HEADER} is only applicable to Object Lock enabled buckets.`);
}
