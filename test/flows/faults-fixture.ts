// Requests on one object under injected faults. After each fault: acknowledged writes exist with their bytes, writes
// answered 4xx were not applied, unknown results return 503, and no referenced blob is deleted.
import { expect } from "vitest";

import { send, type SendOptions, type RequestScope } from "../support/client.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { callLost, coordinatorsWith, ONE_SHARD, type CallFault } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNothingMissing, storedStateOf } from "../support/stored-state.ts";

export const UNKNOWN = { status: 503, code: "ServiceUnavailable" };
export const SLOW_DOWN = { status: 503, code: "SlowDown" };
export const NEW_BYTES = noise(300_000);

/** A bucket with one object, `k`. */
export async function bucketOfOne(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "old" });
  return bucket;
}

export function put(bucket: string, scope: RequestScope = {}, options: SendOptions = {}): Promise<Response> {
  return send("PUT", `/${bucket}/k`, { body: NEW_BYTES, ...options }, { ...ONE_SHARD, ...scope });
}

export function remove(
  bucket: string,
  scope: RequestScope = {},
  headers: SendOptions["headers"] = {},
): Promise<Response> {
  return send("DELETE", `/${bucket}/k`, { headers }, { ...ONE_SHARD, ...scope });
}

export async function expectObject(bucket: string, bytes: Uint8Array | string | undefined): Promise<void> {
  const response = await send("GET", `/${bucket}/k`);
  expect(response.status).toBe(bytes === undefined ? 404 : 200);
  if (bytes !== undefined) await expectBytes(response, bytes);
  else await response.arrayBuffer();
  expectNothingMissing(await storedStateOf(bucket));
}

/** Loses the given number of calls, before or after they are executed, and counts all calls. */
export function losing(when: "before" | "after", times: number, error = callLost({ retryable: true })) {
  const calls = { made: 0 };
  const fault: CallFault = async (_method, send) => {
    calls.made += 1;
    if (calls.made > times) return send();
    if (when === "after") await send();
    throw error;
  };
  return { calls, COORDINATORS: coordinatorsWith(fault) };
}
