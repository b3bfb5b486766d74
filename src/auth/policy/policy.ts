// A policy in AWS's JSON language, parsed and checked.
import type { Comparison } from "./operators.ts";
import type { Template } from "./template.ts";

/** A policy of a user, a session or a bucket. */
export interface Policy {
  /** `2012-10-17` has variables; `2008-10-17`, the default, has none. */
  readonly version: PolicyVersion;
  readonly statements: readonly PolicyStatement[];
}

export type PolicyVersion = "2008-10-17" | "2012-10-17";

export type Effect = "Allow" | "Deny";

/** The kind of a policy, which decides what it may contain. */
export type PolicyKind =
  | {
      readonly of: "bucket";
      readonly bucketName: string;
      /** The 12-digit account that owns the bucket. */
      readonly accountId: string;
    }
  | { readonly of: "identity" }
  | { readonly of: "session" };

/** One statement: it applies where its principal, action, resource and every condition match. */
export interface PolicyStatement {
  readonly sid: string | undefined;
  readonly effect: Effect;
  /** Undefined in the policies of users and sessions, which apply to their owner. */
  readonly principal: PrincipalPattern | undefined;
  /** In lower case, because actions are case-insensitive. */
  readonly action: Patterns;
  readonly resource: Patterns;
  readonly conditions: readonly PolicyCondition[];
}

/** Patterns of which one must match; with `isNegated`, none may. */
export interface Patterns {
  readonly patterns: readonly Template[];
  readonly isNegated: boolean;
}

/** The principals that a bucket policy's statement applies to. */
export interface PrincipalPattern {
  readonly isNegated: boolean;
  readonly isWildcard: boolean;
  /** ARNs of users, sessions and account roots, and names of services, which never send requests here. */
  readonly arns: readonly string[];
}

/** One key of one operator of a Condition element. */
export interface PolicyCondition {
  /** AWS's name without qualifier and suffix: `StringLike`. */
  readonly operator: string;
  readonly qualifier: Qualifier | undefined;
  readonly isIfExists: boolean;
  /** In lower case, because condition keys are case-insensitive. */
  readonly key: string;
  /** As written in the policy. */
  readonly values: readonly string[];
  /** Whether the operator requires that no value matches. */
  readonly isNegated: boolean;
  /** The values, parsed for comparison. */
  readonly comparisons: readonly Comparison[];
  /** The values that contain variables. */
  readonly variables: readonly Template[];
}

export type Qualifier = "ForAllValues" | "ForAnyValue";

/** A rejected policy: the message is AWS's sentence, the detail the value that it refers to. */
export class PolicyProblem extends Error {
  readonly detail: string | undefined;

  constructor(message: string, detail?: string) {
    super(message);
    this.name = "PolicyProblem";
    this.detail = detail;
  }
}
