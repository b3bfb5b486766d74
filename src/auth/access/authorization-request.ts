// What is asked for when something is to be authorised: an action, and what it would be done to.
import type { OperationInputs } from "../../protocol/core/operation-inputs.ts";
import type { Tag } from "../../protocol/core/tagging.ts";

/** The parts of a bucket that bear on who may use it. */
export interface BucketSubject {
  readonly name: string;
  readonly ownerId: string;
  readonly region: string;
  /** The user who made it; null: root. */
  readonly creatorId: string | null;
  /** As texts; null where they are not set. */
  readonly configurations: {
    readonly tags: string | null;
    readonly policy: string | null;
    readonly acl: string | null;
    readonly ownership: string | null;
    readonly public_access_block: string | null;
  };
}

/** The parts of an object's version that bear on who may use it. */
export interface ObjectSubject {
  readonly tags: readonly Tag[];
  readonly acl: string | undefined;
}

/** One permission, asked for on one resource. */
export interface AuthorizationRequest {
  /** The spellings of the action: one that is allowed suffices, one that is denied refuses. S3's own comes first. */
  readonly actions: readonly string[];
  /** Further actions whose denial refuses, though nobody need be allowed them. */
  readonly explicitDenyActions?: readonly string[] | undefined;
  /** Undefined for what is asked of the account, and where the bucket is not there. */
  readonly bucket: BucketSubject | undefined;
  /** The name of the bucket, which need not be there. */
  readonly bucketName: string | undefined;
  /** Undefined for what is asked of the bucket itself. */
  readonly key?: string | undefined;
  /** Where it is not a parameter of the request that its operation obeys. */
  readonly versionId?: string | undefined;
  readonly object?: ObjectSubject | undefined;
  /** Whether the object that the demand is about is known not to be there. */
  readonly isMissing?: boolean | undefined;
  /** The inputs of the request that bear on what is asked for; where it is left out, none of them does. */
  readonly inputs?: OperationInputs | undefined;
  /** False for an s3:PutObject that begins an upload or adds a part to one. */
  readonly createsObject?: boolean | undefined;
  /** The ARN of what is neither a bucket nor in one: a user, a role. */
  readonly resource?: string | undefined;
  /** Condition keys that this demand has besides the request's, by lower-case name. */
  readonly conditionKeys?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** What policies call the thing that a demand is about. */
export function resourceOf({ resource, bucketName, key }: AuthorizationRequest): string {
  if (resource !== undefined) return resource;
  return `arn:aws:s3:::${bucketName ?? "*"}${key === undefined ? "" : `/${key}`}`;
}

/** A bucket's tags. */
export function bucketTags(bucket: BucketSubject | undefined): readonly Tag[] {
  const text = bucket?.configurations.tags ?? null;
  // What the bucket's tags are kept as: pairs of key and value.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? [] : (JSON.parse(text) as [string, string][]).map(([key, value]) => ({ key, value }));
}
