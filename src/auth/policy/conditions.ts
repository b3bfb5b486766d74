// Parses the Condition element: operators, keys and values. Rejects everything that it does not understand, because an
// ignored condition would widen access.
import { isStrings, type Json, type JsonObject } from "./json.ts";
import { foldTagKey } from "../../protocol/core/tagging.ts";
import { isConditionKey, TAG_KEY_LISTS } from "./keys.ts";
import { OPERATORS } from "./operators.ts";
import { parseTemplate, type Template } from "./template.ts";
import { PolicyProblem, type PolicyCondition, type Qualifier } from "./policy.ts";

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Parses a Condition element; an absent one has no conditions. @throws PolicyProblem */
export function parseConditions(value: Json | undefined, hasVariables: boolean): PolicyCondition[] {
  if (value === undefined) return [];
  return entriesOf(value).flatMap(([operator, keys]) => parseOperator(operator, keys, hasVariables));
}

function parseOperator(written: string, keys: Json, hasVariables: boolean): PolicyCondition[] {
  const [, prefix, operator = "", suffix] = OPERATOR.exec(written) ?? [];
  const known = OPERATORS.get(operator);
  // Null tests whether the key exists, so it takes no qualifier and no suffix.
  const isQualifiedNull = operator === "Null" && (prefix !== undefined || suffix !== undefined);
  if (known === undefined || isQualifiedNull) throw new PolicyProblem(`Invalid Condition type : ${written}`);
  const qualifier = qualifierOf(prefix);
  const entries = entriesOf(keys);
  if (entries.length === 0) throw new PolicyProblem("Missing required field condition key");
  return entries.map(([key, value]) => {
    if (!isConditionKey(key.toLowerCase())) throw new PolicyProblem("Policy has an invalid condition key", key);
    const values = parseValues(value);
    return {
      operator,
      qualifier,
      isIfExists: suffix !== undefined,
      key: key.toLowerCase(),
      values,
      isNegated: known.isNegated,
      comparisons: values.map((item) => {
        const comparison = known.read(TAG_KEY_LISTS.has(key.toLowerCase()) ? foldTagKey(item) : item, hasVariables);
        if (comparison === undefined) throw new PolicyProblem(`Invalid value for ${operator} in condition`);
        return comparison;
      }),
      variables: hasVariables ? values.flatMap(templateOf) : [],
    };
  });
}

/** The template of a value that contains variables. */
function templateOf(value: string): Template[] {
  const template = value.includes("${") ? parseTemplate(value, { hasVariables: true, hasWildcards: true }) : undefined;
  return template === undefined || template.glob !== undefined ? [] : [template];
}

function qualifierOf(prefix: string | undefined): Qualifier | undefined {
  return prefix === "ForAllValues" || prefix === "ForAnyValue" ? prefix : undefined;
}

/** Numbers and booleans may be written without quotes. */
function parseValues(value: Json): readonly string[] {
  const items: Json = Array.isArray(value) ? value.map(textOf) : [textOf(value)];
  if (!isStrings(items) || items.length === 0) throw new PolicyProblem("Policy has an invalid condition value");
  return items;
}

function textOf(value: Json): Json {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

function entriesOf(value: Json): [string, Json][] {
  if (!isObject(value)) throw new PolicyProblem("Policy has an invalid condition");
  return Array.from(value);
}

function isObject(value: Json): value is JsonObject {
  return value instanceof Map;
}
