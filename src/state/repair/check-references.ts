// Checks that the tables agree with each other and with the blob store: who holds what is counted from scratch and
// compared with what is recorded. It changes nothing. Every page of blobs reads all rows that hold something, so this is
// for tests, restores and doubts, and not for every tick of the schedule.
import type { BlobStore } from "../blobs/blob-store.ts";
import {
  EVERYTHING,
  lookUpBlobFindings,
  lookUpInconsistencies,
  type ConsistencyScope,
  type ListedBlob,
} from "./consistency.ts";
import type { Database } from "../d1/database.ts";

/** A page of a blob store's blobs, in the order of their ids; no cursor after the last one. */
export interface BlobPage {
  readonly blobs: readonly ListedBlob[];
  readonly cursor: string | undefined;
}

/** Lists the blobs of the scope that is checked, from a cursor on. */
export type BlobListing = (cursor: string | undefined) => Promise<BlobPage>;

export interface ReferenceReport {
  /** What is wrong, in plain words; none where all is sound. */
  readonly findings: readonly string[];
  /** Blobs that nothing accounts for: legal after a crash, and what the orphan scan is for. */
  readonly orphans: readonly string[];
}

/** What one page of blobs shows. */
export interface ReferencePage extends ReferenceReport {
  /** The cursor of the next page and the id from which on it speaks of blobs; undefined after the last. */
  readonly next: { readonly cursor: string; readonly from: string } | undefined;
}

type Reader = Pick<Database, "look">;

// A statement's parameter may hold 2 MB, and a blob with its size takes about 90 bytes of it.
const COMPARED_BLOBS = 10_000;

/** All blobs of a store. */
export function listingOf(blobs: BlobStore): BlobListing {
  return async (cursor) => {
    const page = await blobs.list(cursor, 1000);
    return { blobs: page.blobs, cursor: page.next };
  };
}

/**
 * Checks everything, or what belongs to a scope.
 * @param listBlobs lists the scope's blobs. Nothing may be written meanwhile, or a blob may be taken for missing
 */
export async function checkReferences(
  database: Reader,
  listBlobs: BlobListing,
  scope: ConsistencyScope = EVERYTHING,
): Promise<ReferenceReport> {
  const findings: string[] = [...(await database.look(lookUpInconsistencies(scope)))];
  const orphans: string[] = [];
  let next: ReferencePage["next"] | { readonly cursor: undefined; readonly from: string } = {
    cursor: undefined,
    from: scope.from,
  };
  while (next !== undefined) {
    const page: ReferencePage = await comparePage(database, listBlobs, next.cursor, { ...scope, from: next.from });
    findings.push(...page.findings);
    orphans.push(...page.orphans);
    ({ next } = page);
  }
  return { findings, orphans };
}

/** Compares up to 10,000 blobs with the rows that hold them, from a cursor on. */
export async function comparePage(
  database: Reader,
  listBlobs: BlobListing,
  start: string | undefined,
  { from, before }: ConsistencyScope,
): Promise<ReferencePage> {
  const listed: ListedBlob[] = [];
  let cursor = start;
  do {
    const page = await listBlobs(cursor);
    listed.push(...page.blobs);
    ({ cursor } = page);
  } while (cursor !== undefined && listed.length < COMPARED_BLOBS);
  // The blobs come in order, so whatever is needed up to the last one must be among them.
  const last = listed.at(-1);
  const end = cursor === undefined || last === undefined ? before : `${last.blobId}\0`;
  const { missing, orphans } = await database.look(lookUpBlobFindings({ from, before: end }, listed));
  return { findings: missing, orphans, next: cursor === undefined ? undefined : { cursor, from: end } };
}

/**
 * Checks twice where something was found, for a store that is being written to: what is only on its way from the blob
 * store into the tables, or out of them, is not found again.
 */
export async function confirmFindings<Found extends ReferenceReport>(
  check: () => Promise<Found>,
  pause: () => Promise<void>,
): Promise<Found> {
  const first = await check();
  if (first.findings.length === 0 && first.orphans.length === 0) return first;
  await pause();
  const second = await check();
  return {
    ...second,
    findings: second.findings.filter((finding) => first.findings.includes(finding)),
    orphans: second.orphans.filter((orphan) => first.orphans.includes(orphan)),
  };
}
