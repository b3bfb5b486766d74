import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { renderXml } from "../../../src/bytes/xml.ts";
import { corsElement, corsHeaders, parseCors, type CorsRule } from "../../../src/protocol/buckets/cors.ts";
import { expectRefusal } from "./support.ts";

const RULE: CorsRule = {
  id: undefined,
  allowedOrigins: ["https://app.example.com"],
  allowedMethods: ["GET", "PUT"],
  allowedHeaders: ["x-amz-*", "content-type"],
  exposeHeaders: ["ETag"],
  maxAgeSeconds: 600,
};

const parse = (rules: string) => parseCors(utf8(`<CORSConfiguration>${rules}</CORSConfiguration>`));
const rule = (inner: string) => `<CORSRule>${inner}</CORSRule>`;
const MINIMAL = "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>";

describe("a CORS configuration", () => {
  it("round-trips", () => {
    const rules = [RULE, { ...RULE, id: "second", maxAgeSeconds: undefined, exposeHeaders: [] }];
    expect(parseCors(utf8(renderXml(corsElement(rules))))).toEqual(rules);
  });

  it.each([
    ["no rule", ""],
    ["an unknown element", "<Rule/>"],
    ["an unknown element in a rule", rule(`${MINIMAL}<Allowed/>`)],
    ["no origin", rule("<AllowedMethod>GET</AllowedMethod>")],
    ["no method", rule("<AllowedOrigin>*</AllowedOrigin>")],
    ["two ids", rule(`${MINIMAL}<ID>a</ID><ID>b</ID>`)],
    ["an id of 256 characters", rule(`${MINIMAL}<ID>${"a".repeat(256)}</ID>`)],
    ["an age that is no number", rule(`${MINIMAL}<MaxAgeSeconds>1.5</MaxAgeSeconds>`)],
    ["two ages", rule(`${MINIMAL}<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>`)],
    ["101 rules", rule(MINIMAL).repeat(101)],
    ["more than 64 KiB", rule(`${MINIMAL}<AllowedHeader>${"a".repeat(65_536)}</AllowedHeader>`)],
  ])("is malformed with %s", (_what, rules) => {
    expectRefusal(() => parse(rules), "MalformedXML", 400);
  });

  it.each([
    [
      `${MINIMAL}<AllowedMethod>PATCH</AllowedMethod>`,
      "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
    ],
    [
      `${MINIMAL}<AllowedMethod>get</AllowedMethod>`,
      "Found unsupported HTTP method in CORS config. Unsupported method is get",
    ],
    [`${MINIMAL}<AllowedOrigin>*.a.*</AllowedOrigin>`, 'AllowedOrigin "*.a.*" can not have more than one wildcard.'],
    [`${MINIMAL}<AllowedHeader>**</AllowedHeader>`, 'AllowedHeader "**" can not have more than one wildcard.'],
    [
      `${MINIMAL}<ExposeHeader>x-*</ExposeHeader>`,
      'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
    ],
    [`${MINIMAL}<ExposeHeader>a b</ExposeHeader>`, 'ExposeHeader "a b" is invalid.'],
  ])("is refused: %s", (inner, message) => {
    expectRefusal(() => parse(rule(inner)), "InvalidRequest", 400, { message });
  });

  it("can have 100 rules", () => {
    expect(parse(rule(MINIMAL).repeat(100))).toHaveLength(100);
  });
});

describe("the CORS headers of a response", () => {
  const ask = (rules: readonly CorsRule[], origin: string, method: string, ...headers: string[]) =>
    corsHeaders(rules, { origin, method, headers });

  it("contain the whole rule, with the requested origin and headers", () => {
    expect(ask([RULE], "https://app.example.com", "PUT", "content-type", "x-amz-meta-a")).toEqual({
      "access-control-allow-origin": "https://app.example.com",
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, PUT",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
      "access-control-expose-headers": "ETag",
      "access-control-max-age": "600",
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    });
  });

  it("are absent when an origin, a method or one header is not allowed", () => {
    expect(ask([RULE], "https://other.example.com", "GET")).toBeUndefined();
    expect(ask([RULE], "https://app.example.com.evil.org", "GET")).toBeUndefined();
    expect(ask([RULE], "https://app.example.com", "DELETE")).toBeUndefined();
    expect(ask([RULE], "https://app.example.com", "GET", "content-type", "range")).toBeUndefined();
    expect(ask([], "https://app.example.com", "GET")).toBeUndefined();
  });

  it("come from the first rule that allows everything requested", () => {
    const rules = [RULE, { ...RULE, allowedOrigins: ["*"], allowedHeaders: ["*"], maxAgeSeconds: 1 }];
    expect(ask(rules, "https://app.example.com", "GET")?.["access-control-max-age"]).toBe("600");
    expect(ask(rules, "https://app.example.com", "GET", "range")?.["access-control-max-age"]).toBe("1");
  });

  it("contain a star, and no credentials, when every origin is allowed", () => {
    const answer = ask([{ ...RULE, allowedOrigins: ["*"] }], "https://any.example.org", "GET");
    expect(answer?.["access-control-allow-origin"]).toBe("*");
    expect(answer).not.toHaveProperty("access-control-allow-credentials");
  });

  it.each([
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "http://a.example.com", false],
    ["http://localhost:*", "http://localhost:3000", true],
    ["ab*ba", "aba", false],
    ["ab*ba", "abba", true],
    ["https://A.example.com", "https://a.example.com", false],
  ])("matches the origin pattern %s with %s: %s", (pattern, origin, isAllowed) => {
    expect(ask([{ ...RULE, allowedOrigins: [pattern] }], origin, "GET") !== undefined).toBe(isAllowed);
  });

  it("match header patterns case-insensitively", () => {
    expect(
      ask([{ ...RULE, allowedHeaders: ["X-Amz-*"] }], "https://app.example.com", "GET", "x-amz-date"),
    ).toBeDefined();
  });
});
