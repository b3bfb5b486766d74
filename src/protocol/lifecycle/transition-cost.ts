// Computes whether a transition to R2's Infrequent Access saves more than it costs, at R2's list prices:
// https://developers.cloudflare.com/r2/pricing/
import { blobStorageClass } from "./blob-storage-class.ts";

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;
/** The cost in dollars of one read and one write in R2, and of the metadata's rows. */
const TRANSITION_DOLLARS = 14 / 1_000_000;
/** Standard storage costs $0.015 per GB and month, Infrequent Access $0.010. */
const SAVED_DOLLARS_PER_BYTE_MONTH = 0.005 / 2 ** 30;
/** The longest time to break even that still counts as paying off. */
const LONGEST_MS = 10 * 365 * DAY_MS;

/** A version with a planned transition. Times are milliseconds since the epoch. */
export interface PlannedTransition {
  /** Bytes. */
  readonly size: number;
  /** The class before the transition. */
  readonly storageClass: string;
  /** When the transition happens. */
  readonly at: number;
  /** When a rule purges the version; undefined if none does. */
  readonly purgedAt?: number | undefined;
}

/** Whether a transition costs more than it saves until the version is purged. */
export function neverPaysOff({ size, storageClass, at, purgedAt }: PlannedTransition): boolean {
  // These classes already use Infrequent Access, so another transition saves nothing.
  if (blobStorageClass(storageClass) === "InfrequentAccess") return true;
  const breakEvenMs = (TRANSITION_DOLLARS / (size * SAVED_DOLLARS_PER_BYTE_MONTH)) * MONTH_MS;
  return breakEvenMs > Math.min(LONGEST_MS, (purgedAt ?? Infinity) - at);
}
