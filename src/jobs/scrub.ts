// Goes through the rows and asks the store for each blob that they need. Then it reads all blobs again, little by little,
// and compares them with what is known of their bytes. What it finds is remembered and logged, and nothing is ever
// deleted because of it. A blob that cannot be read has a second look in the next step, and holds nothing else up.
import type { BlobEntry } from "../state/blobs/blob-store.ts";
import { FIRST_NEED, lookUpNeededBlobs, type NeedPosition } from "../state/repair/needed-blobs.ts";
import {
  purgeFindings,
  purgeFindingsBefore,
  recordFindings,
  type ScrubFinding,
} from "../state/metadata/scrub-findings.ts";
import { examineBlob, expectationsOf } from "./examine-blob.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

const PAGE_BLOBS = 100;
const PAGE_NEEDS = 200;
/** A Worker has six connections. */
const HEADS_AT_ONCE = 6;

interface Progress {
  /** When the pass began. */
  readonly began: number;
  /** The blob up to which the store's list has been gone through. */
  readonly after: string | undefined;
  /** The tick of the step before, and how many bytes have been read in it. */
  readonly tick: number;
  readonly bytes: number;
  /** The blobs that could not be read in the step before, which are findings if they cannot be read again. */
  readonly doubtful?: readonly string[];
  /** Where the pass is among the rows; undefined once it goes through the store's list. */
  readonly need?: NeedPosition;
}

/** What looks at blobs have shown. */
interface Looks {
  readonly sound: string[];
  readonly findings: ScrubFinding[];
}

export const scrub: Job = {
  name: "scrub",

  async step(context, cursor) {
    const progress = readProgress(cursor, context.now);
    const looks: Looks = { sound: [], findings: [] };
    await lookAgain(context, progress.doubtful ?? [], looks);
    const step = progress.need === undefined ? readPage : askForPage;
    const { reached, report, isTickOver } = await step(context, progress, looks);
    const findings = looks.findings.length;
    await context.database.batch([purgeFindings(looks.sound), recordFindings(looks.findings, context.now)]);
    if (reached !== undefined) {
      return { cursor: JSON.stringify(reached), report: { ...report, findings }, isTickOver };
    }
    // What a whole pass has not found again is of blobs that are gone and that nobody misses.
    await context.database.batch([purgeFindingsBefore(progress.began)]);
    return { cursor: null, report: { ...report, findings } };
  },
};

interface PageStep extends Pick<JobStep, "report"> {
  /** Undefined where the pass is over. */
  readonly reached: Progress | undefined;
  readonly isTickOver: boolean;
}

/** Reads blobs until the page is over or the tick's bytes are read; the last one may be larger than what was left. */
async function readPage(context: JobContext, progress: Progress, looks: Looks): Promise<PageStep> {
  const { began, after, tick, bytes: ofTick } = progress;
  const { database, blobs, settings, now, budget } = context;
  const spent = tick === now ? ofTick : 0;
  const page = await blobs.list(after, PAGE_BLOBS);
  const expected = await expectationsOf(database, page.blobs);
  const doubtful: string[] = [];
  let read = 0;
  let bytes = 0;
  let skipped = 0;
  for (const blob of page.blobs) {
    if (blob.isInfrequentAccess && !settings.scrubInfrequentAccess) {
      // That it is listed is all that is looked at.
      read += 1;
      skipped += 1;
      continue;
    }
    if (spent + bytes >= settings.scrubBytesPerTick || budget.isSpent()) break;
    const damage = await examineBlob(blobs, blob, expected.get(blob.blobId));
    if (damage === undefined) looks.sound.push(blob.blobId);
    else if (damage.isUnread) doubtful.push(blob.blobId);
    else looks.findings.push({ blobId: blob.blobId, finding: damage.finding });
    read += 1;
    bytes += blob.size;
  }
  const isPageOver = read === page.blobs.length;
  const reached = { began, after: page.blobs[read - 1]?.blobId ?? after, tick: now, bytes: spent + bytes, doubtful };
  // Doubtful blobs of the last page are looked at in a step of their own.
  const isOver = isPageOver && page.next === undefined && doubtful.length === 0;
  return {
    reached: isOver ? undefined : reached,
    report: { blobs: read - skipped, bytes, skipped },
    isTickOver: !isPageOver,
  };
}

/** Asks the store for the blobs of a page of rows, which need them. */
async function askForPage(
  { database, blobs, budget, now }: JobContext,
  { need: position = FIRST_NEED, ...progress }: Progress,
  { findings }: Looks,
): Promise<PageStep> {
  const { needs, next } = await database.look(lookUpNeededBlobs(position, PAGE_NEEDS));
  const doubtful: string[] = [];
  let asked = 0;
  while (asked < needs.length && !budget.isSpent()) {
    const together = needs.slice(asked, asked + Math.min(HEADS_AT_ONCE, Math.max(1, budget.callsLeft())));
    await Promise.all(
      together.map(async ({ blobId, neededBy }) => {
        try {
          // A row outlives no blob: what was deleted since had lost its last row hours before.
          if ((await blobs.head(blobId)) === undefined)
            findings.push({ blobId, finding: `it is missing, and ${neededBy} needs it` });
        } catch {
          doubtful.push(blobId);
        }
      }),
    );
    asked += together.length;
  }
  const isPageOver = asked === needs.length;
  const need = isPageOver ? next : (needs[asked - 1]?.position ?? position);
  const reached = {
    ...progress,
    tick: now,
    bytes: progress.tick === now ? progress.bytes : 0,
    doubtful,
    ...(need === undefined ? {} : { need }),
  };
  return { reached, report: { needed: asked }, isTickOver: !isPageOver };
}

/** Looks at the blobs again that could not be read in the step before. */
async function lookAgain({ database, blobs }: JobContext, doubtful: readonly string[], looks: Looks): Promise<void> {
  const entries: BlobEntry[] = [];
  for (const blobId of doubtful) {
    try {
      const entry = await blobs.head(blobId);
      if (entry !== undefined) entries.push(entry);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      looks.findings.push({ blobId, finding: `it cannot be read: ${message}` });
    }
  }
  if (entries.length === 0) return;
  const expected = await expectationsOf(database, entries);
  for (const entry of entries) {
    const { blobId } = entry;
    const damage = await examineBlob(blobs, entry, expected.get(blobId));
    if (damage === undefined) looks.sound.push(blobId);
    else looks.findings.push({ blobId, finding: damage.finding });
  }
}

function readProgress(cursor: string | null, now: number): Progress {
  if (cursor === null) return { began: now, after: undefined, tick: now, bytes: 0, need: FIRST_NEED };
  // What a step wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
