// Policies and callers for evaluation tests.
import { matchingStatement, type PolicyRequest } from "../../../../src/auth/policy/evaluate.ts";
import type { ConditionKeys } from "../../../../src/auth/policy/keys.ts";
import { parsePolicy } from "../../../../src/auth/policy/parse.ts";
import { PolicyProblem, type Policy, type PolicyKind } from "../../../../src/auth/policy/policy.ts";

export const ACCOUNT = "111122223333";
export const BUCKET: PolicyKind = { of: "bucket", bucketName: "b", accountId: ACCOUNT };
export const IDENTITY: PolicyKind = { of: "identity" };

export type RequestPrincipal = PolicyRequest["principal"];

export const ANONYMOUS: RequestPrincipal = { kind: "anonymous", accountId: "", arn: "", ownerArn: "" };
export const ROOT: RequestPrincipal = requestPrincipal("root", "root");
export const ALICE: RequestPrincipal = requestPrincipal("user", "user/alice");
export const BOB: RequestPrincipal = requestPrincipal("user", "user/team/bob");

/** Alice with temporary credentials. */
export const SESSION: RequestPrincipal = { ...ALICE, arn: `arn:aws:sts::${ACCOUNT}:federated-user/guest` };

function requestPrincipal(kind: RequestPrincipal["kind"], name: string): RequestPrincipal {
  const arn = `arn:aws:iam::${ACCOUNT}:${name}`;
  return { kind, accountId: ACCOUNT, arn, ownerArn: arn };
}

export type Elements = Readonly<Record<string, unknown>>;

/** A statement that allows everyone to get every object of the bucket, with the given changes. */
export function statement(elements: Elements = {}): Elements {
  const own = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*", ...elements };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

/** A bucket policy of these statements, as text. */
export function policyText(statements: readonly Elements[], version = "2012-10-17"): string {
  return JSON.stringify({ Version: version, Statement: statements });
}

/** A bucket policy of these statements. */
export function policyOf(...statements: readonly Elements[]): Policy {
  return parsePolicy(policyText(statements), BUCKET);
}

/** The condition keys of a request, with case-insensitive names. */
export function keysOf(values: Readonly<Record<string, string | readonly string[]>> = {}): ConditionKeys {
  const byName = new Map(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => {
    const value = byName.get(name);
    return typeof value === "string" ? [value] : value;
  };
}

/** The authorization request of an anonymous GetObject, with the given changes. */
export function question(other: Partial<PolicyRequest> = {}): PolicyRequest {
  return { principal: ANONYMOUS, actions: ["s3:GetObject"], resource: "arn:aws:s3:::b/k", keys: keysOf(), ...other };
}

/** Whether a policy contains a statement that allows the request. */
export function isAllowed(policy: Policy, other: Partial<PolicyRequest> = {}): boolean {
  return matchingStatement(policy, "Allow", question(other)) !== undefined;
}

/** The error message for a policy, or that it is valid. */
export function problemOf(text: string, kind: PolicyKind = BUCKET): string {
  try {
    parsePolicy(text, kind);
    return "no problem";
  } catch (error) {
    if (error instanceof PolicyProblem) return error.message;
    throw error;
  }
}
