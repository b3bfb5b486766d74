// Headers of a request in a map answer like the runtime's own.
import { describe, expect, it } from "vitest";
import { SentHeaders } from "../../../src/protocol/core/sent-headers.ts";

const NAMES = ["host", "x-amz-meta-a", "X-Amz-Meta-A", "Host", "absent", "content-type"];

describe("headers in a map", () => {
  const sent = new Headers([
    ["Host", "example.com"],
    ["X-Amz-Meta-A", "one"],
    ["x-amz-meta-a", "two"],
    ["Content-Type", ""],
  ]);
  const headers = new SentHeaders(sent);

  it.each(NAMES)("give for %s what the runtime's give, in any case and joined", (name) => {
    expect(headers.get(name)).toBe(sent.get(name));
    expect(headers.has(name)).toBe(sent.has(name));
  });

  it("have the same names and values in the same order", () => {
    expect([...headers]).toEqual([...sent]);
    expect([...headers.keys()]).toEqual([...sent.keys()]);
  });

  it("do not change when the runtime's do", () => {
    const changing = new Headers({ "x-a": "1" });
    const kept = new SentHeaders(changing);
    changing.set("x-a", "2");
    expect(kept.get("x-a")).toBe("1");
  });

  it("leave out and replace headers, and keep the others", () => {
    const without = new SentHeaders(sent, { host: undefined, "content-type": "a/b", "x-new": "1" });
    expect(without.has("Host")).toBe(false);
    expect(without.get("host")).toBeNull();
    expect([...without.keys()]).toEqual(["content-type", "x-amz-meta-a", "x-new"]);
    expect([without.get("Content-Type"), without.get("x-new")]).toEqual(["a/b", "1"]);
  });

  it("have no header for a name that no header can have", () => {
    expect(headers.get("a name")).toBeNull();
    expect(headers.has("")).toBe(false);
  });
});
