// Asserts that something takes no time that grows beyond measure. Other work of the machine may delay an attempt, so several
// are made until one is quick: what is slow by itself is slow in each of them.
import { expect } from "vitest";

const ATTEMPTS = 8;

/** How long `vi.waitFor` waits for what comes soon: longer than a busy machine takes. */
export const PATIENCE = { timeout: 20_000, interval: 20 } as const;

/** Runs a call that must be quick for any input. */
export function expectQuick(call: () => unknown, milliseconds = 50): void {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && least >= milliseconds; attempt += 1) {
    const start = performance.now();
    call();
    least = Math.min(least, performance.now() - start);
  }
  expect(least).toBeLessThan(milliseconds);
}

/** Awaits a call that must be quick for any input. @param what it does, for a failure */
export async function expectSoon(what: string, call: () => Promise<unknown>, milliseconds: number): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && least >= milliseconds; attempt += 1) {
    const start = performance.now();
    await call();
    least = Math.min(least, performance.now() - start);
  }
  expect(least, what).toBeLessThan(milliseconds);
}
