// Whether moving bytes to Infrequent Access is ever made up for by what storing them costs less, at R2's list prices:
// https://developers.cloudflare.com/r2/pricing/
import { blobStorageClass } from "./lifecycle.ts";

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;
/** A read and a write of R2 and the rows of the metadata, in dollars. */
const TRANSITION_DOLLARS = 14 / 1_000_000;
/** $0.015 and $0.010 for a GB a month. */
const SAVED_DOLLARS_PER_BYTE_MONTH = 0.005 / 2 ** 30;
/** What takes longer than this to pay off counts as never. */
const LONGEST_MS = 10 * 365 * DAY_MS;

/** A version that is to be moved. Times are milliseconds since the epoch. */
export interface MovedVersion {
  /** Bytes. */
  readonly size: number;
  /** Where it is now. */
  readonly storageClass: string;
  /** When it is moved. */
  readonly at: number;
  /** When a rule removes it; undefined where none does. */
  readonly removedAt?: number | undefined;
}

/** Whether a transition costs more than it saves in all the time that the version is there. */
export function neverPaysOff({ size, storageClass, at, removedAt }: MovedVersion): boolean {
  // From one of these classes to another no byte is stored for less.
  if (blobStorageClass(storageClass)) return true;
  const breakEvenMs = (TRANSITION_DOLLARS / (size * SAVED_DOLLARS_PER_BYTE_MONTH)) * MONTH_MS;
  return breakEvenMs > Math.min(LONGEST_MS, (removedAt ?? Infinity) - at);
}
