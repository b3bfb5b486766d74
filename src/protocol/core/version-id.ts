// Version ids: opaque to clients, ordered for Cairn. The first 13 digits count down with time, so that their byte order
// within a key is newest first, as S3 lists versions. The random rest makes every id unique.
import { randomDigits } from "../../bytes/random-id.ts";
import type { Query } from "./query.ts";
import { invalidArgument } from "./s3-error.ts";

const ORDER_DIGITS = 13;
const RANDOM_DIGITS = 19;
const LAST = (1n << 64n) - 1n;
const SEQUENCE_BITS = 16n;

/**
 * A version id for a write at `now` (milliseconds). It is always newer than `previous`, even if the clock is behind:
 * clock differences never decide the order within a key.
 */
export function nextVersionId(now: number, previous: string | undefined): string {
  const byClock = BigInt(now) << SEQUENCE_BITS;
  const afterPrevious = previous === undefined ? 0n : orderOf(previous) + 1n;
  const order = byClock > afterPrevious ? byClock : afterPrevious;
  return orderDigits(order) + randomDigits(RANDOM_DIGITS);
}

/** The time in a version id, in milliseconds: the time of its write, or slightly later (see nextVersionId). */
export function timeOfVersion(versionId: string): number {
  return Number(orderOf(versionId) >> SEQUENCE_BITS);
}

/** An upper bound in byte order: exactly the version ids of times later than `time` (milliseconds) sort below it. */
export function cutoffAt(time: number): string {
  return orderDigits(((BigInt(time) + 1n) << SEQUENCE_BITS) - 1n);
}

/** The fields that determine a version's place within its key. */
interface OrderedVersion {
  readonly versionId: string;
  /** Whether clients see this version's id as `null`. */
  readonly isNullVersion: boolean;
}

/** Whether a text has the form of a version id (`null` does not). */
export function isVersionId(text: string): boolean {
  return /^[0-9a-v]{32}$/.test(text);
}

/**
 * Reads the `versionId` parameter: a version id, `null`, or undefined for the current version.
 * @throws S3Error InvalidArgument for an empty or malformed value
 */
export function readVersionId(query: Query): string | undefined {
  const text = query.get("versionId");
  if (text === undefined || text === "null" || isVersionId(text)) return text;
  const message = text === "" ? "Version id cannot be the empty string" : "Invalid version id specified";
  throw invalidArgument("versionId", text, message);
}

const NULL_MARKER = "null.";

/**
 * The version-id marker of a version. A null version's marker also contains its internal id, so that the next page
 * continues at the same place even if that version is deleted or overwritten meanwhile.
 */
export function versionMarker({ versionId, isNullVersion }: OrderedVersion): string {
  return isNullVersion ? NULL_MARKER + versionId : versionId;
}

/** The version id in a version-id marker; undefined for `null` and for any other text. */
export function versionIdOfMarker(marker: string): string | undefined {
  const versionId = marker.startsWith(NULL_MARKER) ? marker.slice(NULL_MARKER.length) : marker;
  return isVersionId(versionId) ? versionId : undefined;
}

function orderDigits(order: bigint): string {
  return (LAST - order).toString(32).padStart(ORDER_DIGITS, "0");
}

function orderOf(versionId: string): bigint {
  let value = 0n;
  for (const digit of versionId.slice(0, ORDER_DIGITS)) value = value * 32n + BigInt(Number.parseInt(digit, 32));
  return LAST - value;
}
