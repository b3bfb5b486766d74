// Walks a bucket and evaluates its lifecycle rules. The walk changes nothing and returns the due actions, which the job
// applies and a dry run shows.
import { fromBase64, toBase64 } from "../../bytes/hex-base64.ts";
import { decodeUtf8, utf8 } from "../../bytes/text.ts";
import type { LifecycleRule } from "../../protocol/lifecycle/lifecycle.ts";
import { rangesOfPrefixes } from "../d1/key-ranges.ts";
import {
  evaluateCurrent,
  evaluateUploads,
  evaluateVersions,
  type EvaluatedEntry,
  type LifecyclePhase,
  type LifecyclePosition,
  type LifecycleWalk,
} from "./lifecycle-evaluation.ts";
import { lookUpEarlier, readCurrent, readUploads, readVersions, type RowPage } from "./lifecycle-pages.ts";

export const WALK_START: LifecyclePosition = { phase: "current", from: "", after: "" };

/** Encodes a position. */
export function positionText({ phase, from, after }: LifecyclePosition): string {
  return toBase64(utf8(JSON.stringify([phase, from, after])));
}

/** Decodes the text of {@link positionText}; undefined if it is malformed. */
export function positionFromText(text: string): LifecyclePosition | undefined {
  const bytes = fromBase64(text);
  const json = bytes === undefined ? undefined : decodeUtf8(bytes);
  try {
    const values: unknown = JSON.parse(json ?? "");
    if (!Array.isArray(values) || values.length !== 3) return undefined;
    const [name, from, after] = values as readonly unknown[];
    const phase = PHASES.find((one) => one === name);
    if (phase === undefined || typeof from !== "string" || typeof after !== "string") return undefined;
    return { phase, from, after };
  } catch {
    return undefined;
  }
}

const PHASES: readonly LifecyclePhase[] = ["current", "versions", "uploads"];

export interface LifecycleWalkPage {
  readonly evaluated: readonly EvaluatedEntry[];
  /** The number of versions and uploads examined. */
  readonly examined: number;
  /** Undefined: the walk has reached the bucket's end. */
  readonly next: LifecyclePosition | undefined;
}

/** Evaluates one page from a position on. */
export async function walkPage(walk: LifecycleWalk, position: LifecyclePosition): Promise<LifecycleWalkPage> {
  for (let at: LifecyclePosition | undefined = position; at !== undefined; at = phaseAfter(at)) {
    const prefixes = prefixesOf(walk, at.phase);
    if (prefixes.length > 0) return walkPhase(walk, prefixes, at);
  }
  return { evaluated: [], examined: 0, next: undefined };
}

/** One more than NewerNoncurrentVersions' maximum, plus the current delete marker. */
const MAX_EARLIER_ROWS = 102;

function phaseAfter({ phase }: LifecyclePosition): LifecyclePosition | undefined {
  if (phase === "uploads") return undefined;
  return { ...WALK_START, phase: phase === "current" ? "versions" : "uploads" };
}

/** Returns the prefixes of the rules that apply to a phase, narrowed to the walk's own prefix. */
function prefixesOf({ bucket, configuration, prefix: wanted = "" }: LifecycleWalk, phase: LifecyclePhase): string[] {
  // A bucket that was never versioned has only current versions.
  if (phase === "versions" && bucket.versioning === null) return [];
  return configuration.rules
    .filter((rule) => rule.isEnabled && appliesToPhase(rule, phase))
    .map(({ filter }) => filter.prefix ?? "")
    .filter((prefix) => prefix.startsWith(wanted) || wanted.startsWith(prefix))
    .map((prefix) => (prefix.length < wanted.length ? wanted : prefix));
}

function appliesToPhase(rule: LifecycleRule, phase: LifecyclePhase): boolean {
  const { expiration, transitions, noncurrentExpiration, noncurrentTransitions, abortAfterDays } = rule;
  switch (phase) {
    case "current":
      return transitions.length > 0 || (expiration !== undefined && !("isForMarkers" in expiration));
    case "versions":
      return expiration !== undefined || noncurrentExpiration !== undefined || noncurrentTransitions.length > 0;
    case "uploads":
      return abortAfterDays !== undefined;
  }
}

async function walkPhase(
  walk: LifecycleWalk,
  prefixes: readonly string[],
  position: LifecyclePosition,
): Promise<LifecycleWalkPage> {
  const { database, bucket } = walk;
  const { phase, from, after } = position;
  const ranges = rangesOfPrefixes(prefixes, from);
  // If rule changes took the key out of all ranges, the position within it is void.
  const within = ranges[0]?.from === from ? after : "";
  switch (phase) {
    case "current": {
      const page = await readCurrent(database, bucket.id, ranges);
      return pageOf(
        position,
        page,
        page.rows.flatMap((row) => evaluateCurrent(walk, row) ?? []),
        "",
      );
    }
    case "versions": {
      const page = await readVersions(database, bucket, ranges, { after: within, locksAt: walk.locksAt });
      const earlier =
        within === "" ? [] : await database.look(lookUpEarlier(bucket.id, from, within, MAX_EARLIER_ROWS));
      return pageOf(position, page, evaluateVersions(walk, page, from, earlier), page.rows.at(-1)?.version_id ?? "");
    }
    case "uploads": {
      const page = await readUploads(database, bucket.id, ranges, within);
      const evaluated = evaluateUploads(walk, page.rows, position);
      return pageOf(position, page, evaluated, page.rows.at(-1)?.upload_id ?? "");
    }
  }
}

/** @param lastId version or upload id of the last row */
function pageOf(
  position: LifecyclePosition,
  { rows, following, nextFrom }: RowPage<{ readonly key: string }>,
  evaluated: readonly EvaluatedEntry[],
  lastId: string,
): LifecycleWalkPage {
  const { phase } = position;
  const examined = rows.length;
  if (following !== undefined) {
    const after = following.key === rows.at(-1)?.key ? lastId : "";
    return { evaluated, examined, next: { phase, from: following.key, after } };
  }
  return {
    evaluated,
    examined,
    next: nextFrom === undefined ? phaseAfter(position) : { phase, from: nextFrom, after: "" },
  };
}
