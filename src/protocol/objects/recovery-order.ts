// Which of the objects that were stored under one key is the newest, as far as the blob store can tell. A proof names the
// version that was committed. A blob of one upload is stored before its commit, which nothing dates; but each writer notes
// the head that it saw when it began, and so dates the version before its own. Where neither decides, the order is
// uncertain, and that is part of the answer.
import type { SeenHead } from "./recovery-metadata.ts";
import { timeOfVersion } from "../core/version-id.ts";

/** Longer than any commit takes once the bytes are stored, with all its repetitions. */
export const COMMIT_MAX_MS = 600_000;
/** How far the clocks of the blob store and of a coordinator may be apart. */
const CLOCK_SKEW_MS = 5000;

/** Something that was stored under a key and may have been committed as a version of it. */
export interface Candidate {
  /** What a version of it holds. */
  readonly referenceId: string;
  /** The version, where it is known. */
  readonly versionId: string | undefined;
  /** When the blob store had all of it, in milliseconds since the epoch. */
  readonly storedAt: number;
  readonly seen: SeenHead | undefined;
}

/** The newest of some candidates. */
export interface NewestCandidate<One extends Candidate> {
  /** One version, in one or several copies, the latest copy first. */
  readonly copies: readonly One[];
  readonly versionId: string | undefined;
  /** Those that may have been committed after it. */
  readonly uncertain: readonly One[];
  /** Those that were certainly committed before it, or never. */
  readonly earlier: readonly One[];
}

interface Dated<One extends Candidate> {
  readonly candidate: One;
  readonly versionId: string | undefined;
  /** The earliest time of its commit, in milliseconds since the epoch. */
  readonly from: number;
}

/** Finds the newest; undefined where there are no candidates. */
export function findNewest<One extends Candidate>(candidates: readonly One[]): NewestCandidate<One> | undefined {
  const versions = new Map<string, string>();
  for (const { seen } of candidates) {
    if (seen?.referenceId !== undefined && seen.versionId !== null) versions.set(seen.referenceId, seen.versionId);
  }
  const dated = candidates.map((candidate): Dated<One> => {
    const versionId = candidate.versionId ?? versions.get(candidate.referenceId);
    return {
      candidate,
      versionId,
      from: versionId === undefined ? earliestCommit(candidate) : timeOfVersion(versionId),
    };
  });
  const [first, ...more] = dated;
  if (first === undefined) return undefined;
  const newest = more.reduce((one, other) => (isNewer(other, one) ? other : one), first);
  const others = dated.filter((other) => other !== newest);
  const isCopy = ({ versionId }: Dated<One>): boolean => versionId !== undefined && versionId === newest.versionId;
  const rest = others.filter((other) => !isCopy(other));
  const isEarlier = (other: Dated<One>): boolean => isAfter(newest, other);
  const copies = [newest, ...others.filter(isCopy)].map(({ candidate }) => candidate);
  return {
    copies: copies.toSorted((one, other) => other.storedAt - one.storedAt),
    versionId: newest.versionId,
    uncertain: rest.filter((other) => !isEarlier(other)).map(({ candidate }) => candidate),
    earlier: rest.filter(isEarlier).map(({ candidate }) => candidate),
  };
}

/** Each version is newer than the one that its writer saw, whatever the clocks say. */
function earliestCommit({ storedAt, seen }: Candidate): number {
  const seenId = seen?.versionId ?? undefined;
  return seenId === undefined ? storedAt : Math.max(storedAt, timeOfVersion(seenId));
}

/** Whether one is newer than another, for certain or as far as times tell. */
function isNewer<One extends Candidate>(one: Dated<One>, other: Dated<One>): boolean {
  if (one.versionId !== undefined && other.versionId !== undefined) {
    // Version ids count down.
    if (one.versionId !== other.versionId) return one.versionId < other.versionId;
    return one.candidate.storedAt > other.candidate.storedAt;
  }
  if (hasSeen(one, other)) return true;
  if (hasSeen(other, one)) return false;
  return one.from > other.from || (one.from === other.from && one.candidate.storedAt > other.candidate.storedAt);
}

/** Whether the writer of one saw another, or something newer. */
function hasSeen<One extends Candidate>({ candidate: { seen } }: Dated<One>, { versionId }: Dated<One>): boolean {
  return versionId !== undefined && seen !== undefined && seen.versionId !== null && seen.versionId <= versionId;
}

/** Whether one was certainly committed after another, if that was committed at all. */
function isAfter<One extends Candidate>(one: Dated<One>, other: Dated<One>): boolean {
  if (other.versionId === undefined) return one.from > other.from + COMMIT_MAX_MS;
  // Of two known versions the newest one is the newer.
  return (
    one.versionId !== undefined || hasSeen(one, other) || one.from > timeOfVersion(other.versionId) + CLOCK_SKEW_MS
  );
}
