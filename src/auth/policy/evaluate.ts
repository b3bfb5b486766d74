// Whether a policy's statements apply to what is asked.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { matchesGlob } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";
import { MatchText } from "./match-text.ts";
import { EvaluationCache } from "./evaluation-cache.ts";
import { foldTagKey } from "../../protocol/core/tagging.ts";
import { TAG_KEY_LISTS } from "./keys.ts";
import { isResolved, type Template, type Unresolved } from "./template.ts";
import type { Effect, Patterns, Policy, PolicyCondition, PolicyStatement, PrincipalPattern } from "./policy.ts";

/** What is asked of a policy. */
export interface PolicyQuestion {
  readonly principal: RequestPrincipal;
  /** The spellings of one action: what is said of any of them is said of it. */
  readonly actions: readonly string[];
  /** An ARN. */
  readonly resource: string;
  readonly keys: ConditionKeys;
  /** What is known already of the same principal's questions in the same request. */
  readonly memory?: EvaluationCache;
}

/** Who asks. */
export interface RequestPrincipal {
  readonly kind: "anonymous" | "root" | "user";
  readonly accountId: string;
  readonly arn: string;
  /** The ARN of the user that a session acts for. */
  readonly ownerArn: string;
  /** The ARN of the role that a session assumed. */
  readonly roleArn?: string | undefined;
}

/** The first statement of an effect that applies. */
export function matchingStatement(
  { statements }: Policy,
  effect: Effect,
  { principal, actions, resource, keys, memory = new EvaluationCache() }: PolicyQuestion,
): PolicyStatement | undefined {
  const names = actions.map((action) => action.toLowerCase());
  const asked = names.join(" ");
  const texts = names.map((name) => new MatchText(name));
  // What does not depend on the resource comes first, since it is the same for every key of a batch.
  return statements.find(
    (statement) =>
      statement.effect === effect &&
      memory.applies(
        statement,
        asked,
        keys,
        (read) =>
          isAbout(statement, principal) &&
          matchesAny(statement.action, texts, effect, read, memory) &&
          statement.conditions.every((condition) => holds(condition, effect, read, memory)),
      ) &&
      matchesAny(statement.resource, [memory.textOf(resource)], effect, keys, memory),
  );
}

/**
 * Whether a policy may allow something of what begins with a prefix, whatever its conditions: without such a statement
 * nothing is allowed.
 */
export function mayAllow(
  { statements }: Policy,
  { principal, actions, keys, memory = new EvaluationCache() }: Omit<PolicyQuestion, "resource">,
  resourcePrefix: string,
): boolean {
  const texts = actions.map((action) => new MatchText(action.toLowerCase()));
  return statements.some(
    (statement) =>
      statement.effect === "Allow" &&
      isAbout(statement, principal) &&
      matchesAny(statement.action, texts, "Allow", keys, memory) &&
      (statement.resource.isNegated || statement.resource.patterns.some((it) => mayBegin(it, resourcePrefix))),
  );
}

/** Whether a pattern may match something that begins with a prefix. */
function mayBegin({ glob }: Template, prefix: string): boolean {
  // What a variable stands for is not known here.
  if (glob === undefined) return true;
  const [[head = "", ...others] = [], ...pieces] = glob;
  const hasWildcard = others.length > 0 || pieces.length > 0;
  return head.startsWith(prefix) || (hasWildcard && prefix.startsWith(head));
}

function isAbout({ principal: pattern, effect }: PolicyStatement, requestPrincipal: RequestPrincipal): boolean {
  if (pattern === undefined) return true;
  if (!pattern.isNegated)
    return pattern.isEverybody || isNamed(pattern, requestPrincipal) || isAccountNamed(pattern, requestPrincipal);
  // An account that is excepted from a denial is only the account itself, as with AWS: its users are excepted by name.
  // Excepted from an allowance is whoever is in the account.
  return !isNamed(pattern, requestPrincipal) && (effect === "Deny" || !isAccountNamed(pattern, requestPrincipal));
}

function isNamed({ arns }: PrincipalPattern, { kind, arn, ownerArn, roleArn }: RequestPrincipal): boolean {
  if (kind === "anonymous") return false;
  return arns.includes(arn) || arns.includes(ownerArn) || (roleArn !== undefined && arns.includes(roleArn));
}

function isAccountNamed({ arns }: PrincipalPattern, { kind, accountId }: RequestPrincipal): boolean {
  return kind !== "anonymous" && arns.includes(`arn:aws:iam::${accountId}:root`);
}

/**
 * Whether one of the patterns matches, or with `isNegated` none. A variable without a value makes an Allow match less and
 * a Deny match more: its pattern fits nothing in an Allow and any value in a Deny. An Allow of all but such a pattern
 * applies to nothing, since nothing says what it leaves out.
 */
function matchesAny(
  { patterns, isNegated }: Patterns,
  texts: readonly MatchText[],
  effect: Effect,
  keys: ConditionKeys,
  memory: EvaluationCache,
): boolean {
  if (effect === "Allow" && isNegated && !patterns.every((pattern) => isResolved(pattern, keys))) return false;
  const unresolved = unresolvedOf(effect, isNegated);
  const isAnyMatched = patterns.some((pattern) => {
    const glob = memory.resolve(pattern, keys, unresolved);
    return glob !== undefined && texts.some((text) => matchesGlob(glob, text));
  });
  return isAnyMatched !== isNegated;
}

function unresolvedOf(effect: Effect, isNegated: boolean): Unresolved {
  return effect === "Deny" && !isNegated ? "anything" : "nothing";
}

/** Whether the values of an Allow's condition lack those of their variables that it takes to say that it holds. */
function isUndecidable({ isNegated, comparisons, variables }: PolicyCondition, keys: ConditionKeys): boolean {
  if (variables.length === 0) return false;
  const without = variables.filter((template) => !isResolved(template, keys)).length;
  return without === comparisons.length || (isNegated && without > 0);
}

function holds(condition: PolicyCondition, effect: Effect, keys: ConditionKeys, memory: EvaluationCache): boolean {
  const { operator, qualifier, isIfExists, isNegated, comparisons } = condition;
  const unresolved = unresolvedOf(effect, isNegated);
  const isTagKey = TAG_KEY_LISTS.has(condition.key);
  const actual = (keys(condition.key) ?? []).map((value) => new MatchText(isTagKey ? foldTagKey(value) : value));
  const isMissing = actual.length === 0;
  const isAnyLike = (value: MatchText): boolean => {
    const isLike = comparisons.some((comparison) => comparison(value, keys, unresolved));
    memory.spend(value.steps);
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
      // Of a missing key, nothing can be said but what it is not.
      return isNegated ? actual.every(test) : actual.some(test);
  }
}
