// Checks that the tables agree with each other and with the blob store: who holds what is counted from scratch and
// compared with what is recorded. It changes nothing. Every page of blobs reads all rows that hold something, so this is
// for tests, restores and doubts, and not for every tick of the schedule.
import {
  EVERYTHING,
  lookUpBlobFindings,
  lookUpInconsistencies,
  type ConsistencyScope,
  type ListedBlob,
} from "../state/consistency.ts";
import type { Database } from "../state/database.ts";

/** A page of a blob store's blobs, in the order of their ids; no cursor after the last one. */
export interface BlobPage {
  readonly blobs: readonly ListedBlob[];
  readonly cursor: string | undefined;
}

/** Lists the blobs of the scope that is checked, from a cursor on. */
export type BlobListing = (cursor: string | undefined) => Promise<BlobPage>;

export interface Holdings {
  /** What is wrong, in plain words; none where all is sound. */
  readonly findings: readonly string[];
  /** Blobs that nothing accounts for: legal after a crash, and what the orphan scan is for. */
  readonly orphans: readonly string[];
}

// A statement's parameter may hold 2 MB, and a blob with its size takes about 90 bytes of it.
const COMPARED_BLOBS = 10_000;

/**
 * Checks everything, or what belongs to a scope.
 * @param listBlobs lists the scope's blobs. Nothing may be written meanwhile, or a blob may be taken for missing
 */
export async function checkHoldings(
  database: Pick<Database, "look">,
  listBlobs: BlobListing,
  scope: ConsistencyScope = EVERYTHING,
): Promise<Holdings> {
  const findings: string[] = [...(await database.look(lookUpInconsistencies(scope)))];
  const orphans: string[] = [];
  let { from } = scope;
  let cursor: string | undefined;
  do {
    const listed: ListedBlob[] = [];
    do {
      const page = await listBlobs(cursor);
      listed.push(...page.blobs);
      ({ cursor } = page);
    } while (cursor !== undefined && listed.length < COMPARED_BLOBS);
    // The blobs come in order, so whatever is needed up to the last one must be among them.
    const last = listed.at(-1);
    const before = cursor === undefined || last === undefined ? scope.before : `${last.blobId}\0`;
    const compared = await database.look(lookUpBlobFindings({ from, before }, listed));
    findings.push(...compared.missing);
    orphans.push(...compared.orphans);
    from = before;
  } while (cursor !== undefined);
  return { findings, orphans };
}
