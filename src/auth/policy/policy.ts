// A policy as it is evaluated: AWS's JSON language, parsed and checked when it was put.

/** A policy of a user, a session or a bucket. */
export interface Policy {
  /** `2012-10-17` has variables; `2008-10-17`, the default, has not. */
  readonly version: "2008-10-17" | "2012-10-17";
  readonly statements: readonly PolicyStatement[];
}

/** One statement: it applies where its principal, action, resource and every condition match. */
export interface PolicyStatement {
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  /** Undefined in the policies of users and sessions, which are about their holder. */
  readonly principal: PrincipalPattern | undefined;
  readonly action: Patterns;
  readonly resource: Patterns;
  readonly conditions: readonly PolicyCondition[];
}

/** Patterns of which one must match, or with `isNegated` none may. */
export interface Patterns {
  readonly patterns: readonly string[];
  readonly isNegated: boolean;
}

/** Whom a bucket's statement is about. */
export interface PrincipalPattern {
  readonly isNegated: boolean;
  readonly isEverybody: boolean;
  /** ARNs of users, sessions or accounts' roots. */
  readonly arns: readonly string[];
}

/** One key of one operator of a Condition element. */
export interface PolicyCondition {
  /** As AWS spells it, without qualifier and suffix: `StringLike`. */
  readonly operator: string;
  readonly qualifier: "ForAllValues" | "ForAnyValue" | undefined;
  readonly isIfExists: boolean;
  /** As it was written. Compared without regard to case. */
  readonly key: string;
  readonly values: readonly string[];
}
