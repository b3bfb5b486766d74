// The parameters of an IAM or STS call, from a form or the query string, and the validation of texts and numbers.
import { QueryApiError, constraintError } from "./query-api-error.ts";
import type { QueryParameter } from "../core/query.ts";

/** The constraint of a text parameter. Lengths are in UTF-16 units. */
export interface TextConstraint {
  readonly min?: number;
  readonly max: number;
  readonly pattern?: RegExp;
}

/** Parameters by name. */
export class QueryParameters {
  readonly #values: ReadonlyMap<string, string>;

  /** @throws QueryApiError MalformedQueryString for a repeated parameter */
  constructor(parameters: Iterable<Pick<QueryParameter, "name" | "value">>) {
    const values = new Map<string, string>();
    for (const { name, value } of parameters) {
      if (values.has(name)) throw new QueryApiError("MalformedQueryString", `The parameter ${name} is given twice.`);
      values.set(name, value);
    }
    this.#values = values;
  }

  /** The raw value of a parameter. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Reads an optional text. @throws QueryApiError ValidationError */
  optionalText(name: string, constraint: TextConstraint): string | undefined {
    const value = this.#values.get(name);
    if (value !== undefined) checkText(name, value, constraint);
    return value;
  }

  /** Reads a required text. @throws QueryApiError ValidationError for a missing one too */
  text(name: string, constraint: TextConstraint): string {
    const value = this.optionalText(name, constraint);
    if (value === undefined) throw constraintError(name, "Member must not be null");
    return value;
  }

  /** Reads an optional integer. @throws QueryApiError ValidationError */
  optionalNumber(name: string, least: number, most: number): number | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) throw constraintError(name, "Member must be an integer");
    if (value < least) throw constraintError(name, `Member must have value greater than or equal to ${least}`);
    if (value > most) throw constraintError(name, `Member must have value less than or equal to ${most}`);
    return value;
  }

  /**
   * The members of a list (`Tags.member.1.Key`), in the order of their numbers.
   * @returns each member's parameters, by the name after the number; a plain text has the name ""
   */
  members(name: string): QueryParameters[] {
    const members = new Map<number, { name: string; value: string }[]>();
    for (const [parameter, value] of this.#values) {
      const match = parameter.startsWith(`${name}.`)
        ? /^member\.(\d{1,4})(?:\.(.+))?$/.exec(parameter.slice(name.length + 1))
        : null;
      if (match === null) continue;
      const index = Number(match[1]);
      const fields = members.get(index) ?? [];
      fields.push({ name: match[2] ?? "", value });
      members.set(index, fields);
    }
    const inOrder = Array.from(members).toSorted(([one], [other]) => one - other);
    return inOrder.map(([, fields]) => new QueryParameters(fields));
  }

  /** @throws QueryApiError ValidationError for an unsupported parameter, which would change the call's meaning */
  refuse(names: readonly string[], why: string): void {
    for (const given of this.#values.keys()) {
      if (names.some((name) => given === name || given.startsWith(`${name}.`))) {
        throw new QueryApiError("ValidationError", `${given.split(".")[0] ?? ""}: ${why}`);
      }
    }
  }
}

/** @throws QueryApiError ValidationError */
function checkText(name: string, value: string, { min = 1, max, pattern }: TextConstraint): void {
  if (value.length < min) throw constraintError(name, `Member must have length greater than or equal to ${min}`);
  if (value.length > max) throw constraintError(name, `Member must have length less than or equal to ${max}`);
  if (pattern !== undefined && !pattern.test(value)) {
    const shown = pattern.source.replace(/^\^(?:\(\?:)?/, "").replace(/\)?\$$/, "");
    throw constraintError(name, `Member must satisfy regular expression pattern: ${shown}`);
  }
}
