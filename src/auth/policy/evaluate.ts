// Whether a policy's statements apply to what is asked.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { matchesGlob } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";
import type { Effect, Patterns, Policy, PolicyCondition, PolicyStatement, PrincipalPattern } from "./policy.ts";
import { resolveGlob } from "./template.ts";

/** What is asked of a policy. */
export interface PolicyQuestion {
  readonly principal: Asker;
  /** The spellings of one action: what is said of any of them is said of it. */
  readonly actions: readonly string[];
  /** An ARN. */
  readonly resource: string;
  readonly keys: ConditionKeys;
}

/** Who asks. */
export interface Asker {
  readonly kind: "anonymous" | "root" | "user";
  readonly accountId: string;
  readonly arn: string;
  /** The ARN of the user that a session acts for. */
  readonly ownerArn: string;
}

/** The first statement of an effect that applies. */
export function matchingStatement(
  { statements }: Policy,
  effect: Effect,
  question: PolicyQuestion,
): PolicyStatement | undefined {
  return statements.find((statement) => statement.effect === effect && applies(statement, question));
}

function applies(statement: PolicyStatement, { principal, actions, resource, keys }: PolicyQuestion): boolean {
  return (
    isAbout(statement, principal) &&
    matchesAny(
      statement.action,
      actions.map((action) => action.toLowerCase()),
      keys,
    ) &&
    matchesAny(statement.resource, [resource], keys) &&
    statement.conditions.every((condition) => holds(condition, keys))
  );
}

function isAbout({ principal: pattern, effect }: PolicyStatement, asker: Asker): boolean {
  if (pattern === undefined) return true;
  if (!pattern.isNegated) return pattern.isEverybody || isNamed(pattern, asker) || isAccountNamed(pattern, asker);
  // An account that is excepted from a denial is only the account itself, as with AWS: its users are excepted by name.
  // Excepted from an allowance is whoever is in the account.
  return !isNamed(pattern, asker) && (effect === "Deny" || !isAccountNamed(pattern, asker));
}

function isNamed({ arns }: PrincipalPattern, { kind, arn, ownerArn }: Asker): boolean {
  return kind !== "anonymous" && (arns.includes(arn) || arns.includes(ownerArn));
}

function isAccountNamed({ arns }: PrincipalPattern, { kind, accountId }: Asker): boolean {
  return kind !== "anonymous" && arns.includes(`arn:aws:iam::${accountId}:root`);
}

function matchesAny({ patterns, isNegated }: Patterns, texts: readonly string[], keys: ConditionKeys): boolean {
  const isAnyMatched = patterns.some((pattern) => {
    const glob = resolveGlob(pattern, keys);
    return glob !== undefined && texts.some((text) => matchesGlob(glob, text));
  });
  return isAnyMatched !== isNegated;
}

function holds(condition: PolicyCondition, keys: ConditionKeys): boolean {
  const { operator, qualifier, isIfExists, isNegated, comparisons } = condition;
  const actual = keys(condition.key) ?? [];
  const isMissing = actual.length === 0;
  if (operator === "Null") return comparisons.some((comparison) => comparison(String(isMissing), keys));
  if (isMissing && isIfExists) return true;
  const test = (value: string): boolean => comparisons.some((comparison) => comparison(value, keys)) !== isNegated;
  switch (qualifier) {
    case "ForAllValues":
      return actual.every(test);
    case "ForAnyValue":
      return actual.some(test);
    default:
      // Of a missing key, nothing can be said but what it is not.
      return isNegated ? actual.every(test) : actual.some(test);
  }
}
