import { describe, expect, it } from "vitest";

import { isInRange, parseIpRange } from "../../../../src/auth/policy/ip-range.ts";

function contains(range: string, address: string): boolean {
  const parsed = parseIpRange(range);
  if (parsed === undefined) throw new Error(`no range: ${range}`);
  return isInRange(parsed, address);
}

describe("isInRange", () => {
  it.each([
    ["203.0.113.0/24", "203.0.113.255", true],
    ["203.0.113.0/24", "203.0.114.0", false],
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.8", false],
    ["203.0.113.7/24", "203.0.113.1", true],
    ["203.0.112.0/23", "203.0.113.9", true],
    ["203.0.112.0/23", "203.0.114.0", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["128.0.0.0/1", "127.255.255.255", false],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "192.0.2.1", false],
    ["::/0", "2001:db8::1", true],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["2001:DB8::1", "2001:db8:0:0:0:0:0:1", true],
    ["2001:db8::1/127", "2001:db8::0", true],
    ["192.0.2.0/24", "::ffff:192.0.2.7", true],
    ["192.0.2.0/24", "::ffff:c000:207", true],
    ["::ffff:192.0.2.0/120", "192.0.2.7", true],
    ["::ffff:192.0.2.0/120", "192.0.3.7", false],
    ["192.0.2.0/24", "192.0.2.0/24", false],
    ["192.0.2.0/24", "", false],
    ["192.0.2.0/24", "192.0.2", false],
    ["192.0.2.0/24", "192.0.2.256", false],
    ["192.0.2.0/24", " 192.0.2.1", false],
  ])("%s contains %s: %s", (range, address, expected) => {
    expect(contains(range, address)).toBe(expected);
  });
});

describe("parseIpRange", () => {
  it.each([
    "",
    "*",
    "/8",
    "192.0.2.0/",
    "192.0.2.0/33",
    "192.0.2.0/-1",
    "192.0.2.0/08",
    "192.0.2.0/8/8",
    "192.0.2.0/255.255.255.0",
    "192.0.2",
    "192.0.2.0.0",
    "192.0.2.01",
    "192.0.2.256",
    "0xc0.0.2.1",
    "192.0.2.*",
    "::/129",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    "192.0.2.1::",
    "::192.0.2.1:0",
    "fe80::1%eth0",
    "2001:db8::/ 32",
  ])("refuses %j", (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  });
});
