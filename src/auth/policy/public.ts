// Whether a bucket's policy makes it public, in AWS's meaning of the word: it allows something to everybody, and no
// condition binds that to askers or networks that are fixed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
import { parseIpRange } from "./ip-range.ts";
import type { Policy, PolicyCondition, PolicyStatement, Qualifier } from "./policy.ts";

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

/** How many of the widest ranges all networks of a policy may come to: 16 times a /8 are a sixteenth of the Internet. */
const MOST_NETWORKS = 16;

/** Whether a policy makes its bucket public. */
export function isPublicPolicy({ statements }: Policy): boolean {
  const open = statements.filter(isOpen).filter(({ conditions }) => !conditions.some(isBinding));
  const networks = open.map(({ conditions }) => conditions.find(isNetwork)?.values);
  // Statements add up: the halves of the Internet in two of them are the Internet.
  const values = networks.flatMap((network) => network ?? []);
  return networks.includes(undefined) || !areNarrow(new Set(values));
}

function isOpen({ effect, principal }: PolicyStatement): boolean {
  return effect === "Allow" && (principal === undefined || principal.isEverybody || principal.isNegated);
}

function isBinding({ operator, qualifier, isIfExists, key, values }: PolicyCondition): boolean {
  if (holdsForNothing(qualifier, isIfExists)) return false;
  const areFixed = values.every((value) => !/[*?]|\$\{/.test(value) && !isOfStrangers(key, value));
  return BINDING_OPERATORS.has(operator) && BINDING_KEYS.has(key) && areFixed;
}

/** Whether requests without credentials have a value under a key: a condition that asks for it binds nobody. */
function isOfStrangers(key: string, value: string): boolean {
  return key === "aws:userid" && value.toLowerCase() === "anonymous";
}

function isNetwork({ operator, qualifier, isIfExists, key }: PolicyCondition): boolean {
  return operator === "IpAddress" && key === "aws:sourceip" && !holdsForNothing(qualifier, isIfExists);
}

/** Whether a condition holds for requests that have nothing under its key. */
function holdsForNothing(qualifier: Qualifier | undefined, isIfExists: boolean): boolean {
  return isIfExists || qualifier === "ForAllValues";
}

/** Whether ranges of addresses are fixed networks, each by itself and all of them together. */
function areNarrow(values: ReadonlySet<string>): boolean {
  const sizes: Record<number, number> = {};
  for (const value of values) {
    const range = parseIpRange(value);
    const groups = range?.address.length ?? 0;
    const widest = WIDEST_PREFIX[groups];
    if (range === undefined || widest === undefined || range.prefix < widest) return false;
    sizes[groups] = (sizes[groups] ?? 0) + 2 ** (widest - range.prefix);
  }
  return Object.values(sizes).every((size) => size <= MOST_NETWORKS);
}
