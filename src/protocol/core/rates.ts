// Rates of requests: how many requests and bytes a second a bucket, a user, an access key or a client address may cause.
// Parses a rate's text; the documents and tags that contain rates are parsed elsewhere.

/** Limits a second; undefined: no limit. */
export interface Rates {
  readonly requests?: number | undefined;
  /** Bytes of requests' bodies. */
  readonly bytesIn?: number | undefined;
  /** Bytes of answers' bodies. */
  readonly bytesOut?: number | undefined;
}

/** What a rate limits. */
export type RateKind = keyof Rates;

export const RATE_KINDS: readonly RateKind[] = ["requests", "bytesIn", "bytesOut"];

/** Parses a limit: a whole number that is exact as a number; undefined for any other text. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** Parses a rate: a limit of at least 1. Refusing everything is the task of a policy. */
export function parseRate(text: string): number | undefined {
  const rate = parseLimit(text);
  return rate === 0 ? undefined : rate;
}

/** Whether any rate is limited. */
export function isLimited(rates: Rates): boolean {
  return RATE_KINDS.some((kind) => rates[kind] !== undefined);
}
