// Checks that the store has every blob that rows reference, and stores lost completion proofs again. Then it reads all
// blobs, some in each tick, and compares them with the rows and with the store's record. It stores and logs findings and
// deletes nothing. The next step retries an unreadable blob once, so that it delays nothing else.
import { parsePackMetadata } from "../../protocol/objects/pack-directory.ts";
import type { BlobEntry } from "../../state/blobs/blob-store.ts";
import { restoreProof } from "../../state/metadata/completion-proofs.ts";
import { FIRST_NEED, lookUpNeededBlobs, type NeededBlob, type NeedPosition } from "../../state/repair/needed-blobs.ts";
import {
  purgeFindings,
  purgeFindingsBefore,
  recordFindings,
  type ScrubFinding,
} from "../../state/metadata/scrub-findings.ts";
import { examineBlob, expectationsOf, type Damage } from "./examine-blob.ts";
import { examinePack } from "./examine-pack.ts";
import { databaseAfter } from "../over-databases.ts";
import type { Job, JobContext, JobStep } from "../job.ts";

const PAGE_BLOBS = 100;
const PAGE_NEEDS = 200;
/** A Worker has six connections. */
const HEADS_AT_ONCE = 6;
/** A request for the blob; for a lost proof also a lookup and a put. */
const CALLS_PER_NEED = 3;

interface Progress {
  /** When the pass began, in milliseconds since the epoch. */
  readonly began: number;
  /** The last blob id of the store's list that the pass has processed. */
  readonly after: string | undefined;
  /** The tick of the previous step, and the bytes read within it. */
  readonly tick: number;
  readonly bytes: number;
  /** The blobs that the previous step could not read. They become findings if the second attempt fails, too. */
  readonly doubtful?: readonly string[];
  /** The position among the rows; undefined once the pass reads the store's list. */
  readonly need?: NeedPosition;
  /** The further database of the position; undefined: the first. */
  readonly needIn?: string;
}

/** The results of the examined blobs. */
interface Results {
  readonly sound: string[];
  readonly findings: ScrubFinding[];
}

export const scrub: Job = {
  name: "scrub",

  async step(context, cursor) {
    const progress = readProgress(cursor, context.now);
    const results: Results = { sound: [], findings: [] };
    await retryUnreadable(context, progress.doubtful ?? [], results);
    const step = progress.need === undefined ? readPage : checkPage;
    const { reached, report, endsTick } = await step(context, progress, results);
    const findings = results.findings.length;
    await context.database.batch([purgeFindings(results.sound), recordFindings(results.findings, context.now)]);
    if (reached !== undefined) {
      return { cursor: JSON.stringify(reached), report: { ...report, findings }, endsTick };
    }
    // Findings that a whole pass has not confirmed belong to blobs that no longer exist and that no row needs.
    await context.database.batch([purgeFindingsBefore(progress.began)]);
    return { cursor: null, report: { ...report, findings } };
  },
};

interface PageStep extends Pick<JobStep, "report"> {
  /** Undefined when the pass is complete. */
  readonly reached: Progress | undefined;
  readonly endsTick: boolean;
}

/** Reads blobs until the page ends or the tick's byte budget is spent. The last blob may exceed the budget. */
async function readPage(context: JobContext, progress: Progress, results: Results): Promise<PageStep> {
  const { began, after, tick, bytes: ofTick } = progress;
  const { databases, blobs, settings, now, budget } = context;
  const spent = tick === now ? ofTick : 0;
  const page = await blobs.list(after, PAGE_BLOBS);
  const expected = await expectationsOf(databases.all, page.blobs);
  const doubtful: string[] = [];
  let read = 0;
  let bytes = 0;
  let skipped = 0;
  for (const blob of page.blobs) {
    if (blob.isInfrequentAccess && !settings.scrubInfrequentAccess) {
      // The list shows that the blob exists; reading it would cost a retrieval fee.
      read += 1;
      skipped += 1;
      continue;
    }
    if (spent + bytes >= settings.scrubBytesPerTick || budget.isSpent()) break;
    const damage = await examineListed(context, blob, expected, results);
    if (damage === undefined) results.sound.push(blob.blobId);
    else if (damage.isUnread) doubtful.push(blob.blobId);
    else results.findings.push({ blobId: blob.blobId, finding: damage.finding });
    read += 1;
    bytes += blob.size;
  }
  const isPageOver = read === page.blobs.length;
  const reached = { began, after: page.blobs[read - 1]?.blobId ?? after, tick: now, bytes: spent + bytes, doubtful };
  // Unreadable blobs of the last page get a step of their own.
  const isOver = isPageOver && page.next === undefined && doubtful.length === 0;
  return {
    reached: isOver ? undefined : reached,
    report: { blobs: read - skipped, bytes, skipped },
    endsTick: !isPageOver,
  };
}

