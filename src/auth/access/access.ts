// Decides what a principal may do in one request, and explains every refusal.
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { S3Request } from "../../protocol/core/s3-request.ts";
import type { SigningClaim } from "../sigv4/claim.ts";
import { conditionKeysOf, type RequestFacts } from "./condition-keys.ts";
import { decide, isExplicitlyDenied, isAllowPossible, type Decision } from "./decision.ts";
import { resourceOf, type BucketSubject, type AuthorizationRequest } from "./authorization-request.ts";
import { EvaluationCache } from "../policy/evaluation-cache.ts";
import type { Principal } from "../identity/principal.ts";

/** The actions that permit a caller to learn that a key or version does not exist, by error code. */
const LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["NoSuchKey", ["s3:ListBucket"]],
  ["NoSuchVersion", ["s3:ListBucketVersions", "s3:ListBucket"]],
]);

/** A principal's rights in one request. */
export class Access {
  readonly #principal: Principal;
  readonly #facts: RequestFacts;
  readonly #onDenial: (explanation: string) => void;
  readonly #cache = new EvaluationCache();

  /** @param onDenial receives the reason of every refusal, for the log */
  constructor(principal: Principal, facts: RequestFacts, onDenial: (explanation: string) => void) {
    this.#principal = principal;
    this.#facts = facts;
    this.#onDenial = onDenial;
  }

  /** The same principal's rights in a POST form, whose fields replace the request's headers. */
  forForm(request: S3Request, claim: SigningClaim | undefined): Access {
    return new Access(this.#principal, { ...this.#facts, request, claim }, this.#onDenial);
  }

  /** Whether an authorization request is allowed. */
  allows(authorization: AuthorizationRequest): boolean {
    return this.#decide(authorization).isAllowed;
  }

  /**
   * Requires that an authorization request is allowed.
   * @throws S3Error AccessDenied with the bucket's region, and with the reason if the caller may read the bucket policy
   */
  requireAllowed(authorization: AuthorizationRequest): void {
    const decision = this.#decide(authorization);
    if (decision.isAllowed) return;
    const explanation = this.#explain(authorization, decision);
    // The log must not contain keys.
    const { key } = authorization;
    this.#onDenial(key === undefined ? explanation : this.#explain({ ...authorization, key: "*" }, decision));
    throw accessDenied(authorization.bucket, this.#mayReadPolicy(authorization.bucket) ? explanation : undefined);
  }

  /**
   * Requires that no policy explicitly denies an action, where an Allow of another action already covers it.
   * @throws S3Error AccessDenied if a policy denies it
   */
  requireNotDenied(authorization: AuthorizationRequest): void {
    const keys = conditionKeysOf(this.#principal, authorization, this.#facts);
    if (isExplicitlyDenied(this.#principal, authorization, keys, this.#cache)) this.requireAllowed(authorization);
  }

  /**
   * Rejects a request that no statement and no ACL can allow, before its body is read.
   * @param authorization without a key if the body names the keys
   * @throws S3Error AccessDenied
   */
  requirePossibleAllow(authorization: AuthorizationRequest): void {
    const keys = conditionKeysOf(this.#principal, authorization, this.#facts);
    if (!isAllowPossible(this.#principal, authorization, keys, this.#cache)) this.requireAllowed(authorization);
  }

  /**
   * Replaces a not-found error by AccessDenied unless the caller may list the key. As in AWS, that takes s3:ListBucket
   * with `s3:prefix` set to the key.
   * @param key used if the error itself names none
   */
  maskNotFound(error: S3Error, bucket: BucketSubject, key: string): S3Error {
    const actions = LISTS.get(error.code);
    if (actions === undefined) return error;
    const conditionKeys = new Map([["s3:prefix", [String(error.fields["Key"] ?? key)]]]);
    if (this.allows({ actions, bucket, bucketName: bucket.name, conditionKeys })) return error;
    this.#onDenial(`the object does not exist, and ${this.#name()} may not list the bucket`);
    return accessDenied(bucket, undefined);
  }

  #decide(authorization: AuthorizationRequest): Decision {
    return decide(
      this.#principal,
      authorization,
      conditionKeysOf(this.#principal, authorization, this.#facts),
      this.#cache,
    );
  }

  #mayReadPolicy(bucket: BucketSubject | undefined): boolean {
    if (bucket === undefined) return false;
    return this.allows({ actions: ["s3:GetBucketPolicy"], bucket, bucketName: bucket.name });
  }

  #explain(authorization: AuthorizationRequest, { reason }: Decision): string {
    const [action = ""] = authorization.actions;
    return `User: ${this.#name()} is not authorized to perform: ${action} on resource: "${resourceOf(authorization)}" ${reason}`;
  }

  #name(): string {
    return this.#principal.kind === "anonymous" ? "anonymous" : this.#principal.arn;
  }
}

function accessDenied(bucket: BucketSubject | undefined, message: string | undefined): S3Error {
  const headers = bucket === undefined ? {} : { "x-amz-bucket-region": bucket.region };
  return new S3Error("AccessDenied", {}, message, headers);
}
