// The Worker's entry: what Cloudflare calls. Everything it does lives on the floors below.
import { readSettings } from "./contract/settings.ts";
import { dispatch } from "./gateway/dispatch.ts";
import { collectGarbage } from "./jobs/collect-garbage.ts";
import { forgetOldTokens } from "./jobs/forget-tokens.ts";
import { Counts } from "./state/counts.ts";
import { metadataShard } from "./state/metadata-shards.ts";
import { R2BlobStore } from "./state/r2-blob-store.ts";

export { KeyCoordinator } from "./state/key-coordinator.ts";

export default {
  fetch: dispatch,

  async scheduled(controller, env): Promise<void> {
    const { garbageCollection, recoveryWindowMs } = readSettings(env);
    const counts = new Counts();
    await forgetOldTokens(metadataShard(env, "", counts), controller.scheduledTime);
    if (!garbageCollection) return;
    const before = controller.scheduledTime - recoveryWindowMs;
    const collected = await collectGarbage(metadataShard(env, "", counts), new R2BlobStore(env.BLOBS, counts), before);
    console.log(JSON.stringify({ level: "info", job: "collect-garbage", collected, ...counts.snapshot() }));
  },
} satisfies ExportedHandler<Env>;
