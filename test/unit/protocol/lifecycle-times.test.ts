import { describe, expect, it } from "vitest";

import { lifecycleText, type LifecycleRule } from "../../../src/protocol/lifecycle/lifecycle.ts";
import { expirationHeader, midnightAfter } from "../../../src/protocol/lifecycle/lifecycle-times.ts";

const at = (text: string): number => Date.parse(text);

describe("midnightAfter", () => {
  it.each([
    ["2027-01-15T10:30:00Z", 3, "2027-01-19T00:00:00Z"],
    ["2027-01-15T23:59:59.999Z", 3, "2027-01-19T00:00:00Z"],
    // An object created at midnight remains for as many whole days as one created a moment later.
    ["2027-01-15T00:00:00Z", 3, "2027-01-19T00:00:00Z"],
    ["2027-01-15T00:00:00.001Z", 3, "2027-01-19T00:00:00Z"],
    ["2028-02-28T12:00:00Z", 1, "2028-03-01T00:00:00Z"],
    ["2027-12-31T12:00:00Z", 0, "2028-01-01T00:00:00Z"],
    ["1969-12-31T12:00:00Z", 1, "1970-01-02T00:00:00Z"],
  ])("of %s and %i days is %s", (time, days, expected) => {
    expect(midnightAfter(at(time), days)).toBe(at(expected));
  });
});

describe("expirationHeader", () => {
  it("contains the rule's id in URL encoding, and its midnight as a date", () => {
    const rule: LifecycleRule = {
      id: 'a "b", c',
      isEnabled: true,
      filter: { form: "filter", prefix: undefined, tags: [], sizeGreaterThan: undefined, sizeLessThan: undefined },
      expiration: { days: 180 },
      transitions: [],
      noncurrentExpiration: undefined,
      noncurrentTransitions: [],
      abortAfterDays: undefined,
    };
    const text = lifecycleText({ revision: "r", transitionMinimum: "all_storage_classes_128K", rules: [rule] });
    const object = { key: "k", size: 1, tags: [], modifiedAt: at("2012-06-25T12:00:00Z") };
    expect(expirationHeader(text, object)).toEqual({
      "x-amz-expiration": 'expiry-date="Sun, 23 Dec 2012 00:00:00 GMT", rule-id="a%20%22b%22%2C%20c"',
    });
    expect(expirationHeader(null, object)).toEqual({});
  });
});
