// Lifts the deletion hold of a state folder.
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { applyToAll } from "../serve/migrations.ts";
import { lockState } from "../serve/state-lock.ts";
import { openState } from "./open-state.ts";

/**
 * Lifts the hold.
 * @returns the reason of the hold; undefined when there was none
 * @throws Error when the state is being served
 */
export async function resumeDeletions(state: string): Promise<string | undefined> {
  const unlock = await lockState(state);
  try {
    const open = await openState(state);
    try {
      await applyToAll(open.databases, readWranglerToml().d1.migrationsDir);
      const hold = await open.database.prepare("SELECT reason FROM deletion_hold").first<{ reason: string }>();
      await open.database.prepare("UPDATE deletion_hold SET lifted_at = ?").bind(Date.now()).run();
      return hold?.reason;
    } finally {
      await open.close();
    }
  } finally {
    unlock();
  }
}
