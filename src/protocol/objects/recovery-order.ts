// Finds the newest object under a key from the blob store alone. A proof contains the committed version id. Other blobs
// are stored before their commit, whose time is not recorded; but each writer records the head that it saw, which dates
// the version before its own. If neither decides, the result reports the order as uncertain.
import type { SeenHead } from "./recovery-metadata.ts";
import { timeOfVersion } from "../core/version-id.ts";

/** Longer than any commit takes after the bytes are stored, retries included. */
export const COMMIT_MAX_MS = 600_000;
/** The largest expected difference between the clocks of the blob store and of a coordinator. */
const CLOCK_SKEW_MS = 5000;

/** A blob or manifest under a key that may have been committed as a version. */
export interface Candidate {
  /** The id of the blob or manifest. */
  readonly referenceId: string;
  /** The version id, if known. */
  readonly versionId: string | undefined;
  /** When the blob store had received all bytes, in milliseconds since the epoch. */
  readonly storedAt: number;
  readonly seen: SeenHead | undefined;
}

/** The newest of several candidates. */
export interface NewestCandidate<One extends Candidate> {
  /** The copies of that version, the latest first. */
  readonly copies: readonly One[];
  readonly versionId: string | undefined;
  /** Candidates that may have been committed later. */
  readonly uncertain: readonly One[];
  /** Candidates that were certainly committed earlier, or never. */
  readonly earlier: readonly One[];
}

interface Dated<One extends Candidate> {
  readonly candidate: One;
  readonly versionId: string | undefined;
  /** The earliest possible time of its commit, in milliseconds since the epoch. */
  readonly from: number;
}

/** Finds the newest candidate; undefined for an empty list. */
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

/** A version is always newer than the head that its writer saw, even if clocks differ. */
function earliestCommit({ storedAt, seen }: Candidate): number {
  const seenId = seen?.versionId ?? undefined;
  return seenId === undefined ? storedAt : Math.max(storedAt, timeOfVersion(seenId));
}

/** Whether one is newer than another: certain from version ids and seen heads, otherwise estimated from times. */
function isNewer<One extends Candidate>(one: Dated<One>, other: Dated<One>): boolean {
  if (one.versionId !== undefined && other.versionId !== undefined) {
    // Version ids count down with time.
    if (one.versionId !== other.versionId) return one.versionId < other.versionId;
    return one.candidate.storedAt > other.candidate.storedAt;
  }
  if (hasSeen(one, other)) return true;
  if (hasSeen(other, one)) return false;
  return one.from > other.from || (one.from === other.from && one.candidate.storedAt > other.candidate.storedAt);
}

/** Whether the writer of one saw the other, or a newer version. */
function hasSeen<One extends Candidate>({ candidate: { seen } }: Dated<One>, { versionId }: Dated<One>): boolean {
  return versionId !== undefined && seen !== undefined && seen.versionId !== null && seen.versionId <= versionId;
}

/** Whether one was certainly committed after another, if the other was committed at all. */
function isAfter<One extends Candidate>(one: Dated<One>, other: Dated<One>): boolean {
  if (other.versionId === undefined) return one.from > other.from + COMMIT_MAX_MS;
  // `one` is the newest candidate, so its version id is the newer of two known ids.
  return (
    one.versionId !== undefined || hasSeen(one, other) || one.from > timeOfVersion(other.versionId) + CLOCK_SKEW_MS
  );
}
