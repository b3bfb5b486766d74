// Requests under rates, at a time that only the test advances.
import { vi } from "vitest";

import { send, type RequestScope, type SendOptions } from "./client.ts";

const START = Date.now();

/** Stops the clock that requests see, this number of seconds after the start of the run. */
export function setSecond(second: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START + second * 1000 });
}

/** Status of an answer, and the seconds of its Retry-After. */
export type Answered = readonly [status: number, retryAfter: string | null];

export async function answered(response: Response): Promise<Answered> {
  await response.arrayBuffer();
  return [response.status, response.headers.get("retry-after")];
}

export async function statusOf(
  method: string,
  target: string,
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<Answered> {
  return answered(await send(method, target, options, scope));
}
