// The part of the maintenance scripts that runs in the Workers runtime, because Cairn's shared code needs that runtime.
// It has Cairn's database and blobs, and only the scripts can reach it.
import { installWasmModules } from "../../../src/bytes/wasm-modules.ts";
import { settingsOf } from "../../../src/config/settings-of.ts";
import { connect } from "../../../src/contract/connections.ts";
import type { Job, JobContext } from "../../../src/jobs/job.ts";
import { backup } from "../../../src/jobs/backup.ts";
import { restore } from "../../../src/jobs/restore.ts";
import { rebuild } from "../../../src/jobs/rebuild/rebuild.ts";
import { resealSecrets } from "../../../src/jobs/reseal-secrets.ts";
import { examineBlob, expectationsOf, probeBlob } from "../../../src/jobs/scrub/examine-blob.ts";
import {
  checkReferences,
  confirmFindings,
  listingOf,
  type ReferenceReport,
} from "../../../src/state/repair/check-references.ts";
import {
  findEmptyDatabases,
  readDatabasesPage,
  restoreDatabasesPage,
} from "../../../src/state/repair/backup-databases.ts";
import { findMisplacedBuckets } from "../../../src/state/repair/placement-check.ts";
import {
  FIRST_POSITION,
  type BackupPage,
  type BackupPosition,
  type BackupStep,
} from "../../../src/state/repair/backup-pages.ts";
import { holdDeletions } from "../../../src/state/repair/deletion-hold.ts";
import { FIRST_COUNT, completeCounts, type CountPosition } from "../../../src/state/repair/restore-pages.ts";
import { Counts } from "../../../src/state/d1/counts.ts";

const CONFIRMATION_PAUSE_MS = 1000;
const PAGE_BLOBS = 500;

/** The result of a complete check. */
export interface Examination extends ReferenceReport {
  readonly blobs: number;
  readonly bytes: number;
}

installWasmModules();

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/fsck") return Response.json(await examine(env, searchParams.has("bytes")));
      if (pathname === "/rebuild") return Response.json(await runWholePass(env, rebuild));
      if (pathname === "/reseal") return Response.json(await runWholePass(env, resealSecrets));
      if (pathname === "/backup") return Response.json(await runWholePass(env, backup));
      if (pathname === "/restore") return Response.json(await runWholePass(env, restore));
      if (pathname === "/backup-page") return Response.json(await readPage(env, await request.json()));
      if (pathname === "/restore-page") return Response.json(await writePage(env, await request.json()));
      return new Response(null, { status: 404 });
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 });
    }
  },
} satisfies ExportedHandler<Env>;

async function examine(env: Env, readsBytes: boolean): Promise<Examination> {
  const counts = new Counts();
  const { databases, blobs } = connect(env, settingsOf(env), counts);
  const references = await confirmFindings(
    async () => {
      const report = await checkReferences(databases.all, listingOf(blobs));
      return { ...report, findings: [...report.findings, ...(await findMisplacedBuckets(databases))] };
    },
    () => new Promise((resolve) => setTimeout(resolve, CONFIRMATION_PAUSE_MS)),
  );
  const findings = [...references.findings];
  const total = { blobs: 0, bytes: 0 };
  for (let after: string | undefined, isLast = false; !isLast;) {
    const page = await blobs.list(after, PAGE_BLOBS);
    const expected = readsBytes ? await expectationsOf(databases.all, page.blobs) : new Map<string, never>();
    for (const blob of page.blobs) {
      total.blobs += 1;
      total.bytes += blob.size;
      const damage = readsBytes
        ? await examineBlob(blobs, blob, expected.get(blob.blobId))
        : await probeBlob(blobs, blob);
      if (damage !== undefined) findings.push(`blob ${blob.blobId}: ${damage.finding}`);
    }
    after = page.next;
    isLast = after === undefined;
  }
  return { ...total, findings, orphans: references.orphans };
}

/** The position at which a backup to a file continues, and its start. */
interface PageRequest {
  readonly at: BackupPosition | null;
  readonly began: number;
}

async function readPage(env: Env, { at, began }: PageRequest): Promise<BackupStep> {
  const { databases } = connect(env, settingsOf(env), new Counts());
  return readDatabasesPage(databases, at ?? FIRST_POSITION, began);
}

/** A page to write; undefined after the last one, when references are counted. */
interface RestoreRequest {
  readonly page?: BackupPage;
  readonly isFirst?: boolean;
  /** What the first request returned. */
  readonly into?: readonly string[];
}

interface RestoreResponse {
  readonly rows: number;
  /** The databases that are restored. */
  readonly into: readonly string[];
}

async function writePage(env: Env, { page, isFirst, into: given = [] }: RestoreRequest): Promise<RestoreResponse> {
  const { databases } = connect(env, settingsOf(env), new Counts());
  const into = isFirst === true ? await findEmptyDatabases(databases) : given;
  if (into.length === 0) throw new Error("the database is not empty");
  if (isFirst === true) {
    await databases.first.batch([holdDeletions("the database was restored from a backup in a file", Date.now())]);
  }
  if (page !== undefined) return { rows: await restoreDatabasesPage(databases, page, into), into };
  for (const name of into) {
    const database = databases.named(name);
    for (let at: CountPosition | undefined = FIRST_COUNT; at !== undefined;) at = await completeCounts(database, at);
  }
  return { rows: 0, into };
}

async function runWholePass(env: Env, job: Job): Promise<Record<string, number>> {
  const counts = new Counts();
  const settings = settingsOf(env);
  const context: JobContext = {
    ...connect(env, settings, counts),
    settings,
    env,
    now: Date.now(),
    budget: { callsLeft: () => Infinity, isSpent: () => false },
  };
  const report: Record<string, number> = {};
  let cursor: string | null = null;
  do {
    const step = await job.step(context, cursor);
    for (const [name, value] of Object.entries(step.report)) report[name] = (report[name] ?? 0) + value;
    ({ cursor } = step);
  } while (cursor !== null);
  return report;
}
