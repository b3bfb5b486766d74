// Policies' texts, and the message of a malformed policy.
import { policyText, problemOf, statement, type Elements } from "./support.ts";

export function problemWith(elements: Elements): string {
  return problemOf(policyText([statement(elements)]));
}

export function identityText(elements: Elements = {}): string {
  return policyText([statement({ Principal: undefined, ...elements })]);
}
