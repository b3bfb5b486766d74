// The condition operators: how each parses the values of a policy and compares a request's values with them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
import { parseIsoDate } from "../../bytes/dates.ts";
import { matchesGlob } from "./glob.ts";
import { isInRange, parseIpRange } from "./ip-range.ts";
import type { ConditionKeys } from "./keys.ts";
import type { MatchText } from "./match-text.ts";
import {
  isResolved,
  parseTemplate,
  resolveGlob,
  resolveText,
  splitTemplate,
  type Template,
  type Unresolved,
} from "./template.ts";

/**
 * Whether a request's value matches a condition's value.
 * @param unresolved what a variable without a value matches
 */
export type Comparison = (actual: MatchText, keys: ConditionKeys, unresolved: Unresolved) => boolean;

/** Parses a value of an operator; undefined if the value is invalid for it. */
type Reader = (value: string, hasVariables: boolean) => Comparison | undefined;

export interface Operator {
  /** Whether the operator holds if the comparison does not. */
  readonly isNegated: boolean;
  readonly read: Reader;
}

/** A relation of a request's number to a condition's number. */
type Relation = (actual: number, value: number) => boolean;

const isSame: Relation = (actual, value) => actual === value;

const RELATIONS: readonly (readonly [string, Relation])[] = [
  ["Equals", isSame],
  ["LessThan", (actual, value) => actual < value],
  ["LessThanEquals", (actual, value) => actual <= value],
  ["GreaterThan", (actual, value) => actual > value],
  ["GreaterThanEquals", (actual, value) => actual >= value],
];

const ARN_PARTS = 6;

/** The operators by name, without qualifier and suffix. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...withNegation("StringEquals", "StringNotEquals", readText),
  ...withNegation("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", readTextIgnoringCase),
  ...withNegation("StringLike", "StringNotLike", readPattern),
  ...withNegation("ArnEquals", "ArnNotEquals", readArn),
  ...withNegation("ArnLike", "ArnNotLike", readArn),
  ...withNegation("IpAddress", "NotIpAddress", readRange),
  ...ordered("Numeric", parseNumber),
  ...ordered("Date", parseDate),
  one("Bool", readBoolean),
  one("BinaryEquals", readBinary),
  // The evaluation tests for the key itself; the value must still be `true` or `false`.
  one("Null", readBoolean),
]);

function one(name: string, read: Reader, isNegated = false): [string, Operator] {
  return [name, { isNegated, read }];
}

function withNegation(name: string, negatedName: string, read: Reader): [string, Operator][] {
  return [one(name, read), one(negatedName, read, true)];
}

function ordered(type: string, parse: (text: string) => number | undefined): [string, Operator][] {
  const reader =
    (holds: Relation): Reader =>
    (written) => {
      const value = parse(written);
      if (value === undefined) return undefined;
      return ({ text }) => {
        const actual = parse(text);
        return actual !== undefined && holds(actual, value);
      };
    };
  return [
    ...RELATIONS.map(([relation, holds]) => one(`${type}${relation}`, reader(holds))),
    one(`${type}NotEquals`, reader(isSame), true),
  ];
}

function readText(value: string, hasVariables: boolean): Comparison | undefined {
  const template = parseTemplate(value, { hasVariables, hasWildcards: false });
  return (
    template &&
    ((actual, keys, unresolved) =>
      isResolved(template, keys)
        ? resolveText(template, keys) === actual.text
        : matchesResolved(template, actual, keys, unresolved))
  );
}

function readTextIgnoringCase(value: string, hasVariables: boolean): Comparison | undefined {
  const template = parseTemplate(value, { hasVariables, hasWildcards: false });
  return (
    template &&
    (({ lowerCase }, keys, unresolved) => {
      if (!isResolved(template, keys)) return unresolved === "anything";
      const value = resolveText(template, keys);
      // Lower-casing never shortens a text.
      return value !== undefined && value.length <= lowerCase.length && value.toLowerCase() === lowerCase;
    })
  );
}

function readPattern(value: string, hasVariables: boolean): Comparison | undefined {
  const template = parseTemplate(value, { hasVariables, hasWildcards: true });
  return template && ((actual, keys, unresolved) => matchesResolved(template, actual, keys, unresolved));
}

function matchesResolved(template: Template, actual: MatchText, keys: ConditionKeys, unresolved: Unresolved): boolean {
  const glob = resolveGlob(template, keys, actual.text.length, unresolved);
  return glob !== undefined && matchesGlob(glob, actual);
}

/** Compares each of an ARN's six parts by itself, so that a wildcard in one cannot match into the next. */
function readArn(value: string, hasVariables: boolean): Comparison | undefined {
  const template = parseTemplate(value, { hasVariables, hasWildcards: true });
  const parts = template === undefined ? [] : splitTemplate(template, ARN_PARTS);
  if (parts.length !== ARN_PARTS || !value.startsWith("arn:")) return undefined;
  return (actual, keys, unresolved) => {
    const pieces = actual.parts(ARN_PARTS);
    if (pieces.length !== ARN_PARTS) return false;
    return parts.every((part, index) => {
      const glob = resolveGlob(part, keys, actual.text.length, unresolved);
      const piece = pieces[index];
      return glob !== undefined && piece !== undefined && matchesGlob(glob, piece);
    });
  };
}

function readRange(value: string): Comparison | undefined {
  const range = parseIpRange(value);
  return range && (({ text }) => isInRange(range, text));
}

function readBoolean(value: string): Comparison | undefined {
  const wanted = value.toLowerCase();
  return wanted === "true" || wanted === "false" ? ({ lowerCase }) => lowerCase === wanted : undefined;
}

function readBinary(value: string): Comparison | undefined {
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
  return isBase64 ? ({ text }) => text === value : undefined;
}

function parseNumber(text: string): number | undefined {
  return /^[+-]?\d{1,300}(?:\.\d{1,300})?$/.test(text) ? Number(text) : undefined;
}

const W3C_DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?)?)?$/;

/**
 * Parses a date in W3C's profile of ISO 8601, from a year alone to fractions of a second, or whole seconds since the
 * epoch.
 * @returns milliseconds since the epoch
 */
function parseDate(text: string): number | undefined {
  const match = W3C_DATE.exec(text);
  if (match === null) return /^\d{1,12}$/.test(text) ? Number(text) * 1000 : undefined;
  const [, year = "", month = "01", day = "01", time = "00:00", second = "00", fraction = "", zone = "Z"] = match;
  const moment = parseIsoDate(`${year}-${month}-${day}T${time}:${second}${fraction}Z`);
  if (moment === undefined || zone === "Z") return moment;
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  if (hours > 23 || minutes > 59) return undefined;
  const offset = (hours * 60 + minutes) * 60_000;
  return zone.startsWith("-") ? moment + offset : moment - offset;
}
