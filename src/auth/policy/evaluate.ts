// Evaluates a policy's statements for one action on one resource.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { matchesGlob } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";
import { MatchText } from "./match-text.ts";
import { EvaluationCache } from "./evaluation-cache.ts";
import { foldTagKey } from "../../protocol/core/tagging.ts";
import { TAG_KEY_LISTS } from "./keys.ts";
import { isResolved, type Template, type Unresolved } from "./template.ts";
import type { Effect, Patterns, Policy, PolicyCondition, PolicyStatement, PrincipalPattern } from "./policy.ts";

/** What a policy is evaluated for. */
export interface PolicyRequest {
  readonly principal: RequestPrincipal;
  /** Equivalent names of one action; a match of any of them counts. */
  readonly actions: readonly string[];
  /** An ARN. */
  readonly resource: string;
  readonly keys: ConditionKeys;
  /** Results for the same principal in the same HTTP request. */
  readonly cache?: EvaluationCache;
}

/** The fields of a principal that policies match. */
export interface RequestPrincipal {
  readonly kind: "anonymous" | "root" | "user";
  readonly accountId: string;
  readonly arn: string;
  /** The ARN of the user or root, also in their sessions. */
  readonly ownerArn: string;
  /** The ARN of the role that a session assumed. */
  readonly roleArn?: string | undefined;
}

/** The first statement of an effect that applies. */
export function matchingStatement(
  { statements }: Policy,
  effect: Effect,
  { principal, actions, resource, keys, cache = new EvaluationCache() }: PolicyRequest,
): PolicyStatement | undefined {
  const names = actions.map((action) => action.toLowerCase());
  const requestedActions = names.join(" ");
  const texts = names.map((name) => new MatchText(name));
  // The parts that do not depend on the resource come first, because all keys of a batch share their result.
  return statements.find(
    (statement) =>
      statement.effect === effect &&
      cache.applies(
        statement,
        requestedActions,
        keys,
        (read) =>
          matchesPrincipal(statement, principal) &&
          matchesAny(statement.action, texts, effect, read, cache) &&
          statement.conditions.every((condition) => conditionHolds(condition, effect, read, cache)),
      ) &&
      matchesAny(statement.resource, [cache.textOf(resource)], effect, keys, cache),
  );
}

/** Whether a policy may allow the action on a resource that begins with a prefix, under any conditions. */
export function mayAllow(
  { statements }: Policy,
  { principal, actions, keys, cache = new EvaluationCache() }: Omit<PolicyRequest, "resource">,
  resourcePrefix: string,
): boolean {
  const texts = actions.map((action) => new MatchText(action.toLowerCase()));
  return statements.some(
    (statement) =>
      statement.effect === "Allow" &&
      matchesPrincipal(statement, principal) &&
      matchesAny(statement.action, texts, "Allow", keys, cache) &&
      (statement.resource.isNegated || statement.resource.patterns.some((it) => mayMatchPrefix(it, resourcePrefix))),
  );
}

/** Whether a pattern may match a text that begins with a prefix. */
function mayMatchPrefix({ glob }: Template, prefix: string): boolean {
  // The variable's value is not known here.
  if (glob === undefined) return true;
  const [[head = "", ...others] = [], ...pieces] = glob;
  const hasWildcard = others.length > 0 || pieces.length > 0;
  return head.startsWith(prefix) || (hasWildcard && prefix.startsWith(head));
}

function matchesPrincipal(
  { principal: pattern, effect }: PolicyStatement,
  requestPrincipal: RequestPrincipal,
): boolean {
  if (pattern === undefined) return true;
  if (!pattern.isNegated)
    return pattern.isWildcard || isArnListed(pattern, requestPrincipal) || isAccountListed(pattern, requestPrincipal);
  // In a NotPrincipal Deny, an account's ARN excepts only its root, as in AWS; users are excepted by name. In a
  // NotPrincipal Allow, it excepts every principal of the account.
  return !isArnListed(pattern, requestPrincipal) && (effect === "Deny" || !isAccountListed(pattern, requestPrincipal));
}

function isArnListed({ arns }: PrincipalPattern, { kind, arn, ownerArn, roleArn }: RequestPrincipal): boolean {
  if (kind === "anonymous") return false;
  return arns.includes(arn) || arns.includes(ownerArn) || (roleArn !== undefined && arns.includes(roleArn));
}

function isAccountListed({ arns }: PrincipalPattern, { kind, accountId }: RequestPrincipal): boolean {
  return kind !== "anonymous" && arns.includes(`arn:aws:iam::${accountId}:root`);
}

/**
 * Whether any of the patterns matches, or with `isNegated` none. A variable without a value makes an Allow match less
 * and a Deny match more: its pattern matches nothing in an Allow and everything in a Deny. An Allow with exceptions
 * does not apply if one of their variables has no value, because the exceptions are then unknown.
 */
function matchesAny(
  { patterns, isNegated }: Patterns,
  texts: readonly MatchText[],
  effect: Effect,
  keys: ConditionKeys,
  cache: EvaluationCache,
): boolean {
  if (effect === "Allow" && isNegated && !patterns.every((pattern) => isResolved(pattern, keys))) return false;
  const unresolved = unresolvedOf(effect, isNegated);
  const isAnyMatched = patterns.some((pattern) => {
    const glob = cache.resolve(pattern, keys, unresolved);
    return glob !== undefined && texts.some((text) => matchesGlob(glob, text));
  });
  return isAnyMatched !== isNegated;
}

function unresolvedOf(effect: Effect, isNegated: boolean): Unresolved {
  return effect === "Deny" && !isNegated ? "anything" : "nothing";
}

/** Whether an Allow's condition cannot be decided, because variables in its values have no value. */
function isUndecidable({ isNegated, comparisons, variables }: PolicyCondition, keys: ConditionKeys): boolean {
  if (variables.length === 0) return false;
  const without = variables.filter((template) => !isResolved(template, keys)).length;
  return without === comparisons.length || (isNegated && without > 0);
}

function conditionHolds(
  condition: PolicyCondition,
  effect: Effect,
  keys: ConditionKeys,
  cache: EvaluationCache,
): boolean {
  const { operator, qualifier, isIfExists, isNegated, comparisons } = condition;
  const unresolved = unresolvedOf(effect, isNegated);
  const isTagKey = TAG_KEY_LISTS.has(condition.key);
  const actual = (keys(condition.key) ?? []).map((value) => new MatchText(isTagKey ? foldTagKey(value) : value));
  const isMissing = actual.length === 0;
  const isAnyLike = (value: MatchText): boolean => {
    const isLike = comparisons.some((comparison) => comparison(value, keys, unresolved));
    cache.spend(value.steps);
    return isLike;
  };
  if (operator === "Null") return isAnyLike(new MatchText(String(isMissing)));
  if (effect === "Allow" && isUndecidable(condition, keys)) return false;
  if (isMissing && isIfExists) return true;
  const test = (value: MatchText): boolean => isAnyLike(value) !== isNegated;
  switch (qualifier) {
    case "ForAllValues":
      return actual.every(test);
    case "ForAnyValue":
      return actual.some(test);
    default:
      // A missing key satisfies only negated operators.
      return isNegated ? actual.every(test) : actual.some(test);
  }
}