/** Reads a blob; of a pack, the small blobs in it too. */
async function examineListed(
  { databases, blobs }: Pick<JobContext, "databases" | "blobs">,
  blob: BlobEntry,
  expected: Awaited<ReturnType<typeof expectationsOf>>,
  { findings }: Results,
): Promise<Damage | undefined> {
  if (parsePackMetadata(blob.recoveryMetadata) === undefined) {
    return examineBlob(blobs, blob, expected.get(blob.blobId));
  }
  const examined = await examinePack(databases.all, blobs, blob);
  findings.push(...examined.findings);
  return examined.damage;
}

/** Checks that the store has the blobs that a page of rows references. */
async function checkPage(
  context: JobContext,
  { need: position = FIRST_NEED, needIn, ...progress }: Progress,
  { findings }: Results,
): Promise<PageStep> {
  const { databases, blobs, budget, now } = context;
  const database = (needIn === undefined ? undefined : databases.find(needIn)) ?? databases.first;
  const { needs, next } = await database.look(lookUpNeededBlobs(position, PAGE_NEEDS));
  const doubtful: string[] = [];
  // Many small blobs need the same pack.
  const heads = new Map<string, Promise<BlobEntry | undefined>>();
  const head = async (blobId: string): Promise<BlobEntry | undefined> => {
    const asked = heads.get(blobId) ?? blobs.head(blobId);
    heads.set(blobId, asked);
    return asked;
  };
  let checked = 0;
  let restored = 0;
  while (checked < needs.length && !budget.isSpent()) {
    const affordable = Math.max(1, Math.floor(budget.callsLeft() / CALLS_PER_NEED));
    const together = needs.slice(checked, checked + Math.min(HEADS_AT_ONCE, affordable));
    await Promise.all(
      together.map(async (need) => {
        const { blobId } = need;
        try {
          if ((await head(blobId)) !== undefined) return;
        } catch {
          doubtful.push(blobId);
          return;
        }
        const result = await handleMissing({ ...context, database }, need);
        if (result === "restored") restored += 1;
        else findings.push({ blobId, finding: result.finding });
      }),
    );
    checked += together.length;
  }
  const isPageOver = checked === needs.length;
  const inDatabase = isPageOver ? next : (needs[checked - 1]?.position ?? position);
  const nextDatabase = inDatabase === undefined ? databaseAfter(databases, database) : database;
  const need = inDatabase ?? (nextDatabase === undefined ? undefined : FIRST_NEED);
  const reached = {
    ...progress,
    tick: now,
    bytes: progress.tick === now ? progress.bytes : 0,
    doubtful,
    ...(need === undefined ? {} : { need }),
    ...(need === undefined || nextDatabase === undefined || nextDatabase.isFirst ? {} : { needIn: nextDatabase.name }),
  };
  return { reached, report: { needed: checked, restored }, endsTick: !isPageOver };
}

/** Stores a missing proof again. Other blobs that are missing are a finding, as is a proof that cannot be stored. */
async function handleMissing(
  context: JobContext,
  { neededBy, proves }: NeededBlob,
): Promise<"restored" | { readonly finding: string }> {
  // Blobs outlive their rows by hours, so a concurrent deletion cannot cause this.
  if (proves === undefined) return { finding: `it is missing, and ${neededBy} needs it` };
  const finding = `it is missing: ${neededBy} is intact, but could not be rebuilt`;
  try {
    return (await restoreProof(context, proves)) ? "restored" : { finding };
  } catch (error) {
    return {
      finding: `${finding}; storing it again failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Reads again the blobs that the previous step could not read. */
async function retryUnreadable(
  { databases, blobs }: JobContext,
  doubtful: readonly string[],
  results: Results,
): Promise<void> {
  const entries: BlobEntry[] = [];
  for (const blobId of doubtful) {
    try {
      const entry = await blobs.head(blobId);
      if (entry !== undefined) entries.push(entry);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      results.findings.push({ blobId, finding: `it cannot be read: ${message}` });
    }
  }
  if (entries.length === 0) return;
  const expected = await expectationsOf(databases.all, entries);
  for (const entry of entries) {
    const { blobId } = entry;
    const damage = await examineListed({ databases, blobs }, entry, expected, results);
    if (damage === undefined) results.sound.push(blobId);
    else results.findings.push({ blobId, finding: damage.finding });
  }
}

function readProgress(cursor: string | null, now: number): Progress {
  if (cursor === null) return { began: now, after: undefined, tick: now, bytes: 0, need: FIRST_NEED };
  // A step wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
