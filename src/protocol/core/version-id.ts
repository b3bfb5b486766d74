// Version ids: opaque to clients, ordered for us. The first 13 digits count down with time, so that the byte order of
// ids within a key is newest first, as S3 lists versions; the rest is random, so that no id is ever used twice.
import { randomDigits } from "../../bytes/random-id.ts";
import type { Query } from "./query.ts";
import { invalidArgument } from "./s3-error.ts";

const ORDER_DIGITS = 13;
const RANDOM_DIGITS = 19;
const LAST = (1n << 64n) - 1n;
const SEQUENCE_BITS = 16n;

/**
 * A version id for a write at `now` (milliseconds) that is newer than `previous`, whatever the clock says: the order
 * within a key is never decided by two clocks.
 */
export function nextVersionId(now: number, previous: string | undefined): string {
  const byClock = BigInt(now) << SEQUENCE_BITS;
  const afterPrevious = previous === undefined ? 0n : orderOf(previous) + 1n;
  const order = byClock > afterPrevious ? byClock : afterPrevious;
  return orderDigits(order) + randomDigits(RANDOM_DIGITS);
}

/** The time that a version id stands for, in milliseconds: of its write, or a little later (see nextVersionId). */
export function timeOfVersion(versionId: string): number {
  return Number(orderOf(versionId) >> SEQUENCE_BITS);
}

/** A text below which are, in byte order, exactly the version ids of times later than `time` (milliseconds). */
export function cutoffAt(time: number): string {
  return orderDigits(((BigInt(time) + 1n) << SEQUENCE_BITS) - 1n);
}

/** A version as far as its place within its key goes. */
interface OrderedVersion {
  readonly versionId: string;
  /** Whether clients know this version as `null`. */
  readonly isNullVersion: boolean;
}

/** Whether a text has the form of a version id (`null` has not). */
export function isVersionId(text: string): boolean {
  return /^[0-9a-v]{32}$/.test(text);
}

/**
 * The `versionId` parameter: a version id, `null`, or undefined where the current version is meant.
 * @throws S3Error InvalidArgument for an empty or malformed one
 */
export function readVersionId(query: Query): string | undefined {
  const text = query.get("versionId");
  if (text === undefined || text === "null" || isVersionId(text)) return text;
  const message = text === "" ? "Version id cannot be the empty string" : "Invalid version id specified";
  throw invalidArgument("versionId", text, message);
}

const NULL_MARKER = "null.";

/**
 * The version-id marker after a version: it carries the version's place in the order of its key, which `null` does not,
 * so that the next page continues there even after the null version was deleted or written anew.
 */
export function versionMarker({ versionId, isNullVersion }: OrderedVersion): string {
  return isNullVersion ? NULL_MARKER + versionId : versionId;
}

/** The version id that a version-id marker carries; undefined for `null`, which carries none, and for any other text. */
export function orderOfMarker(marker: string): string | undefined {
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
