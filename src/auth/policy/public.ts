// Whether a bucket's policy makes it public, in AWS's meaning of the word: it allows something to everybody, and no
// condition binds that to askers or networks that are fixed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
import { parseIpRange } from "./ip-range.ts";
import type { Policy, PolicyCondition, PolicyStatement } from "./policy.ts";

// DEVIATION: for AWS, the id of an encryption key binds as well, for whose use one needs a permission. Here it is a
// header that everybody may send.
const BINDING_KEYS: ReadonlySet<string> = new Set([
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceowner",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
  "s3:dataaccesspointaccount",
  "s3:dataaccesspointarn",
]);

const BINDING_OPERATORS: ReadonlySet<string> = new Set([
  "ArnEquals",
  "ArnLike",
  "StringEquals",
  "StringEqualsIgnoreCase",
  "StringLike",
]);

/** The widest ranges of addresses that still count as fixed, in bits, by the groups of 16 bits of an address. */
const WIDEST_PREFIX: Readonly<Record<number, number>> = { 2: 8, 8: 32 };

/** Whether a policy makes its bucket public. */
export function isPublicPolicy({ statements }: Policy): boolean {
  return statements.some(isPublicStatement);
}

function isPublicStatement({ effect, principal, conditions }: PolicyStatement): boolean {
  const isOpen = principal === undefined || principal.isEverybody || principal.isNegated;
  return effect === "Allow" && isOpen && !conditions.some(isBinding);
}

function isBinding({ operator, qualifier, isIfExists, key, values }: PolicyCondition): boolean {
  // These hold for requests that have nothing under the key.
  if (isIfExists || qualifier === "ForAllValues") return false;
  if (operator === "IpAddress") return key === "aws:sourceip" && values.every(isNarrow);
  return BINDING_OPERATORS.has(operator) && BINDING_KEYS.has(key) && !values.some((value) => /[*?]|\$\{/.test(value));
}

function isNarrow(value: string): boolean {
  const range = parseIpRange(value);
  return range !== undefined && range.prefix >= (WIDEST_PREFIX[range.address.length] ?? Infinity);
}
