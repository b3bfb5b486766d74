// An authorization request: actions, and the resource that they apply to.
import type { OperationInputs } from "../../protocol/core/operation-inputs.ts";
import { parseTags } from "../../protocol/core/stored-metadata.ts";
import type { Tag } from "../../protocol/core/tagging.ts";

/** The columns of a bucket that authorization depends on. */
export interface BucketSubject {
  readonly name: string;
  readonly ownerId: string;
  readonly region: string;
  /** The id of the user who created the bucket; null for root. */
  readonly creatorId: string | null;
  /** Stored texts; null where not set. */
  readonly configurations: {
    readonly tags: string | null;
    readonly policy: string | null;
    readonly acl: string | null;
    readonly ownership: string | null;
    readonly public_access_block: string | null;
  };
}

/** The fields of an object version that authorization depends on. */
export interface ObjectSubject {
  readonly tags: readonly Tag[];
  readonly acl: string | undefined;
}

/** One permission, requested on one resource. */
export interface AuthorizationRequest {
  /** Equivalent names of one action, S3's first. An Allow of any of them allows; a Deny of any of them denies. */
  readonly actions: readonly string[];
  /** Actions checked only for an explicit Deny; no Allow is required. */
  readonly explicitDenyActions?: readonly string[] | undefined;
  /** Undefined for actions on the account, and for a bucket that does not exist. */
  readonly bucket: BucketSubject | undefined;
  /** The bucket need not exist. */
  readonly bucketName: string | undefined;
  /** Undefined for actions on the bucket itself. */
  readonly key?: string | undefined;
  /** Set if the version id is not a query parameter that the operation obeys. */
  readonly versionId?: string | undefined;
  readonly object?: ObjectSubject | undefined;
  /** Whether the object is known not to exist. */
  readonly isMissing?: boolean | undefined;
  /** The inputs of the request that the operation obeys; none if omitted. */
  readonly inputs?: OperationInputs | undefined;
  /** False for an s3:PutObject that creates an upload or uploads a part. */
  readonly createsObject?: boolean | undefined;
  /** The ARN of a resource outside S3: a user or a role. */
  readonly resource?: string | undefined;
  /** Condition keys in addition to the request's, by lower-case name. */
  readonly conditionKeys?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** The ARN of the resource. */
export function resourceOf({ resource, bucketName, key }: AuthorizationRequest): string {
  if (resource !== undefined) return resource;
  return `arn:aws:s3:::${bucketName ?? "*"}${key === undefined ? "" : `/${key}`}`;
}

/** A bucket's tags. */
export function bucketTags(bucket: BucketSubject | undefined): readonly Tag[] {
  return parseTags(bucket?.configurations.tags ?? null);
}
