// The part of the maintenance scripts that runs in the Workers runtime, because Cairn's shared code needs that runtime.
// It has Cairn's database and blobs, and only the scripts can reach it.
import { settingsOf } from "../../../src/config/settings-of.ts";
import { connect } from "../../../src/contract/connections.ts";
import type { Job, JobContext } from "../../../src/jobs/job.ts";
import { rebuild } from "../../../src/jobs/rebuild.ts";
import { resealSecrets } from "../../../src/jobs/reseal-secrets.ts";
import { examineBlob, expectationsOf, probeBlob } from "../../../src/jobs/examine-blob.ts";
import {
  checkReferences,
  confirmFindings,
  listingOf,
  type ReferenceReport,
} from "../../../src/state/repair/check-references.ts";
import { Counts } from "../../../src/state/d1/counts.ts";

const CONFIRMATION_PAUSE_MS = 1000;
const PAGE_BLOBS = 500;

/** The result of a complete check. */
export interface Examination extends ReferenceReport {
  readonly blobs: number;
  readonly bytes: number;
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/fsck") return Response.json(await examine(env, searchParams.has("bytes")));
      if (pathname === "/rebuild") return Response.json(await runWholePass(env, rebuild));
      if (pathname === "/reseal") return Response.json(await runWholePass(env, resealSecrets));
      return new Response(null, { status: 404 });
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 });
    }
  },
} satisfies ExportedHandler<Env>;

async function examine(env: Env, readsBytes: boolean): Promise<Examination> {
  const counts = new Counts();
  const { database, blobs } = connect(env, settingsOf(env), counts);
  const references = await confirmFindings(
    () => checkReferences(database, listingOf(blobs)),
    () => new Promise((resolve) => setTimeout(resolve, CONFIRMATION_PAUSE_MS)),
  );
  const findings = [...references.findings];
  const total = { blobs: 0, bytes: 0 };
  for (let after: string | undefined, isLast = false; !isLast;) {
    const page = await blobs.list(after, PAGE_BLOBS);
    const expected = readsBytes ? await expectationsOf(database, page.blobs) : new Map<string, never>();
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

async function runWholePass(env: Env, job: Job): Promise<Record<string, number>> {
  const counts = new Counts();
  const settings = settingsOf(env);
  const context: JobContext = {
    ...connect(env, settings, counts),
    settings,
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
