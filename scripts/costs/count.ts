// Counts what each operation costs: a served Cairn behind counting bindings, a user's credentials, one request at a time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ACCESS_KEY_ID, makeCredentials, SECRET_ACCESS_KEY } from "../project/credentials.ts";
import { MASTER_KEY, makeMasterKey } from "../project/master-key.ts";
import { serveCairn } from "../serve/runtime.ts";
import { Caller } from "../tenancy/caller.ts";
import { addUser } from "../tenancy/tenants.ts";
import { OPERATIONS } from "./operations.ts";
import { PACKING } from "./packing.ts";
import { BUCKET, Site, type CountedOperation } from "./site.ts";
import { NOTHING, plus, type Tally } from "./tally.ts";

const WORKER = resolve(import.meta.dirname, "worker", "worker.ts");
const POLL_MS = 20;

export interface Counted {
  readonly operation: CountedOperation;
  readonly tally: Tally;
}

// A write of the usage counters serves many requests, at intervals, and would be counted for one of them. A read that is
// verified by chance takes other calls than one that is not. Reads from a cache, and of bodies in the database, are
// operations of their own.
const SETTINGS = {
  LOG_REQUESTS: "true",
  VERIFY_READS: "off",
  EDGE_CACHE: "off",
  USAGE: "false",
  INLINE_MAX_BYTES: "0",
};

/** Counts every operation, each in an empty bucket. The counts are the same on every machine. */
export async function countOperations(onStart: (title: string) => void): Promise<Counted[]> {
  const groups = new Map<string, CountedOperation[]>();
  for (const operation of [...OPERATIONS, PACKING]) {
    const settings = JSON.stringify(operation.settings ?? {});
    groups.set(settings, [...(groups.get(settings) ?? []), operation]);
  }
  const counted: Counted[] = [];
  for (const group of groups.values()) counted.push(...(await countGroup(group, onStart)));
  return counted;
}

/** Counts operations that are sent to one served Cairn. */
async function countGroup(
  operations: readonly CountedOperation[],
  onStart: (title: string) => void,
): Promise<Counted[]> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-costs-"));
  const root = makeCredentials();
  const bindings = {
    [ACCESS_KEY_ID]: root.accessKeyId,
    [SECRET_ACCESS_KEY]: root.secretAccessKey,
    [MASTER_KEY]: makeMasterKey(),
    ...SETTINGS,
    ...operations[0]?.settings,
  };
  const state = join(folder, "state");
  // Calls of the disk store are not R2's.
  const options = { state, bindings, main: WORKER, blobs: "r2", onLog: () => undefined } as const;
  const cairn = await serveCairn({ port: 0, host: "127.0.0.1", ...options });
  try {
    const place = { endpoint: cairn.url, region: "auto" };
    const Statement = [{ Effect: "Allow", Action: "s3:*", Resource: "*" }];
    const { keys } = await addUser(new Caller(place, root), "costs", { Version: "2012-10-17", Statement }, "/");
    const user = new Caller(place, keys);
    const counted: Counted[] = [];
    for (const operation of operations) {
      onStart(operation.title);
      counted.push({ operation, tally: await count(operation, user) });
    }
    return counted;
  } finally {
    await cairn.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function count(operation: CountedOperation, user: Caller): Promise<Tally> {
  await user.s3("PUT", `/${BUCKET}`);
  const site = new Site(user);
  const run = await operation.prepare(site);
  await takeTally(user.place.endpoint);
  await run();
  const tally = await takeTally(user.place.endpoint);
  await empty(site, user);
  return plus(NOTHING, tally, 1 / (operation.times ?? 1));
}

/** Empties and deletes the bucket, so that the next operation finds as many rows as on any other run. */
async function empty(site: Site, user: Caller): Promise<void> {
  const { text: uploads } = await site.send("GET", "?uploads");
  for (const [, key = "", id = ""] of uploads.matchAll(/<Key>(.*?)<\/Key><UploadId>(.*?)<\/UploadId>/g))
    await site.send("DELETE", `/${key}?uploadId=${id}`);
  const { text } = await site.send("GET", "?list-type=2");
  const keys = Array.from(text.matchAll(/<Key>(.*?)<\/Key>/g), ([, key = ""]) => `<Object><Key>${key}</Key></Object>`);
  if (keys.length > 0) await site.send("POST", "?delete", { body: `<Delete>${keys.join("")}</Delete>` });
  const { status } = await user.s3("DELETE", `/${BUCKET}`);
  if (status !== 204) throw new Error(`DeleteBucket is answered ${status}`);
}

/** What was counted since the last call, once no work is left in the background. */
async function takeTally(endpoint: string): Promise<Tally> {
  for (;;) {
    const response = await fetch(`${endpoint}/-/tally`);
    // What the counting Worker returns.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (response.ok) return (await response.json()) as Tally;
    await response.body?.cancel();
    await sleep(POLL_MS);
  }
}
