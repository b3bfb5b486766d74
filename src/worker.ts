// The Worker's entry: what Cloudflare calls. Everything it does lives on the floors below.
import { settingsOf } from "./config/settings-of.ts";
import { settingProblems } from "./config/settings.ts";
import { connect } from "./contract/connections.ts";
import { app } from "./gateway/app.ts";
import { runJobs } from "./jobs/run-jobs.ts";
import { SCHEDULE } from "./jobs/schedule.ts";

export { KeyCoordinator } from "./state/writes/key-coordinator.ts";

export default {
  fetch: (request: Request, env, execution) => app.fetch(request, env, execution),

  async scheduled(controller, env): Promise<void> {
    const settings = settingsOf(env);
    for (const problem of settingProblems(env)) console.error(JSON.stringify({ level: "error", ...problem }));
    await runJobs(SCHEDULE, {
      now: controller.scheduledTime,
      clock: Date.now,
      settings,
      connect: (counts) => connect(env, settings, counts),
    });
  },
} satisfies ExportedHandler<Env>;
