// `npm run test:crash`: kills a served Cairn in the middle of its work, again and again, and verifies after each restart
// that what it had acknowledged is there, that the rest is wholly there or not at all, and that its books are in order.
import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { examine } from "./references.ts";
import { Requests } from "./requests.ts";
import { Tenant } from "./tenant.ts";
import { readCommandLine } from "../../scripts/project/command-line.ts";
import { makeCredentials } from "../../scripts/project/credentials.ts";

const TENANTS = 16;
const BIG_BYTES = 6 * 1024 ** 2;
const MIN_LOAD_MS = 800;
const MAX_LOAD_MS = 4000;
const MIN_ANSWERED = 20;
const PAUSE_MS = 100;
const MAX_PAUSES = 100;

const USAGE = "Usage: npm run test:crash -- [--rounds N] [--inline BYTES]";
const values = readCommandLine(USAGE, {
  rounds: { type: "string", default: "8" },
  inline: { type: "string", default: "" },
});
if (!/^[1-9]\d*$/.test(values.rounds) || !/^\d*$/.test(values.inline)) {
  console.error(USAGE);
  process.exit(2);
}
/** Bodies of up to this length are stored in the database; those of the default if it is empty. */
const settings = { INLINE_MAX_BYTES: values.inline };
const credentials = makeCredentials();
const state = mkdtempSync(join(tmpdir(), "cairn-crash-"));
let [passed, failed, skipped] = [0, 0, 0];

/** Counts and prints one check; what is wrong with it, if anything. */
function report(name: string, wrong: readonly string[]): void {
  if (wrong.length === 0) passed += 1;
  else failed += 1;
  console.log(`${wrong.length === 0 ? "ok  " : "FAIL"} ${name}`);
  for (const line of wrong.slice(0, 10)) console.log(`     ${line}`);
}

async function makeBuckets(requests: Requests, big: Buffer): Promise<void> {
  const enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  const answers = [
    await requests.send("PUT", "/plain"),
    await requests.send("PUT", "/versioned"),
    await requests.send("PUT", "/versioned?versioning", {}, enabled),
    await requests.send("PUT", "/plain/big", {}, big),
  ];
  if (answers.some(({ status }) => status !== 200)) throw new Error("the buckets could not be made");
}

/** Puts the server under load until it is killed. */
async function loadAndKill(tenants: readonly Tenant[], requests: Requests, kill: () => Promise<void>): Promise<void> {
  const life = new AbortController();
  const work = tenants.map(async (tenant) => {
    while (!life.signal.aborted) await tenant.act(requests);
  });
  const enough = requests.answered + MIN_ANSWERED;
  await pause(randomInt(MIN_LOAD_MS, MAX_LOAD_MS));
  // A kill that meets no work proves nothing; a slow machine gets more time.
  for (let pauses = 0; requests.answered < enough && pauses < MAX_PAUSES; pauses += 1) await pause(PAUSE_MS);
  life.abort();
  await kill();
  await Promise.all(work);
}

/** A completion that was killed before its answer may lack its proof, which a retry or the scrub stores. */
async function reportReferences(name: string, tenants: readonly Tenant[]): Promise<void> {
  const { findings, orphans } = await examine(state);
  const wrong = findings.filter((finding) => {
    const uploadId = /^blob \S+\/(\w+)-proof is missing: .*could not be rebuilt$/.exec(finding)?.[1];
    return uploadId === undefined || tenants.some(({ completedUploads }) => completedUploads.has(uploadId));
  });
  report(`${name}: nothing dangles (${orphans.length} orphans)`, wrong);
}

async function verify(name: string, tenants: readonly Tenant[], requests: Requests): Promise<void> {
  await Promise.all(tenants.map((tenant) => tenant.verify(requests)));
  report(
    `${name}: what was acknowledged is there, the rest wholly or not at all`,
    tenants.flatMap((tenant) => tenant.violations.splice(0)),
  );
}

async function main(rounds: number): Promise<void> {
  const big = { path: "/plain/big", bytes: randomBytes(BIG_BYTES) };
  const tenants = Array.from({ length: TENANTS }, (_, index) => {
    const isVersioned = index % 4 === 3;
    return new Tenant(`/${isVersioned ? "versioned" : "plain"}/tenant-${index}`, isVersioned, big);
  });
  for (let round = 1; round <= rounds; round += 1) {
    const cairn = await startCairn({ state, credentials, settings });
    const requests = new Requests(cairn.url, credentials);
    if (round === 1) await makeBuckets(requests, big.bytes);
    else await verify(`restart ${round - 1}`, tenants, requests);
    const before = { answered: requests.answered, open: openOf(tenants) };
    await loadAndKill(tenants, requests, () => cairn.kill());
    const answered = requests.answered - before.answered;
    const name = `kill ${round} after ${answered} answers, ${openOf(tenants) - before.open} requests left open`;
    report(
      `${name}: every answer was possible`,
      tenants.flatMap((tenant) => tenant.violations.splice(0)),
    );
    if (answered < MIN_ANSWERED) skipped += 1;
    await reportReferences(`kill ${round}`, tenants);
  }
  const cairn = await startCairn({ state, credentials, settings });
  await verify(`restart ${rounds}`, tenants, new Requests(cairn.url, credentials));
  await cairn.stop();
  await reportReferences("stop", tenants);
}

function openOf(tenants: readonly Tenant[]): number {
  return tenants.reduce((sum, { open }) => sum + open, 0);
}

try {
  await main(Number(values.rounds));
} catch (error) {
  report("the crash test itself", [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
} finally {
  endRunningCairns();
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`crash: ${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
