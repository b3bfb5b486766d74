// Generates the list in docs/operations.md: the inputs of each operation and the condition keys that follow from them.
// Pure, so that the house test can check whether the page is fresh.
import { isConditionKey } from "../../src/auth/policy/keys.ts";
import type { Implementation, Operation } from "../../src/contract/operation.ts";
import { replaceSection } from "./sections.ts";

/** Returns the text of docs/operations.md with a fresh list. */
export function withFreshInputs(text: string, operations: readonly Operation[]): string {
  const lines = new Map<string, string>();
  for (const { name, route, implementation } of operations) {
    if (implementation !== undefined) lines.set(name, lineOf(name, implementation, route.level !== "service"));
  }
  const sorted = Array.from(lines.values()).toSorted();
  return replaceSection(text, "inputs", sorted.join("\n"));
}

const BODIES = { none: "no body", document: "a document", object: "the object's bytes", form: "a form" } as const;

/** @param isInBucket whether the operation addresses a bucket or an object; only those have condition keys */
function lineOf(name: string, { inputs }: Implementation, isInBucket: boolean): string {
  const headers = inputs.headers.filter((header) => header !== "x-amz-expected-bucket-owner");
  const parts = [
    listed("parameters", inputs.query),
    listed("headers", headers),
    `body: ${BODIES[inputs.body]}`,
    listed("condition keys", isInBucket ? keysOf(inputs.query, headers) : []),
    listed("refuses", inputs.refuses),
  ];
  return `- **${name}**: ${parts.filter((part) => part !== "").join("; ")}.`;
}

/** The condition keys that are named after an input. */
function keysOf(query: readonly string[], headers: readonly string[]): string[] {
  return [...query, ...headers].map((input) => `s3:${input}`).filter((key) => isConditionKey(key.toLowerCase()));
}

function listed(label: string, names: readonly string[]): string {
  const sorted = Array.from(new Set(names)).toSorted();
  return sorted.length === 0 ? "" : `${label} ${sorted.map((name) => `\`${name}\``).join(", ")}`;
}
