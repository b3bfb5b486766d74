// Which failures of D1, R2 and Durable Objects pass by themselves, and which tell that a database is full. Their messages
// are all that tells: https://developers.cloudflare.com/d1/observability/debug-d1/ and
// https://developers.cloudflare.com/r2/api/error-codes/

const TRANSIENT = [
  /network connection lost/,
  // Timeouts, CPU and memory limits, new code, failures of the storage itself: "…which caused object to be reset".
  /caused object to be reset/,
  /reset because its code was updated/,
  /exceeded its (?:cpu|memory)/,
  /(?:cpu|memory) (?:time )?limit/,
  /exceeded (?:cpu|memory)/,
  /operation exceeded timeout/,
  /overloaded/,
  /requests queued|queued for too long/,
  /internal error (?:in|while starting up) d1/,
  /cannot resolve d1 db due to transient issue/,
  /no longer access/,
  // What a plan allows in a day or a minute is used up.
  /daily (?:limit|read|write|row)|free tier|free plan/,
  /\(10001\)/, // R2: internal error
  /\(10043\)/, // R2: service unavailable
  /\(10054\)/, // R2: the client's own connection to the store was lost
];

const FULL = [
  /sqlite_full|database or disk is full/,
  /exceeded (?:the |its |your )?maximum (?:(?:account|db|database|storage) )*(?:storage|size)/,
  /maximum (?:database|db) size/,
];

/** Whether an error is a passing failure of what Cairn stands on, and no fault of its own. */
export function isTransientError(error: unknown): boolean {
  return !isDatabaseFull(error) && says(error, TRANSIENT);
}

/** Whether D1 refuses to write because a database, or the account's storage, is as large as it may be. */
export function isDatabaseFull(error: unknown): boolean {
  return says(error, FULL);
}

function says(error: unknown, patterns: readonly RegExp[]): boolean {
  if (!(error instanceof Error)) return false;
  const message = error.message.toLowerCase();
  return patterns.some((pattern) => pattern.test(message)) || says(error.cause, patterns);
}
