// The part of the maintenance scripts that runs in the Workers runtime, where the code that it shares with Cairn is at
// home. It has Cairn's database and blobs, and no door but the one that the scripts open.
import { readSettings } from "../../../src/config/settings.ts";
import type { JobContext } from "../../../src/jobs/job.ts";
import { rebuild } from "../../../src/jobs/rebuild.ts";
import { examineBlob, expectationsOf, probeBlob } from "../../../src/jobs/examine-blob.ts";
import {
  checkReferences,
  confirmFindings,
  listingOf,
  type ReferenceReport,
} from "../../../src/state/repair/check-references.ts";
import { Coordinators } from "../../../src/state/writes/coordinators.ts";
import { Counts } from "../../../src/state/d1/counts.ts";
import { Database } from "../../../src/state/d1/database.ts";
import { R2BlobStore } from "../../../src/state/blobs/r2-blob-store.ts";

const CONFIRMATION_PAUSE_MS = 1000;
const PAGE_BLOBS = 500;

/** What a check of everything says. */
export interface Examination extends ReferenceReport {
  readonly blobs: number;
  readonly bytes: number;
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/fsck") return Response.json(await examine(env, searchParams.has("bytes")));
      if (pathname === "/rebuild") return Response.json(await rebuildAll(env));
      return new Response(null, { status: 404 });
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 });
    }
  },
} satisfies ExportedHandler<Env>;

async function examine(env: Env, isReadingBytes: boolean): Promise<Examination> {
  const counts = new Counts();
  const database = new Database(env.DB, counts);
  const blobs = new R2BlobStore(env.BLOBS, counts);
  const references = await confirmFindings(
    () => checkReferences(database, listingOf(blobs)),
    () => new Promise((resolve) => setTimeout(resolve, CONFIRMATION_PAUSE_MS)),
  );
  const findings = [...references.findings];
  const total = { blobs: 0, bytes: 0 };
  for (let after: string | undefined, isLast = false; !isLast;) {
    const page = await blobs.list(after, PAGE_BLOBS);
    const expected = isReadingBytes ? await expectationsOf(database, page.blobs) : new Map<string, never>();
    for (const blob of page.blobs) {
      total.blobs += 1;
      total.bytes += blob.size;
      const damage = isReadingBytes
        ? await examineBlob(blobs, blob, expected.get(blob.blobId))
        : await probeBlob(blobs, blob);
      if (damage !== undefined) findings.push(`blob ${blob.blobId}: ${damage.finding}`);
    }
    after = page.next;
    isLast = after === undefined;
  }
  return { ...total, findings, orphans: references.orphans };
}

async function rebuildAll(env: Env): Promise<Record<string, number>> {
  const counts = new Counts();
  const settings = readSettings(env);
  const context: JobContext = {
    database: new Database(env.DB, counts),
    blobs: new R2BlobStore(env.BLOBS, counts),
    coordinators: new Coordinators(env.COORDINATORS, settings.coordinatorShards, counts),
    settings,
    now: Date.now(),
    budget: { callsLeft: () => Infinity, isSpent: () => false },
  };
  const report: Record<string, number> = {};
  let cursor: string | null = null;
  do {
    const step = await rebuild.step(context, cursor);
    for (const [name, value] of Object.entries(step.report)) report[name] = (report[name] ?? 0) + value;
    ({ cursor } = step);
  } while (cursor !== null);
  return report;
}
