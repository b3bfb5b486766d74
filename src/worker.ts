// The Worker's entry: what Cloudflare calls. Everything it does lives on the floors below.
import { readSettings, settingProblems } from "./config/settings.ts";
import { dispatch } from "./gateway/dispatch.ts";
import { runJobs } from "./jobs/run-jobs.ts";
import { SCHEDULE } from "./jobs/schedule.ts";
import { Coordinators } from "./state/writes/coordinators.ts";
import { metadataShard } from "./state/d1/metadata-shards.ts";
import { R2BlobStore } from "./state/blobs/r2-blob-store.ts";

export { KeyCoordinator } from "./state/writes/key-coordinator.ts";

export default {
  fetch: dispatch,

  async scheduled(controller, env): Promise<void> {
    const settings = readSettings(env);
    for (const problem of settingProblems(env)) console.error(JSON.stringify({ level: "error", ...problem }));
    await runJobs(SCHEDULE, {
      now: controller.scheduledTime,
      clock: Date.now,
      settings,
      connect: (counts) => ({
        database: metadataShard(env, "", counts),
        blobs: new R2BlobStore(env.BLOBS, counts),
        coordinators: new Coordinators(env.COORDINATORS, settings.coordinatorShards, counts),
      }),
    });
  },
} satisfies ExportedHandler<Env>;
