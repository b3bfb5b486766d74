// Estimates the memory that a parsed policy retains. It counts parts, because a short text can make many: `"*",` is
// four bytes of a policy and hundreds of memory. The figures were measured in V8 and rounded up.
import type { Patterns, Policy, PolicyCondition, PolicyStatement } from "./policy.ts";
import type { Template } from "./template.ts";

const STATEMENT_BYTES = 600;
const CONDITION_BYTES = 500;
/** A value: its text, its parsed form and its comparison function. */
const VALUE_BYTES = 500;
/** A value that is an ARN, of which each part is a pattern. */
const ARN_VALUE_BYTES = 2000;
const TEMPLATE_BYTES = 200;
/** A part of a template, and the piece of a glob that it becomes. */
const PART_BYTES = 160;
const PRINCIPAL_BYTES = 64;

/** An upper bound of the bytes that a parsed policy retains. */
export function retainedBytes({ statements }: Policy): number {
  return sum(statements, statementBytes);
}

function statementBytes({ principal, action, resource, conditions }: PolicyStatement): number {
  const principals = sum(principal?.arns ?? [], (arn) => PRINCIPAL_BYTES + 2 * arn.length);
  return STATEMENT_BYTES + principals + patternBytes(action) + patternBytes(resource) + sum(conditions, conditionBytes);
}

function patternBytes({ patterns }: Patterns): number {
  return sum(patterns, templateBytes);
}

function templateBytes({ parts, glob }: Template): number {
  const text = sum(parts, (part) => ("text" in part ? part.text.length : 0));
  // Each `?` adds a literal to its piece, so literals are counted, not pieces.
  const pieces = sum(glob ?? [], (piece) => piece.length);
  return TEMPLATE_BYTES + (parts.length + pieces) * PART_BYTES + 4 * text;
}

function conditionBytes({ operator, values }: PolicyCondition): number {
  const each = operator.startsWith("Arn") ? ARN_VALUE_BYTES : VALUE_BYTES;
  return CONDITION_BYTES + sum(values, (value) => each + wildcardsIn(value) * PART_BYTES + 8 * value.length);
}

function wildcardsIn(value: string): number {
  return value.split(/[*?]|\$\{/).length - 1;
}

function sum<Item>(items: readonly Item[], size: (item: Item) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
