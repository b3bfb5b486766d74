// Reads the candidates of a query page by page (docs/search.md): by the bucket's indexes if they bound the query, else
// from a bounded range of its keys.
import { compareUtf8, successorOf, utf8Length } from "../../bytes/text.ts";
import type { ObjectQuery } from "../../protocol/listings/object-query.ts";
import { lookUpBoth, type Database, type Lookup } from "../d1/database.ts";
import { lookUpQueryIndexes, type StoredIndex } from "../metadata/query-indexes.ts";
import { indexableConditions, selectKeys, type SelectedKeys } from "./query-keys.ts";
import {
  endOfRange,
  lookUpCandidates,
  lookUpCandidatesAmong,
  type QueryCandidate,
  type QueryPage,
  type QueryRange,
} from "./query-listing.ts";

/** What to read: a query of a bucket, and a range of its keys. */
export interface CandidateQuery {
  readonly bucketName: string;
  readonly query: ObjectQuery;
  /** Texts that every matching key contains. */
  readonly texts: readonly string[];
  readonly range: QueryRange;
  /** The most candidates of a page. */
  readonly pageLimit: number;
}

/** The first page without indexes, and the indexes of the bucket. */
export interface CandidateFacts extends QueryPage {
  readonly indexes: readonly StoredIndex[];
}

/** The candidates of a request, in the order of their keys. */
export interface Candidates {
  readonly pages: AsyncIterable<readonly QueryCandidate[]>;
  /** The last key that the request examines; undefined: it examines all that can match. */
  readonly through: string | undefined;
  /** Whether an index selects the candidates. */
  readonly isIndexed: boolean;
}

/** The keys of one statement. */
const MAX_KEYS = 1000;
const MAX_KEY_BYTES = 500_000;

/** Looks up the first page, or in a bucket with indexes what can select it. */
export function lookUpFirstPage({ bucketName, query, texts, range }: CandidateQuery): Lookup<CandidateFacts> {
  const canBeIndexed = indexableConditions(query).length > 0;
  const page = lookUpCandidates(bucketName, query, texts, range, canBeIndexed);
  if (canBeIndexed) return lookUpBoth(page, lookUpQueryIndexes(bucketName));
  return { ...page, read: (results) => ({ ...page.read(results), indexes: [] }) };
}

/** Decides how to read the candidates after {@link lookUpFirstPage}. */
export async function readCandidates(
  database: Database,
  read: CandidateQuery,
  { indexes, ...firstPage }: CandidateFacts,
): Promise<Candidates> {
  const { bucketName, query, texts, range } = read;
  // A bucket without indexes has its first page already.
  if (indexes.length === 0) return scanned(database, read, firstPage);
  const selected = await selectKeys(database, bucketName, query, indexes, range);
  if (selected !== undefined) {
    return { pages: pagesAmong(database, read, selected), through: selected.through, isIndexed: true };
  }
  return scanned(database, read, await database.look(lookUpCandidates(bucketName, query, texts, range)));
}

function scanned(database: Database, read: CandidateQuery, first: QueryPage): Candidates {
  return { pages: scannedPages(database, read, first), through: first.through, isIndexed: false };
}

async function* scannedPages(
  database: Database,
  { bucketName, query, texts, range, pageLimit }: CandidateQuery,
  first: QueryPage,
): AsyncGenerator<readonly QueryCandidate[]> {
  const through = first.through ?? endOfRange(range.prefix);
  for (let page = first; ;) {
    yield page.candidates;
    const last = page.candidates.at(-1)?.key;
    if (!page.hasMore || last === undefined) return;
    const rest = { ...range, from: successorOf(last), through, limit: pageLimit };
    page = await database.look(lookUpCandidates(bucketName, query, texts, rest));
  }
}

async function* pagesAmong(
  database: Database,
  { bucketName, query, texts, range, pageLimit }: CandidateQuery,
  { keys }: SelectedKeys,
): AsyncGenerator<readonly QueryCandidate[]> {
  let { limit } = range;
  for (let rest = keys; rest.length > 0; limit = pageLimit) {
    const part = firstPart(rest);
    const { candidates, hasMore } = await database.look(lookUpCandidatesAmong(bucketName, query, texts, part, limit));
    yield candidates;
    const last = candidates.at(-1)?.key;
    const end = hasMore && last !== undefined ? part.findIndex((key) => compareUtf8(key, last) > 0) : -1;
    rest = rest.slice(end === -1 ? part.length : end);
  }
}

/** The first of some keys, at least one, that fit into a statement. */
function firstPart(keys: readonly string[]): readonly string[] {
  let bytes = 0;
  const end = keys.findIndex((key, index) => {
    bytes += utf8Length(JSON.stringify(key)) + 1;
    return index > 0 && (index === MAX_KEYS || bytes > MAX_KEY_BYTES);
  });
  return end === -1 ? keys : keys.slice(0, end);
}
