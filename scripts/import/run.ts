// Copies or compares two buckets, several keys at a time: what is done goes to the state file at once, so that an
// interrupted run continues.
import { appendFileSync, readFileSync } from "node:fs";
import { copyVersion, propertiesOf, tagsOf, versionQuery } from "./copy-version.ts";
import { entriesByKey, type Entry } from "./entries.ts";
import type { ImportOptions } from "./options.ts";
import { Store, StoreError } from "./store.ts";

/** What a run has done. */
export interface ImportReport {
  copied: number;
  /** Copied by an earlier run, or equal at the target. */
  skipped: number;
  bytes: number;
  /** Found different by a comparison. */
  different: number;
  failed: number;
}

export function newReport(): ImportReport {
  return { copied: 0, skipped: 0, bytes: 0, different: 0, failed: 0 };
}

/**
 * @param report is kept up to date
 * @param print receives a line for each failure and difference
 */
export async function runImport(
  options: ImportOptions,
  report: ImportReport,
  print: (line: string) => void,
): Promise<void> {
  const [source, target] = [new Store(options.source), new Store(options.target)];
  const work = options.verify
    ? async (here: Pair): Promise<void> => comparePair(source, target, here, options, report, print)
    : copier(source, target, options, report);
  const running = new Set<Promise<void>>();
  for await (const pair of pairs(source, target, options)) {
    const key = (pair.entries[0] ?? pair.existing[0])?.key ?? "";
    const one = work(pair)
      .catch((error: unknown) => {
        report.failed += 1;
        print(`failed: ${key}: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => running.delete(one));
    running.add(one);
    if (running.size >= options.concurrency) await Promise.race(running);
  }
  await Promise.all(running);
}

/** The entries of one key at both sides. */
interface Pair {
  readonly entries: readonly Entry[];
  readonly existing: readonly Entry[];
}

/** Joins the listings of both sides, which have the same order. Keys that only the target has are left out. */
async function* pairs(source: Store, target: Store, { prefix, versions }: ImportOptions): AsyncGenerator<Pair> {
  const others = entriesByKey(target, prefix, versions);
  const nextOther = async (): Promise<readonly Entry[] | undefined> => {
    const next = await others.next();
    return next.done === true ? undefined : next.value;
  };
  let other = await nextOther();
  for await (const entries of entriesByKey(source, prefix, versions)) {
    const key = Buffer.from(entries[0]?.key ?? "");
    while (other !== undefined && Buffer.compare(Buffer.from(other[0]?.key ?? ""), key) < 0) other = await nextOther();
    const isSame = other !== undefined && other[0]?.key === entries[0]?.key;
    yield { entries, existing: isSame && other !== undefined ? other : [] };
  }
}

function copier(
  source: Store,
  target: Store,
  options: ImportOptions,
  report: ImportReport,
): (pair: Pair) => Promise<void> {
  const { state, versions, missingOnly, target: place } = options;
  const done = readState(state);
  return async ({ entries, existing }) => {
    for (const entry of entries) {
      const { key, versionId = "", etag, lastModified } = entry;
      const mark = JSON.stringify([`${place.endpoint}/${place.bucket}`, key, versionId, etag, lastModified]);
      const current = existing.at(-1);
      const isThere =
        !versions && current !== undefined && (missingOnly || (current.etag === etag && current.size === entry.size));
      if (done.has(mark) || isThere) {
        report.skipped += 1;
        continue;
      }
      if (entry.isMarker) await target.call({ method: "DELETE", key });
      else {
        try {
          report.bytes += await copyVersion(source, target, entry, options);
        } catch (error) {
          // A client has written the key meanwhile.
          if (!missingOnly || !(error instanceof StoreError) || error.status !== 412) throw error;
          report.skipped += 1;
          continue;
        }
      }
      appendFileSync(state, `${mark}\n`);
      report.copied += 1;
    }
  };
}

/** The marks of an earlier run. The last line may be incomplete. */
function readState(file: string): ReadonlySet<string> {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return new Set();
  }
  if (text !== "" && !text.endsWith("\n")) appendFileSync(file, "\n");
  return new Set(text.split("\n").filter((line) => line.endsWith("]")));
}

/** Compares versions, sizes, ETags, headers, metadata and tags of one key. */
async function comparePair(
  source: Store,
  target: Store,
  { entries, existing }: Pair,
  { keepsTime }: ImportOptions,
  report: ImportReport,
  print: (line: string) => void,
): Promise<void> {
  const key = entries[0]?.key ?? "";
  const differ = (what: string): void => {
    report.different += 1;
    print(`different: ${key}: ${what}`);
  };
  if (entries.length !== existing.length) {
    differ(`${entries.length} versions there, ${existing.length} here`);
    return;
  }
  for (const [index, there] of entries.entries()) {
    const here = existing[index];
    if (here === undefined) continue;
    if (there.isMarker !== here.isMarker) differ("a delete marker and a version");
    else if (!there.isMarker) {
      const sides = await Promise.all([sideOf(source, there, keepsTime), sideOf(target, here, false)]);
      const names = new Set(sides.flatMap((side) => Object.keys(side)));
      const different = Array.from(names).filter((name) => sides[0]?.[name] !== sides[1]?.[name]);
      if (different.length > 0) differ(different.toSorted().join(", "));
      else report.skipped += 1;
    }
  }
}

async function sideOf(store: Store, { key, versionId }: Entry, keepsTime: boolean): Promise<Record<string, string>> {
  const { headers } = await store.call({ method: "HEAD", key, query: versionQuery(versionId) });
  return {
    ...propertiesOf(headers, keepsTime),
    size: headers.get("content-length") ?? "",
    etag: headers.get("etag") ?? "",
    tags: await tagsOf(store, key, versionId, headers),
  };
}
