// The Worker's entry: what Cloudflare calls. Everything it does lives on the floors below.
import { settingsOf } from "./config/settings-of.ts";
import { settingProblems } from "./config/settings.ts";
import { connect } from "./contract/connections.ts";
import { app } from "./gateway/app.ts";
import { findDeletionHold } from "./jobs/deletion-hold.ts";
import { runJobs } from "./jobs/run-jobs.ts";
import { scheduleUnder } from "./jobs/schedule.ts";
import { Counts } from "./state/d1/counts.ts";

export { KeyCoordinator } from "./state/writes/key-coordinator.ts";

export default {
  fetch: (request: Request, env, execution) => app.fetch(request, env, execution),

  async scheduled(controller, env): Promise<void> {
    const settings = settingsOf(env);
    for (const problem of settingProblems(env)) console.error(JSON.stringify({ level: "error", ...problem }));
    const now = controller.scheduledTime;
    const hold = await findDeletionHold(connect(env, settings, new Counts()), now);
    if (hold !== undefined) console.warn(JSON.stringify({ level: "warn", message: "deletions are on hold", hold }));
    await runJobs(scheduleUnder(hold), {
      now,
      clock: Date.now,
      settings,
      connect: (counts) => connect(env, settings, counts),
    });
  },
} satisfies ExportedHandler<Env>;
