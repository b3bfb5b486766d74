// Actions at the moment of a coordinator's commit, and statuses of requests to snapshots.
import { send, type SendOptions } from "../support/client.ts";
import type { BatchFault } from "../support/faults.ts";

/** Runs an action once, just before the first commit of a coordinator. */
export function beforeCommit(action: () => Promise<void>): BatchFault {
  let isFirst = true;
  return async (sql, pass) => {
    if (isFirst && sql.some((text) => text.includes("commit_guard"))) {
      isFirst = false;
      await action();
    }
    return pass();
  };
}

export async function statusOf(method: string, target: string, options: SendOptions = {}): Promise<number> {
  const response = await send(method, target, options);
  await response.arrayBuffer();
  return response.status;
}
