// Remembers parsed policies, since every request asks the same few: as much of them as it is allowed, forgetting the one
// unused for longest. What a text says never changes, so nothing here can be out of date.
import { parsePolicy } from "./parse.ts";
import { PolicyProblem, type Policy, type PolicyKind, type PolicyStatement } from "./policy.ts";

/** Policies by what they were parsed from, up to a number of characters altogether. */
export class PolicyCache {
  readonly #limit: number;
  // A Map keeps the order of insertion, so the first entry is the one unused for longest.
  readonly #policies = new Map<string, Policy>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The characters that are kept. */
  get size(): number {
    return this.#size;
  }

  /** A parsed policy. @throws PolicyProblem */
  policyOf(text: string, kind: PolicyKind): Policy {
    const name =
      kind.of === "bucket" ? `${kind.of} ${kind.accountId} ${kind.bucketName} ${text}` : `${kind.of} ${text}`;
    const remembered = this.#policies.get(name);
    const policy = remembered ?? parsePolicy(text, kind);
    if (remembered === undefined) this.#size += name.length;
    this.#policies.delete(name);
    this.#policies.set(name, policy);
    this.#forget();
    return policy;
  }

  #forget(): void {
    for (const oldest of this.#policies.keys()) {
      if (this.#size <= this.#limit) return;
      this.#policies.delete(oldest);
      this.#size -= oldest.length;
    }
  }
}

/** Parsed, a policy takes some ten times its text. */
const CHARACTERS = 500_000;

const MEMORY = new PolicyCache(CHARACTERS);

const DENY_ALL = '{"Statement":{"Sid":"UnreadablePolicy","Effect":"Deny","Action":"*","Resource":"*"}}';

/** What stands for a policy that cannot be read: nobody knows what it would have denied. */
function denyAll({ of }: PolicyKind): Policy {
  const principal = of === "bucket" ? { isNegated: false, isEverybody: true, arns: [] } : undefined;
  const { statements, ...rest } = parsePolicy(DENY_ALL, { of: "identity" });
  const everything: PolicyStatement[] = [];
  for (const statement of statements) everything.push({ ...statement, principal });
  return { ...rest, statements: everything };
}

/** A policy that was put before, parsed. One that would be refused by now denies everything. */
export function policyOf(text: string, kind: PolicyKind): Policy {
  try {
    return MEMORY.policyOf(text, kind);
  } catch (error) {
    if (error instanceof PolicyProblem) return denyAll(kind);
    throw error;
  }
}
