// The second way to a schema: the deployed Worker, which meets a schema older than its own, applies the migrations that
// it carries through its D1 binding. Any request sets that off, and so does its schedule.

const PAUSE_MS = 2000;
/** Longer than the schedule's interval. */
const PATIENCE_MS = 6 * 60_000;

/** Calls the Worker until the migrations are applied; false when they are not after six minutes. */
export async function waitForOwnMigrations(
  endpoints: readonly string[],
  isDone: () => Promise<boolean>,
): Promise<boolean> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    for (const endpoint of endpoints) await touch(endpoint);
    if (await isDone()) return true;
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Asks for nothing in particular: what counts is that the Worker looks at its database. */
async function touch(endpoint: string): Promise<void> {
  // A rehearsal serves the Worker on this machine.
  const edge = process.env["CAIRN_DEPLOY_EDGE"];
  try {
    const response = await fetch(edge ?? `${endpoint}/cairn-deployment`, { signal: AbortSignal.timeout(30_000) });
    await response.body?.cancel();
  } catch {
    // A new name on workers.dev takes a while to be found; the schedule migrates as well.
  }
}
