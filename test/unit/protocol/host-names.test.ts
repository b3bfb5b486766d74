import { describe, expect, it } from "vitest";

import {
  conflictingHosts,
  deliveryTarget,
  NO_DELIVERY,
  parseDelivery,
  withoutConflicts,
} from "../../../src/protocol/core/host-names.ts";

const hosts =
  parseDelivery("cdn.example.com=assets, IMG.example.com = media/a b/ü, *.site.example.net, *.x.site.example.net") ??
  NO_DELIVERY;

describe("the target of a host", () => {
  it.each([
    ["cdn.example.com", { kind: "fixed", host: "cdn.example.com", bucketName: "assets", prefix: "" }],
    ["Img.Example.com.:8787", { kind: "fixed", host: "img.example.com", bucketName: "media", prefix: "a b/ü" }],
    ["b.site.example.net", { kind: "subdomain", host: "b.site.example.net", label: "b" }],
    ["a.b.site.example.net", { kind: "subdomain", host: "a.b.site.example.net", label: "a.b" }],
    ["b.x.site.example.net", { kind: "subdomain", host: "b.x.site.example.net", label: "b" }],
  ])("%s", (host, target) => {
    expect(deliveryTarget(host, hosts)).toEqual(target);
  });

  it.each([
    "",
    "site.example.net",
    ".site.example.net",
    "xsite.example.net",
    "cdn.example.com.evil.example",
    "xcdn.example.com",
    "cdn.example.com..",
    "cdn.example.com:80:80",
    "cdn.example.com@evil.example",
    "cdn.example.com/evil",
  ])("is undefined: %s", (host) => {
    expect(deliveryTarget(host, hosts)).toBeUndefined();
  });
});

describe("the setting", () => {
  it.each([
    "cdn.example.com",
    "=b",
    "a b=bucket",
    "cdn.example.com=B!",
    "http://a=bucket",
    "a:80=bucket",
    "*.=b",
    "*",
    "*.*.example.com",
    "*.a=bucket",
    "a=bucket, A=other",
    "-a=bucket",
    "a=/prefix",
  ])("is refused: %s", (text) => {
    expect(parseDelivery(text)).toBeUndefined();
  });

  it("may be empty", () => {
    expect(parseDelivery("")).toEqual(NO_DELIVERY);
    expect(parseDelivery(" , ")).toEqual(NO_DELIVERY);
  });
});

describe("conflicts with the endpoint's domains", () => {
  it.each([
    ["s3.example.com=bucket", ["s3.example.com"]],
    ["b.s3.example.com=bucket", ["b.s3.example.com"]],
    ["*.s3.example.com", ["*.s3.example.com"]],
    ["*.b.s3.example.com", ["*.b.s3.example.com"]],
    ["*.example.com", ["*.example.com"]],
    ["example.com=bucket, cdn.example.com=bucket, xs3.example.com=bucket, *.site.example.com", []],
  ])("%s", (text, expected) => {
    const parsed = parseDelivery(text) ?? NO_DELIVERY;
    expect(conflictingHosts(parsed, ["s3.example.com"])).toEqual(expected);
    expect(conflictingHosts(withoutConflicts(parsed, ["s3.example.com"]), ["s3.example.com"])).toEqual([]);
    expect(conflictingHosts(parsed, [])).toEqual([]);
  });
});
