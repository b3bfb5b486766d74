import { describe, expect, it } from "vitest";

import { checkPostPolicy } from "../../../src/protocol/forms/post-policy-check.ts";
import { FormFields } from "../../../src/protocol/forms/post-form.ts";
import { parsePostPolicy } from "../../../src/protocol/forms/post-policy.ts";
import vectors from "../../fixtures/sigv4.json";
import { errorOf } from "./support.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const SOON = "2026-01-02T03:04:06Z";

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function fieldsOf(fields: Readonly<Record<string, string>>): FormFields {
  const all = new FormFields();
  for (const [name, value] of Object.entries(fields)) all.add(name, value);
  return all;
}

/** Checks fields against conditions, to which one on the bucket is added. */
function check(conditions: readonly unknown[], fields: Readonly<Record<string, string>>, bucketName = "b") {
  const policy = parsePostPolicy(
    base64(JSON.stringify({ expiration: SOON, conditions: [{ bucket: "b" }, ...conditions] })),
  );
  return checkPostPolicy(policy, fieldsOf(fields), bucketName, NOW);
}

function refusal(
  conditions: readonly unknown[],
  fields: Readonly<Record<string, string>>,
  bucketName?: string,
): string {
  const error = errorOf(() => check(conditions, fields, bucketName));
  expect(error.code).toBe("AccessDenied");
  expect(error.message).toMatch(/^Invalid according to Policy: /);
  return error.message.slice("Invalid according to Policy: ".length);
}

describe("a policy document", () => {
  it("of AWS's example is parsed", () => {
    const { expiresAt, conditions } = parsePostPolicy(vectors.postPolicy.policyBase64);
    expect(expiresAt).toBe(Date.UTC(2015, 11, 30, 12));
    expect(conditions).toHaveLength(11);
    expect(conditions[1]).toEqual({
      kind: "starts-with",
      field: "key",
      operand: "user/user1/",
      shown: '["starts-with", "$key", "user/user1/"]',
    });
    expect(conditions[2]).toMatchObject({ kind: "eq", field: "acl", operand: "public-read" });
  });

  it("can be split over several lines of base64, and contain any script", () => {
    const text = base64(JSON.stringify({ expiration: SOON, conditions: [{ key: "ключ—\u{1f600}" }] }));
    const { conditions } = parsePostPolicy(text.replaceAll(/.{20}/g, "$&\r\n"));
    expect(conditions).toMatchObject([{ operand: "ключ—\u{1f600}" }]);
  });

  it.each([
    ["not base64!", "invalid Base64 encoding."],
    [base64("{"), "Invalid JSON."],
    [base64(""), "Invalid JSON."],
    [base64('{"expiration": "x",}'), "Invalid JSON."],
    [btoa("\xff\xfe"), "Invalid JSON."],
    [base64("[]"), "Invalid JSON."],
    [base64("null"), "Invalid JSON."],
    [base64('{"expiration":"x","conditions":[],"Statement":1}'), "Unexpected: 'Statement'"],
    [base64('{"EXPIRATION":"x"}'), "Unexpected: 'EXPIRATION'"],
    [base64('{"conditions":[]}'), "Policy missing expiration."],
    [base64(`{"expiration":"${SOON}"}`), "Policy missing conditions."],
    [base64(`{"expiration":"${SOON}","conditions":{}}`), "Invalid 'conditions' value: must be a List."],
    ...["2026-01-02 03:04:06 UTC", "2026-01-02T03:04:06+02:00", "2026-02-31T00:00:00Z", ""].map((text) => [
      base64(JSON.stringify({ expiration: text, conditions: [] })),
      `Invalid 'expiration' value: '${text}'`,
    ]),
    [base64('{"expiration":1,"conditions":[]}'), "Invalid 'expiration' value: '1'"],
  ])("is refused: %s", (text, sentence) => {
    expect(errorOf(() => parsePostPolicy(text))).toMatchObject({
      code: "InvalidPolicyDocument",
      message: `Invalid Policy: ${sentence}`,
    });
  });

  const ONE_PROPERTY = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";

  it.each([
    [{}, ONE_PROPERTY],
    [{ key: "a", acl: "b" }, ONE_PROPERTY],
    [{ "Content-Length": 1 }, "Invalid Simple-Condition: value must be a string."],
    [{ key: null }, "Invalid Simple-Condition: value must be a string."],
    ["key", "Invalid condition test: must be a List or Object."],
    [[], "Invalid Condition: missing operation identifier."],
    [["ends-with", "$key", "x"], "Invalid Condition: unknown operation 'ends-with'."],
    [[1, "$key", "x"], "Invalid Condition: unknown operation '1'."],
    [["eq", "$key"], "Invalid eq: wrong number of arguments."],
    [["starts-with", "$key", "a", "b"], "Invalid starts-with: wrong number of arguments."],
    [["eq", "$key", 1], "Invalid JSON."],
    [["eq", 1, "x"], "Invalid JSON."],
    [["content-length-range", 0], "Invalid content-length-range: wrong number of arguments."],
    [["content-length-range", -1, 0], "Invalid content-length-range: bounds must be whole numbers of bytes."],
    [["content-length-range", 0, 1.5], "Invalid content-length-range: bounds must be whole numbers of bytes."],
    [["content-length-range", 0, null], "Invalid content-length-range: bounds must be whole numbers of bytes."],
  ])("is refused for the condition %j", (condition, sentence) => {
    expect(errorOf(() => check([condition], {}))).toMatchObject({
      code: "InvalidPolicyDocument",
      message: `Invalid Policy: ${sentence}`,
    });
  });

  it("expires exactly at its time", () => {
    const policy = parsePostPolicy(base64(JSON.stringify({ expiration: SOON, conditions: [{ bucket: "b" }] })));
    expect(() => checkPostPolicy(policy, fieldsOf({}), "b", NOW + 999)).not.toThrow();
    const error = errorOf(() => checkPostPolicy(policy, fieldsOf({}), "b", NOW + 1000));
    expect(error).toMatchObject({ code: "AccessDenied", message: "Invalid according to Policy: Policy expired." });
  });
});

