// Checks what a dead server has left behind, past it: its databases and blobs are opened by a runtime of their own.
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { checkHoldings, type Holdings } from "../../src/state/check-holdings.ts";
import { Counts } from "../../src/state/counts.ts";
import { Database } from "../../src/state/database.ts";
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { QuietLog } from "../serve/quiet-log.ts";
import { tieWorkerdToThisProcess } from "../serve/workerd.ts";

/** Checks everything in a state folder that no server uses. */
export async function examine(state: string): Promise<Holdings> {
  const { d1, r2, compatibilityDate } = readWranglerToml();
  tieWorkerdToThisProcess();
  const log = new QuietLog();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log,
      cf: false,
      telemetry: { enabled: false },
      unsafeObservability: false,
      resourcePersistencePath: state,
      workers: [
        {
          // The name under which the server keeps its state.
          name: "cairn",
          modules: [{ type: "ESModule", path: "worker.js", contents: "export default {};" }],
          modulesRoot: "/",
          compatibilityDate,
          d1Databases: { [d1.binding]: d1.binding },
          r2Buckets: { [r2.binding]: r2.binding },
        },
      ],
    }),
  );
  try {
    const blobs = await miniflare.getR2Bucket(r2.binding);
    const database = new Database(await miniflare.getD1Database(d1.binding), new Counts());
    return await checkHoldings(database, async (cursor) => {
      const page = await blobs.list(cursor === undefined ? {} : { cursor });
      return {
        blobs: page.objects.map(({ key, size }) => ({ blobId: key, size })),
        cursor: page.truncated ? page.cursor : undefined,
      };
    });
  } finally {
    log.silence();
    await miniflare.dispose();
  }
}
