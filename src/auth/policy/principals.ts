// Parses the Principal and NotPrincipal elements of bucket policies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
import { isStrings, type Json } from "./json.ts";
import { PolicyProblem, type PrincipalPattern } from "./policy.ts";

const ARN = new RegExp(
  [
    String.raw`^arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity [A-Z0-9]+$`,
    String.raw`^arn:aws:iam::\d{12}:(?:root|(?:user|role)/[\w+=,.@/-]+)$`,
    String.raw`^arn:aws:sts::\d{12}:(?:federated-user/[\w+=,.@-]+|assumed-role/[\w+=,.@/-]+/[\w+=,.@-]+)$`,
  ].join("|"),
);

const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/;
const PROVIDER = /^(?:arn:aws:iam::\d{12}:(?:saml|oidc)-provider\/[\w+=,.@/:-]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/;

/**
 * Parses a principal element. Accepts principals of other accounts, services and providers, which match no request
 * here.
 * @param accountId the account that owns the bucket, whose canonical user id is the same
 * @throws PolicyProblem
 */
export function parsePrincipal(value: Json, isNegated: boolean, accountId: string): PrincipalPattern {
  const named = value === "*" ? ["*"] : parseTypes(value, accountId);
  const isWildcard = named.includes("*");
  // A statement that excepts every principal never applies, so it is a mistake.
  if (isWildcard && isNegated) throw invalidPrincipal();
  return { isNegated, isWildcard, arns: named.filter((name) => name !== "*") };
}

function parseTypes(value: Json, accountId: string): string[] {
  if (!(value instanceof Map) || value.size === 0) throw invalidPrincipal();
  const named: string[] = [];
  for (const [type, listed] of value) {
    const items = typeof listed === "string" ? [listed] : listed;
    if (!isStrings(items) || items.length === 0) throw invalidPrincipal();
    for (const item of items) named.push(readName(type, item, accountId));
  }
  return named;
}

function readName(type: string, name: string, accountId: string): string {
  switch (type) {
    case "AWS":
      if (/^\d{12}$/.test(name)) return rootArn(name);
      if (name === "*" || ARN.test(name)) return name;
      throw invalidPrincipal(name);
    case "CanonicalUser":
      if (name === accountId) return rootArn(name);
      if (/^[0-9a-f]{64}$/.test(name)) return name;
      throw invalidPrincipal(name);
    case "Service":
      if (SERVICE.test(name)) return name;
      throw invalidPrincipal(name);
    case "Federated":
      if (PROVIDER.test(name)) return name;
      throw invalidPrincipal(name);
    default:
      throw invalidPrincipal(name);
  }
}

function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`;
}

function invalidPrincipal(name?: string): PolicyProblem {
  return new PolicyProblem("Invalid principal in policy", name);
}
