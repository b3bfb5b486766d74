// The error log, in which the Worker reports unexpected failures, for tests that cause them.
import { afterEach, beforeEach, vi } from "vitest";

/** Silences the error log during every test of a file. */
export function mockErrorLog() {
  const log = vi.spyOn(console, "error");
  beforeEach(() => void log.mockReset().mockImplementation(() => undefined));
  afterEach(() => void log.mockReset());
  return log;
}
