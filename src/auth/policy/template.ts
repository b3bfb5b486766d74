// The texts of resources and condition values, with wildcards and variables. A variable's value is literal text: a `*`
// or `${…}` in it has no special meaning.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
import { globOf, NO_TEXT, type Glob, type Wildcard } from "./glob.ts";
import { isConditionKey, type ConditionKeys } from "./keys.ts";
import { splitAtColons } from "./match-text.ts";

interface TextPart {
  readonly text: string;
}

interface WildcardPart {
  readonly wildcard: Wildcard;
}

interface VariablePart {
  /** A condition key in lower case. */
  readonly variable: string;
  /** Replaces the variable if the key has no value. */
  readonly fallback: string | undefined;
}

type Part = TextPart | WildcardPart | VariablePart;

/** A parsed text. */
export interface Template {
  readonly parts: readonly Part[];
  /** The glob, if it is the same for all requests. */
  readonly glob: Glob | undefined;
}

/** What a template may contain in addition to text. */
export interface TemplateSyntax {
  readonly hasVariables: boolean;
  readonly hasWildcards: boolean;
}

const VARIABLE = /\$\{(?:([*?$])|\s*([^\s{}',]+)\s*(?:,\s*'([^']*)'\s*)?)\}/y;

/** Parses a text. Undefined for a malformed variable or one that names no condition key. */
export function parseTemplate(written: string, { hasVariables, hasWildcards }: TemplateSyntax): Template | undefined {
  const parts: Part[] = [];
  let text = "";
  const add = (part: Part): void => {
    if (text !== "") parts.push({ text });
    text = "";
    parts.push(part);
  };
  for (let position = 0; position < written.length; position += 1) {
    const character = written.charAt(position);
    if (hasVariables && character === "$" && written.charAt(position + 1) === "{") {
      VARIABLE.lastIndex = position;
      const [whole = "", escaped, name = "", fallback] = VARIABLE.exec(written) ?? [];
      if (escaped !== undefined) text += escaped;
      else if (isConditionKey(name.toLowerCase())) add({ variable: name.toLowerCase(), fallback });
      else return undefined;
      position += whole.length - 1;
    } else if (hasWildcards && (character === "*" || character === "?")) add({ wildcard: character });
    else text += character;
  }
  if (text !== "") parts.push({ text });
  return templateOf(parts);
}

/** Splits a template at the first `count - 1` colons of its text; fewer colons make fewer pieces. */
export function splitTemplate({ parts }: Template, count: number): Template[] {
  const pieces: Part[][] = [[]];
  for (const part of parts) {
    if (!("text" in part)) pieces.at(-1)?.push(part);
    else {
      const [first = "", ...others] = splitAtColons(part.text, count - pieces.length + 1);
      pieces.at(-1)?.push({ text: first });
      for (const text of others) pieces.push([{ text }]);
    }
  }
  return pieces.map(templateOf);
}

/** What a variable without a value matches: nothing, or any text. */
export type Unresolved = "nothing" | "anything";

/**
 * The glob that a template resolves to for a request; undefined, which matches nothing, if a variable has no value.
 * @param longest the length of the longest text to match, beyond which repeated long values are not put together
 * @param unresolved what a variable without a value matches
 */
export function resolveGlob(
  { parts, glob }: Template,
  keys: ConditionKeys,
  longest: number,
  unresolved: Unresolved = "nothing",
): Glob | undefined {
  if (glob !== undefined) return glob;
  let length = 0;
  const resolved: (TextPart | WildcardPart)[] = [];
  for (const part of parts) {
    if ("variable" in part) {
      const text = valueOf(part, keys);
      if (text === undefined && unresolved === "nothing") return undefined;
      length += text?.length ?? 0;
      resolved.push(text === undefined ? { wildcard: "*" } : { text });
    } else {
      resolved.push(part);
      if ("text" in part) length += part.text.length;
    }
  }
  return length > longest ? NO_TEXT : globOf(resolved);
}

/** Whether every variable of a template has a value. */
export function isResolved({ parts, glob }: Template, keys: ConditionKeys): boolean {
  return glob !== undefined || parts.every((part) => !("variable" in part) || valueOf(part, keys) !== undefined);
}

function valueOf({ variable, fallback }: VariablePart, keys: ConditionKeys): string | undefined {
  const values = keys(variable) ?? [];
  // A key with several values has no single value to insert.
  return values.length === 1 ? values[0] : values.length === 0 ? fallback : undefined;
}

/** The text that a template without wildcards resolves to for a request; undefined if a variable has no value. */
export function resolveText(template: Template, keys: ConditionKeys): string | undefined {
  return resolveGlob(template, keys, Number.POSITIVE_INFINITY)?.[0]?.[0];
}

function templateOf(parts: readonly Part[]): Template {
  const fixed: (TextPart | WildcardPart)[] = [];
  for (const part of parts) {
    if ("variable" in part) return { parts, glob: undefined };
    fixed.push(part);
  }
  return { parts, glob: globOf(fixed) };
}
