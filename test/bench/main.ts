// `npm run bench`: how much longer a request to Cairn takes than the storage calls that it consists of. Both sides run in one
// runtime and take turns, so that whatever else the machine does falls on both.
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { V4WorkerOptions } from "miniflare";
import { type Case, cases, prepare } from "./cases.ts";
import { MeasuringClient } from "./client.ts";
import { type Measured, table } from "./report.ts";
import { CREDENTIALS, bareRequest, signedRequest } from "./signer.ts";
import { temporaryState } from "./temporary-state.ts";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { readWranglerToml } from "../../scripts/project/wrangler-toml.ts";
import { bundleWorker } from "../../scripts/serve/bundle.ts";
import { serveCairn } from "../../scripts/serve/runtime.ts";

async function bareWorker(): Promise<V4WorkerOptions> {
  const contents = await bundleWorker(join(import.meta.dirname, "bare-worker.ts"));
  return {
    name: "bare",
    modules: [{ type: "ESModule", path: "bare-worker.js", contents }],
    modulesRoot: "/",
    compatibilityDate: readWranglerToml().compatibilityDate,
    d1Databases: { DB: "bare" },
    r2Buckets: { BLOBS: "bare" },
    durableObjects: { COMMITTER: { className: "BareCommitter", useSQLite: true } },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

async function measure(one: Case, cairnUrl: string, bareUrl: string): Promise<Measured> {
  const sides = { cairn: new MeasuringClient(), bare: new MeasuringClient() };
  const { cairn, bare } = await prepare(one, cairnUrl, bareUrl, (request) => sides.bare.exchange(request));
  const measured = { case: one, cairnMs: new Array<number>(), bareMs: new Array<number>() };
  for (const [sample, cairnRequest] of cairn.entries()) {
    const bareRequest = bare[sample];
    if (bareRequest === undefined) break;
    const turns = [
      async () => measured.cairnMs.push((await sides.cairn.exchange(cairnRequest)).ms),
      async () => measured.bareMs.push((await sides.bare.exchange(bareRequest)).ms),
    ];
    // Neither side always comes after the other.
    if (sample % 2 === 1) turns.reverse();
    for (const turn of turns) await turn();
  }
  sides.cairn.close();
  sides.bare.close();
  return { ...measured, cairnMs: measured.cairnMs.slice(1), bareMs: measured.bareMs.slice(1) };
}

const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;
const cairn = await serveCairn({
  port: 0,
  host: "127.0.0.1",
  state: temporaryState(),
  bindings: {
    [ACCESS_KEY_ID]: CREDENTIALS.accessKeyId,
    [SECRET_ACCESS_KEY]: CREDENTIALS.secretAccessKey,
    LOG_REQUESTS: "false",
  },
  beside: [await bareWorker()],
});
try {
  const bareUrl = await cairn.urlOf("bare");
  const client = new MeasuringClient();
  await client.exchange(await signedRequest("PUT", `${cairn.url}/bench`));
  await client.exchange(bareRequest("POST", bareUrl));
  client.close();
  const measured: Measured[] = [];
  for (const one of cases(quick)) {
    process.stderr.write(`${one.title}\n`);
    measured.push(await measure(one, cairn.url, bareUrl));
  }
  console.log(table(measured));
} finally {
  await cairn.stop();
}
