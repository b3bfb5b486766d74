// The Worker's entry point: the handlers that Cloudflare calls.
import { installWasmModules } from "./bytes/wasm-modules.ts";
import { settingsOf } from "./config/settings-of.ts";
import { settingProblems } from "./config/setting-problems.ts";
import { connect } from "./contract/connections.ts";
import { answerRequest } from "./gateway/app.ts";
import { findDeletionHold } from "./jobs/deletion-hold.ts";
import { runJobs } from "./jobs/run-jobs.ts";
import { scheduleUnder } from "./jobs/schedule.ts";
import { Counts } from "./state/d1/counts.ts";
import { databaseBindings } from "./state/d1/databases.ts";
import { repairSchema } from "./state/d1/schema-repair.ts";

export { CachedBlob } from "./gateway/cached-blob.ts";
export { KeyCoordinator } from "./state/writes/key-coordinator.ts";

installWasmModules();

export default {
  fetch: (request: Request, env, execution) => answerRequest(request, env, execution),

  async scheduled({ scheduledTime, cron }, env): Promise<void> {
    // The next tick then finds the expected schema.
    await runSchedule(scheduledTime, cron, env).catch((error: unknown) => repairSchema(databaseBindings(env), error));
  },
} satisfies ExportedHandler<Env>;

async function runSchedule(now: number, cron: string, env: Env): Promise<void> {
  const settings = settingsOf(env);
  for (const problem of settingProblems(env)) console.error(JSON.stringify({ level: "error", ...problem }));
  const connections = connect(env, settings, new Counts());
  const hold = await findDeletionHold(connections, now);
  if (hold !== undefined) console.warn(JSON.stringify({ level: "warn", message: "deletions are on hold", hold }));
  await runJobs(scheduleUnder(hold, cron, connections.databases.areSeveral), {
    now,
    clock: Date.now,
    settings,
    env,
    connect: (counts) => connect(env, settings, counts),
  });
}
