// A policy as it is evaluated: AWS's JSON language, parsed and checked when it was put.
import type { Comparison } from "./operators.ts";
import type { Template } from "./template.ts";

/** A policy of a user, a session or a bucket. */
export interface Policy {
  /** `2012-10-17` has variables; `2008-10-17`, the default, has not. */
  readonly version: PolicyVersion;
  readonly statements: readonly PolicyStatement[];
}

export type PolicyVersion = "2008-10-17" | "2012-10-17";

export type Effect = "Allow" | "Deny";

/** Whose policy it is, which decides what may stand in it. */
export type PolicyKind =
  | {
      readonly of: "bucket";
      readonly bucketName: string;
      /** The 12-digit account that the bucket belongs to. */
      readonly accountId: string;
    }
  | { readonly of: "identity" }
  | { readonly of: "session" };

/** One statement: it applies where its principal, action, resource and every condition match. */
export interface PolicyStatement {
  readonly sid: string | undefined;
  readonly effect: Effect;
  /** Undefined in the policies of users and sessions, which are about their holder. */
  readonly principal: PrincipalPattern | undefined;
  /** In lower case, as actions have no case. */
  readonly action: Patterns;
  readonly resource: Patterns;
  readonly conditions: readonly PolicyCondition[];
}

/** Patterns of which one must match, or with `isNegated` none may. */
export interface Patterns {
  readonly patterns: readonly Template[];
  readonly isNegated: boolean;
}

/** Whom a bucket's statement is about. */
export interface PrincipalPattern {
  readonly isNegated: boolean;
  readonly isEverybody: boolean;
  /** ARNs of users, sessions or accounts' roots, and the names of services, which never come here. */
  readonly arns: readonly string[];
}

/** One key of one operator of a Condition element. */
export interface PolicyCondition {
  /** As AWS spells it, without qualifier and suffix: `StringLike`. */
  readonly operator: string;
  readonly qualifier: Qualifier | undefined;
  readonly isIfExists: boolean;
  /** In lower case, as condition keys have no case. */
  readonly key: string;
  /** As they were written. */
  readonly values: readonly string[];
  /** Whether the operator asks that no value match. */
  readonly isNegated: boolean;
  /** The values, ready to be compared with. */
  readonly comparisons: readonly Comparison[];
  /** Those of the values that have variables. */
  readonly variables: readonly Template[];
}

export type Qualifier = "ForAllValues" | "ForAnyValue";

/** A policy that is refused; the message is the sentence that AWS says, the detail what it is said of. */
export class PolicyProblem extends Error {
  readonly detail: string | undefined;

  constructor(message: string, detail?: string) {
    super(message);
    this.name = "PolicyProblem";
    this.detail = detail;
  }
}