describe("a condition", () => {
  it.each([
    [{ key: "a/b" }, { key: "a/b" }],
    [["eq", "$key", "a/b"], { key: "a/b" }],
    [["EQ", "$KeY", "a/b"], { kEy: "a/b" }],
    [{ "X-Amz-Meta-A": "" }, { "x-amz-meta-a": "" }],
    [["starts-with", "$key", "a/"], { key: "a/b" }],
    [["StArTs-WiTh", "$key", ""], { key: "anything" }],
    [["starts-with", "$Content-Type", "image/"], { "content-type": "image/jpg, image/png,image/gif" }],
    [["starts-with", "$Content-Type", ""], { "Content-Type": "" }],
    [["starts-with", "$x-amz-meta-a", "a,"], { "x-amz-meta-a": "a,b" }],
    [{ "x-amz-meta-a": "Ninja,Stallman" }, { "x-amz-meta-a": "Ninja,Stallman" }],
  ])("holds: %j of %j", (condition, fields) => {
    expect(() => check([condition], fields)).not.toThrow();
  });

  it.each([
    [{ key: "a" }, { key: "A" }, '["eq", "$key", "a"]'],
    [{ key: "a" }, { key: "a " }, '["eq", "$key", "a"]'],
    [{ key: 'say "a"' }, { key: "a" }, '["eq", "$key", "say \\"a\\""]'],
    [["eq", "$X-Amz-Date", "x"], { "x-amz-date": "y" }, '["eq", "$X-Amz-Date", "x"]'],
    [["starts-with", "$key", "a/"], { key: "b/a/" }, '["starts-with", "$key", "a/"]'],
    [["starts-with", "$Content-Type", ""], {}, '["starts-with", "$Content-Type", ""]'],
    [["eq", "$acl", ""], {}, '["eq", "$acl", ""]'],
    [["eq", "key", "a"], { key: "a" }, '["eq", "key", "a"]'],
    [
      ["starts-with", "$Content-Type", "image/"],
      { "Content-Type": "image/jpg,text/plain" },
      '["starts-with", "$Content-Type", "image/"]',
    ],
    [["content-length-range", "test", "10"], {}, '["content-length-range", "test", "10"]'],
    [["content-length-range", 0, "-1"], {}, '["content-length-range", 0, "-1"]'],
  ])("does not hold: %j of %j", (condition, fields, shown) => {
    expect(refusal([condition], fields)).toBe(`Policy Condition failed: ${shown}`);
  });

  it("must hold even when another on the same field does", () => {
    expect(refusal([["starts-with", "$key", "a"], { key: "ab" }], { key: "ac" })).toMatch(/Condition failed/);
  });

  it("on the bucket applies to the request's bucket, not to a field", () => {
    expect(() => check([], { bucket: "b" })).not.toThrow();
    expect(refusal([], { bucket: "b" }, "other")).toBe('Policy Condition failed: ["eq", "$bucket", "b"]');
  });

  it("on the bucket is mandatory", () => {
    const policy = parsePostPolicy(base64(JSON.stringify({ expiration: SOON, conditions: [{ key: "k" }] })));
    const error = errorOf(() => checkPostPolicy(policy, fieldsOf({ key: "k" }), "b", NOW));
    expect(error.message).toBe("Invalid according to Policy: Extra input fields: bucket");
  });

  it("is required for every field, by the name it was sent under", () => {
    expect(refusal([], { key: "k", "X-Amz-Meta-A": "1" })).toBe("Extra input fields: key, X-Amz-Meta-A");
    expect(refusal([["content-length-range", 0, 1]], { "content-length-range": "1" })).toMatch(/^Extra input/);
    expect(refusal([], { "x-amz-signature2": "1" })).toMatch(/^Extra input/);
  });

  it("is not required for the signature fields and ignored fields", () => {
    const free = { "X-Amz-Signature": "1", POLICY: "1", file: "1", "X-Ignore-That": "1" };
    expect(() => check([], free)).not.toThrow();
  });
});

describe("the size", () => {
  it("is any, or the intersection of all ranges", () => {
    expect(check([], {})).toEqual({ least: 0, most: Number.POSITIVE_INFINITY });
    expect(check([["content-length-range", 5, 10]], {})).toEqual({ least: 5, most: 10 });
    expect(check([["content-length-range", "5", "10"]], {})).toEqual({ least: 5, most: 10 });
    const both = [
      ["content-length-range", 5, 10],
      ["content-length-range", 0, 7],
    ];
    expect(check(both, {})).toEqual({ least: 5, most: 7 });
  });
});
