import { describe, expect, it } from "vitest";

import { linearize, type Operation } from "./linearizability.ts";

type Register = Operation<string>;

function write(value: string, invokedAt: number, returnedAt: number): Register {
  return { name: `write ${value}`, invokedAt, returnedAt, step: () => value };
}

function read(value: string, invokedAt: number, returnedAt: number): Register {
  return { name: `read ${value}`, invokedAt, returnedAt, step: (state) => (state === value ? state : undefined) };
}

function isLinearizable(...history: readonly Register[]): boolean {
  return linearize(history, "", String).isLinearizable;
}

describe("linearize", () => {
  it("accepts sequential operations", () => {
    expect(isLinearizable(write("a", 1, 2), read("a", 3, 4), write("b", 5, 6), read("b", 7, 8))).toBe(true);
  });

  it("accepts either order of overlapping operations", () => {
    expect(isLinearizable(write("a", 1, 5), write("b", 2, 4), read("a", 6, 7))).toBe(true);
    expect(isLinearizable(write("a", 1, 5), write("b", 2, 4), read("b", 6, 7))).toBe(true);
    expect(isLinearizable(write("a", 1, 5), read("", 2, 3), read("a", 4, 6))).toBe(true);
  });

  it("rejects a read of an overwritten value", () => {
    expect(isLinearizable(write("a", 1, 2), write("b", 3, 4), read("a", 5, 6))).toBe(false);
  });

  it("rejects a lost write", () => {
    expect(isLinearizable(write("a", 1, 2), read("", 3, 4))).toBe(false);
  });

  it("rejects two readers who saw two writes in different orders", () => {
    const reads = [read("a", 10, 11), read("b", 12, 13), read("a", 14, 15)];
    expect(isLinearizable(write("a", 1, 9), write("b", 2, 8), ...reads)).toBe(false);
  });

  it("rejects a value that disappeared and returned", () => {
    expect(isLinearizable(write("a", 1, 9), read("a", 2, 3), read("", 4, 5))).toBe(false);
  });

  it("allows unanswered operations to take effect late, or never", () => {
    expect(isLinearizable(write("a", 1, Infinity), read("", 2, 3), read("a", 4, 5))).toBe(true);
    expect(isLinearizable(write("a", 1, Infinity), read("", 2, 3), read("", 4, 5))).toBe(true);
    expect(isLinearizable(write("a", 1, Infinity), read("a", 2, 3), read("", 4, 5))).toBe(false);
  });
});
