// Random policies and requests, evaluated by the implementation and by a naive one.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { matchingStatement } from "../../../../src/auth/policy/evaluate.ts";
import { parsePolicy } from "../../../../src/auth/policy/parse.ts";
import { naivelyApplies, type Request, type WrittenStatement } from "./naive.ts";
import { ACCOUNT, ALICE, ANONYMOUS, BOB, BUCKET, keysOf, policyText, ROOT, SESSION } from "./support.ts";

const PRINCIPALS = [ANONYMOUS, ROOT, ALICE, BOB, SESSION];

const NAMES = [
  ACCOUNT,
  `arn:aws:iam::${ACCOUNT}:root`,
  ALICE.arn,
  BOB.arn,
  SESSION.arn,
  "999999999999",
  "arn:aws:iam::999999999999:user/alice",
];

const ACTIONS = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"];
const ACTION_PATTERNS = [...ACTIONS, "*", "s3:*", "s3:get*", "S3:?utObject", "s3:*Version", "s3:Delete*"];

const TEXTS = ["a", "b", "A", "*", "?", "/", "😀", "${*}", "${?}", "${$}", "${aws:username}", "${aws:userid, 'b'}"];
const TEMPLATE = fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
const VALUE = fc.array(fc.constantFrom("a", "b", "A", "*", "/", "😀"), { maxLength: 4 }).map((parts) => parts.join(""));

const NUMBERS = ["-1", "0", "0.5", "1", "1.0", "10"];
const DATES = ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.500Z", "2026-01-01T01:00:00+01:00"];
const RANGES = ["0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "10.1.2.0/23", "10.1.2.3/32", "10.1.2.3", "192.0.2.129/25"];
const ADDRESSES = ["10.1.2.3", "10.1.3.200", "10.255.0.1", "192.0.2.1", "192.0.2.200", "127.0.0.1"];

function some(values: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc.array(values, { minLength: 1, maxLength: 3 });
}

/** An operator with one of its keys and values. */
function condition(operators: readonly string[], keys: readonly string[], values: fc.Arbitrary<string>) {
  const qualified = fc
    .tuple(
      fc.constantFrom("", "", "ForAllValues:", "ForAnyValue:"),
      fc.constantFrom(...operators),
      fc.constantFrom("", "", "IfExists"),
    )
    .map((parts) => parts.join(""));
  return fc
    .tuple(qualified, fc.constantFrom(...keys), some(values))
    .map(([operator, key, list]) => ({ [operator]: { [key]: list } }));
}

const CONDITIONS = fc.oneof(
  condition(
    ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
    ["aws:Referer", "aws:username", "aws:TagKeys", "AWS:USERAGENT"],
    TEMPLATE,
  ),
  condition(
    ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"],
    ["s3:signatureAge"],
    fc.constantFrom(...NUMBERS),
  ),
  condition(["DateLessThan", "DateGreaterThan"], ["aws:CurrentTime"], fc.constantFrom(...DATES)),
  condition(["Bool"], ["aws:SecureTransport"], fc.constantFrom("true", "FALSE")),
  condition(["IpAddress", "NotIpAddress"], ["aws:SourceIp"], fc.constantFrom(...RANGES)),
  fc
    .tuple(fc.constantFrom("aws:Referer", "aws:username"), fc.constantFrom("true", "false"))
    .map(([key, value]) => ({ Null: { [key]: [value] } })),
);

const WHOM: fc.Arbitrary<Pick<WrittenStatement, "Principal" | "NotPrincipal">> = fc.oneof(
  fc.constant({ Principal: "*" as const }),
  some(fc.constantFrom(...NAMES, "*")).map((AWS) => ({ Principal: { AWS } })),
  some(fc.constantFrom(...NAMES)).map((AWS) => ({ NotPrincipal: { AWS } })),
);

const WHAT: fc.Arbitrary<Pick<WrittenStatement, "Action" | "NotAction">> = fc
  .tuple(fc.constantFrom("Action", "Action", "NotAction"), some(fc.constantFrom(...ACTION_PATTERNS)))
  .map(([name, list]) => ({ [name]: list }));

const ON: fc.Arbitrary<Pick<WrittenStatement, "Resource" | "NotResource">> = fc
  .tuple(fc.constantFrom("Resource", "Resource", "NotResource"), some(TEMPLATE.map((text) => `arn:aws:s3:::b/${text}`)))
  // With these resources, every action has one that it applies to.
  .map(([name, list]) => ({ [name]: [...list, "arn:aws:s3:::b", "arn:aws:s3:::b/object"] }));

const STATEMENT: fc.Arbitrary<WrittenStatement> = fc
  .tuple(fc.constantFrom<"Allow" | "Deny">("Allow", "Deny"), WHOM, WHAT, ON, fc.array(CONDITIONS, { maxLength: 2 }))
  .map(([Effect, whom, what, on, conditions]) =>
    Object.assign({ Effect, Condition: Object.fromEntries(conditions.flatMap(Object.entries)) }, whom, what, on),
  );

const CONTEXT = fc.record(
  {
    "aws:referer": VALUE.map((value) => [value]),
    "aws:useragent": VALUE.map((value) => [value]),
    "aws:username": VALUE.map((value) => [value]),
    "aws:userid": VALUE.map((value) => [value]),
    "aws:tagkeys": fc.array(VALUE, { maxLength: 3 }),
    "s3:signatureage": fc.constantFrom(...NUMBERS).map((value) => [value]),
    "aws:currenttime": fc.constantFrom(...DATES).map((value) => [value]),
    "aws:securetransport": fc.constantFrom("true", "false").map((value) => [value]),
    "aws:sourceip": fc.constantFrom(...ADDRESSES).map((value) => [value]),
  },
  { requiredKeys: [] },
);

describe("the evaluation of policies", () => {
  it("agrees with a naive one", () => {
    const seen = { applies: 0, doesNot: 0 };
    fc.assert(
      fc.property(
        fc.array(STATEMENT, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...PRINCIPALS),
        fc.constantFrom(...ACTIONS),
        VALUE.map((key) => `arn:aws:s3:::b/${key}`),
        CONTEXT,
        (statements, principal, action, resource, context) => {
          const policy = parsePolicy(policyText(statements.map((statement) => ({ ...statement }))), BUCKET);
          const request: Request = {
            account: ACCOUNT,
            arns: principal.kind === "anonymous" ? [] : [principal.arn, principal.ownerArn],
            isRoot: principal.kind === "root",
            action,
            resource,
            context: context,
          };
          const asked = { principal, actions: [action], resource, keys: keysOf(context) };
          for (const effect of ["Allow", "Deny"] as const) {
            const expected = statements.findIndex(
              (statement) => statement.Effect === effect && naivelyApplies(statement, request),
            );
            const found = matchingStatement(policy, effect, asked);
            expect(found === undefined ? -1 : policy.statements.indexOf(found)).toBe(expected);
            seen[expected < 0 ? "doesNot" : "applies"] += 1;
          }
        },
      ),
      { numRuns: 5000, seed: 20_261_121 },
    );
    expect(seen.applies).toBeGreaterThan(500);
    expect(seen.doesNot).toBeGreaterThan(500);
  });

  it("never throws, for any policy text and any request", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      STATEMENT.map((statement) => JSON.stringify(statement)),
    );
    fc.assert(
      fc.property(text, (written) => {
        let problem = "";
        try {
          parsePolicy(written, BUCKET);
        } catch (error) {
          problem = error instanceof Error ? error.name : "thrown";
        }
        expect(problem).toBe("PolicyProblem");
      }),
      { numRuns: 2000, seed: 20_261_121 },
    );
  });
});
