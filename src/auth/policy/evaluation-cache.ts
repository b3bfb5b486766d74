// Caches results of policy evaluation within one request, so that a batch of a thousand keys evaluates once what does
// not depend on the key. A result is stored with the condition keys that it depends on, and reused while their values
// are equal.
import type { Glob } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";
import { MatchText } from "./match-text.ts";
import type { PolicyStatement } from "./policy.ts";
import { resolveGlob, type Template, type Unresolved } from "./template.ts";

/** The longest ARN: a bucket's name and a key of 1024 bytes, or a user's path of 512. */
const RESOURCE_MAX_LENGTH = 2048;

type Values = readonly string[] | undefined;

/** A result, and the condition keys that it depends on with their values. */
interface Derived<Value> {
  readonly value: Value;
  readonly from: ReadonlyMap<string, Values>;
}

/** Caches results for one principal in one request. */
export class EvaluationCache {
  readonly #statements = new Map<PolicyStatement, Map<string, Derived<boolean>>>();
  readonly #globs = new Map<Template, Derived<Glob | undefined>>();
  #text = new MatchText("");
  #steps = 0;

  /** Elementary steps of matching and of cache lookups, which bound the time of an evaluation. */
  get steps(): number {
    return this.#steps + this.#text.steps;
  }

  /** Adds steps to the count. */
  spend(steps: number): void {
    this.#steps += steps;
  }

  /** The text to match. The same object returns while the text is the same, so that all statements share its index. */
  textOf(text: string): MatchText {
    if (this.#text.text !== text) {
      this.spend(this.#text.steps);
      this.#text = new MatchText(text);
    }
    return this.#text;
  }

  /**
   * Whether a statement's elements other than its resource apply.
   * @param actions identifies the requested actions
   * @param evaluate computes the result; reads condition keys only through its parameter
   */
  applies(
    statement: PolicyStatement,
    actions: string,
    keys: ConditionKeys,
    evaluate: (keys: ConditionKeys) => boolean,
  ): boolean {
    let byActions = this.#statements.get(statement);
    if (byActions === undefined) this.#statements.set(statement, (byActions = new Map()));
    const { value } = this.#derive(byActions, actions, keys, evaluate);
    return value;
  }

  /** The glob of a resource, by {@link resolveGlob}. */
  resolve(template: Template, keys: ConditionKeys, unresolved: Unresolved): Glob | undefined {
    if (template.glob !== undefined) return template.glob;
    // A template belongs to one statement, so `unresolved` is always the same and not part of the cache's key.
    return this.#derive(this.#globs, template, keys, (read) =>
      resolveGlob(template, read, RESOURCE_MAX_LENGTH, unresolved),
    ).value;
  }

  #derive<Key, Value>(
    known: Map<Key, Derived<Value>>,
    name: Key,
    keys: ConditionKeys,
    derive: (keys: ConditionKeys) => Value,
  ): Derived<Value> {
    const earlier = known.get(name);
    if (earlier !== undefined && this.#isCurrent(earlier, keys)) return earlier;
    const from = new Map<string, Values>();
    const value = derive((key) => {
      const values = keys(key);
      from.set(key, values);
      return values;
    });
    const derived = { value, from };
    known.set(name, derived);
    return derived;
  }

  #isCurrent({ from }: Derived<unknown>, keys: ConditionKeys): boolean {
    for (const [key, values] of from) {
      const now = keys(key);
      this.spend(1 + (values?.length ?? 0));
      if (now === values) continue;
      if (now?.length !== values?.length || now?.some((value, index) => value !== values?.[index]) === true)
        return false;
    }
    return true;
  }
}
