// Whether a principal may do what a request asks for: the one decision that every operation goes through.
import { S3Error } from "../protocol/s3-error.ts";
import type { Principal } from "./principal.ts";

/** What a demand is made on: the parts of a bucket that bear on who may use it. */
export interface BucketSubject {
  readonly name: string;
  readonly ownerId: string;
  readonly region: string;
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
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly acl: string | undefined;
}

/** One permission, asked for on one resource. */
export interface Demand {
  /** The spellings of the action: one that is allowed suffices, one that is denied refuses. */
  readonly actions: readonly string[];
  /** Undefined for what is asked of the account. */
  readonly bucket: BucketSubject | undefined;
  /** The name of the bucket, which need not be there. */
  readonly bucketName: string | undefined;
  /** Undefined for what is asked of the bucket itself. */
  readonly key?: string | undefined;
  readonly object?: ObjectSubject | undefined;
  /** Condition keys that this demand has besides the request's, by lower-case name. */
  readonly conditionKeys?: Readonly<Record<string, readonly string[]>>;
}

/** What a principal may do. */
export class Access {
  readonly #principal: Principal;

  constructor(principal: Principal) {
    this.#principal = principal;
  }

  /** Whether a demand is granted. */
  allows(_demand: Demand): boolean {
    return this.#principal.kind === "root";
  }

  /** @throws S3Error AccessDenied, which names the bucket's region: S3 tells it to everybody */
  require(demand: Demand): void {
    if (this.allows(demand)) return;
    const { bucket } = demand;
    const headers = bucket === undefined ? {} : { "x-amz-bucket-region": bucket.region };
    throw new S3Error("AccessDenied", {}, undefined, headers);
  }
}
