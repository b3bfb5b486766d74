// Checks that the tables agree with each other and with the blob store: counts all blob references and compares them
// with the stored counts. It changes nothing. Each page of blobs reads all referring rows, so the check runs on demand
// and not as a scheduled job.
import type { BlobStore } from "../blobs/blob-store.ts";
import {
  EVERYTHING,
  lookUpBlobFindings,
  lookUpInconsistencies,
  type ConsistencyScope,
  type ListedBlob,
} from "./consistency.ts";
import type { Database } from "../d1/database.ts";

/** A page of blobs in the order of their ids; the last page has no cursor. */
export interface BlobPage {
  readonly blobs: readonly ListedBlob[];
  readonly cursor: string | undefined;
}

/** Lists the blobs of the checked scope from a cursor on. */
export type BlobListing = (cursor: string | undefined) => Promise<BlobPage>;

export interface ReferenceReport {
  /** The inconsistencies, in words. */
  readonly findings: readonly string[];
  /** Blobs without references. A crash may leave some, which the orphan scan collects. */
  readonly orphans: readonly string[];
}

/** The report of one page of blobs. */
export interface ReferencePage extends ReferenceReport {
  /** The next page's cursor and the first blob id that it covers; undefined on the last page. */
  readonly next: { readonly cursor: string; readonly from: string } | undefined;
}

type Reader = Pick<Database, "look">;

// D1 accepts parameters of up to 2 MB, and a blob with its size takes about 90 bytes.
const COMPARED_BLOBS = 10_000;

/** Lists all blobs of a store. */
export function listingOf(blobs: BlobStore): BlobListing {
  return async (cursor) => {
    const page = await blobs.list(cursor, 1000);
    return { blobs: page.blobs, cursor: page.next };
  };
}

/** Looks up what contradicts itself within each database. */
export async function findInconsistencies(databases: readonly Reader[], scope: ConsistencyScope): Promise<string[]> {
  const found = await Promise.all(databases.map((database) => database.look(lookUpInconsistencies(scope))));
  return found.flat();
}

/**
 * Checks a scope, by default everything. Concurrent writes can cause false findings (see {@link confirmFindings}).
 * @param listBlobs lists the scope's blobs
 */
export async function checkReferences(
  databases: Reader | readonly Reader[],
  listBlobs: BlobListing,
  scope: ConsistencyScope = EVERYTHING,
): Promise<ReferenceReport> {
  const readers = [databases].flat();
  const findings: string[] = await findInconsistencies(readers, scope);
  const orphans: string[] = [];
  let next: ReferencePage["next"] | { readonly cursor: undefined; readonly from: string } = {
    cursor: undefined,
    from: scope.from,
  };
  while (next !== undefined) {
    const page: ReferencePage = await comparePage(readers, listBlobs, next.cursor, { ...scope, from: next.from });
    findings.push(...page.findings);
    orphans.push(...page.orphans);
    ({ next } = page);
  }
  return { findings, orphans };
}

/** Compares about 10,000 blobs with the rows that reference them, from a cursor on. */
export async function comparePage(
  databases: readonly Reader[],
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
  // Blobs are listed in order, so every referenced blob up to the last listed one must be in the list.
  const last = listed.at(-1);
  const end = cursor === undefined || last === undefined ? before : `${last.blobId}\0`;
  const lookup = lookUpBlobFindings({ from, before: end }, listed);
  const found = await Promise.all(databases.map((database) => database.look(lookup)));
  const [orphans = new Set<string>(), ...others] = found.map((one) => new Set(one.orphans));
  const unreferenced = found.map((one) => new Set([...one.orphans, ...one.withTombstone]));
  return {
    findings: [...found.flatMap(({ missing }) => missing), ...referencedTwice(listed, unreferenced)],
    orphans: Array.from(orphans).filter((blobId) => others.every((set) => set.has(blobId))),
    next: cursor === undefined ? undefined : { cursor, from: end },
  };
}

/** Reference counts are those of one database, so the rows of two databases must not reference one blob. */
function referencedTwice(listed: readonly ListedBlob[], unreferenced: readonly ReadonlySet<string>[]): string[] {
  return listed
    .filter(({ blobId }) => unreferenced.filter((set) => !set.has(blobId)).length > 1)
    .map(({ blobId }) => `blob ${blobId} is referenced in more than one database`);
}

/**
 * Repeats a check that found something and returns the findings of both runs. Concurrent writes cause transient
 * findings, which do not recur.
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
