// Caches parsed policies between requests, up to a number of bytes, and evicts the least recently used. A text always
// parses to the same policy, so entries never become stale.
import { parsePolicy } from "./parse.ts";
import { retainedBytes } from "./policy-size.ts";
import { PolicyProblem, type Policy, type PolicyKind, type PolicyStatement } from "./policy.ts";

/** A parsed policy, and the bytes of memory that it retains with its text. */
interface Cached {
  readonly policy: Policy;
  readonly size: number;
}

/** Policies by kind and text, up to a total number of bytes. */
export class PolicyCache {
  readonly #limit: number;
  // A Map keeps the order of insertion, so the first entry is the least recently used.
  readonly #policies = new Map<string, Cached>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The bytes that the cache retains. */
  get size(): number {
    return this.#size;
  }

  /** A parsed policy. @throws PolicyProblem */
  policyOf(text: string, kind: PolicyKind): Policy {
    const name =
      kind.of === "bucket" ? `${kind.of} ${kind.accountId} ${kind.bucketName} ${text}` : `${kind.of} ${text}`;
    const remembered = this.#policies.get(name);
    const cached = remembered ?? measured(name, parsePolicy(text, kind));
    if (remembered === undefined) this.#size += cached.size;
    this.#policies.delete(name);
    this.#policies.set(name, cached);
    this.#evict();
    return cached.policy;
  }

  #evict(): void {
    for (const [oldest, { size }] of this.#policies) {
      if (this.#size <= this.#limit) return;
      this.#policies.delete(oldest);
      this.#size -= size;
    }
  }
}

function measured(name: string, policy: Policy): Cached {
  return { policy, size: 2 * name.length + retainedBytes(policy) };
}

/** A fraction of an isolate's 128 MB. */
const CACHED_MAX_BYTES = 8 * 1024 * 1024;

const MEMORY = new PolicyCache(CACHED_MAX_BYTES);

const DENY_ALL = '{"Statement":{"Sid":"UnreadablePolicy","Effect":"Deny","Action":"*","Resource":"*"}}';

/** Stands in for a policy that cannot be parsed, because what it denies is unknown. */
function denyAll({ of }: PolicyKind): Policy {
  const principal = of === "bucket" ? { isNegated: false, isWildcard: true, arns: [] } : undefined;
  const { statements, ...rest } = parsePolicy(DENY_ALL, { of: "identity" });
  const everything: PolicyStatement[] = [];
  for (const statement of statements) everything.push({ ...statement, principal });
  return { ...rest, statements: everything };
}

/** Parses a stored policy. One that is no longer valid denies everything. */
export function policyOf(text: string, kind: PolicyKind): Policy {
  try {
    return MEMORY.policyOf(text, kind);
  } catch (error) {
    if (error instanceof PolicyProblem) return denyAll(kind);
    throw error;
  }
}
