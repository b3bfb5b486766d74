// Whether a bucket policy is public in AWS's sense: it allows an action to everyone, and no condition limits that to
// fixed principals or networks.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
import { parseIpRange } from "./ip-range.ts";
import type { Policy, PolicyCondition, PolicyStatement, Qualifier } from "./policy.ts";

// DEVIATION: for AWS, the id of an encryption key counts as fixed too, because using the key takes a permission. Here
// it is a header that every client may send.
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

/** The widest ranges of addresses that count as fixed, in bits, by the number of 16-bit groups of an address. */
const WIDEST_PREFIX: Readonly<Record<number, number>> = { 2: 8, 8: 32 };

/** The sum of all networks of a policy, in widest ranges: 16 times a /8 is a sixteenth of the Internet. */
const NETWORKS_MAX = 16;

/** Whether a policy makes its bucket public. */
export function isPublicPolicy({ statements }: Policy): boolean {
  const open = statements.filter(isOpen).filter(({ conditions }) => !conditions.some(isBinding));
  const networks = open.map(({ conditions }) => conditions.find(isNetwork)?.values);
  // Statements add up: two statements with one half of the Internet each allow all of it.
  const values = networks.flatMap((network) => network ?? []);
  return networks.includes(undefined) || !areNarrow(new Set(values));
}

function isOpen({ effect, principal }: PolicyStatement): boolean {
  return effect === "Allow" && (principal === undefined || principal.isWildcard || principal.isNegated);
}

function isBinding({ operator, qualifier, isIfExists, key, values }: PolicyCondition): boolean {
  if (holdsWithoutKey(qualifier, isIfExists)) return false;
  const areFixed = values.every((value) => !/[*?]|\$\{/.test(value) && !isAnonymousValue(key, value));
  return BINDING_OPERATORS.has(operator) && BINDING_KEYS.has(key) && areFixed;
}

/** Whether anonymous requests have this value of a key, so that a condition on it limits nothing. */
function isAnonymousValue(key: string, value: string): boolean {
  return key === "aws:userid" && value.toLowerCase() === "anonymous";
}

function isNetwork({ operator, qualifier, isIfExists, key }: PolicyCondition): boolean {
  return operator === "IpAddress" && key === "aws:sourceip" && !holdsWithoutKey(qualifier, isIfExists);
}

/** Whether a condition holds for requests without its key. */
function holdsWithoutKey(qualifier: Qualifier | undefined, isIfExists: boolean): boolean {
  return isIfExists || qualifier === "ForAllValues";
}

/** Whether ranges of addresses are fixed networks, each by itself and all together. */
function areNarrow(values: ReadonlySet<string>): boolean {
  const sizes: Record<number, number> = {};
  for (const value of values) {
    const range = parseIpRange(value);
    const groups = range?.address.length ?? 0;
    const widest = WIDEST_PREFIX[groups];
    if (range === undefined || widest === undefined || range.prefix < widest) return false;
    sizes[groups] = (sizes[groups] ?? 0) + 2 ** (widest - range.prefix);
  }
  return Object.values(sizes).every((size) => size <= NETWORKS_MAX);
}
