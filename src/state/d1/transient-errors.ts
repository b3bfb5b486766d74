// Classifies errors of D1, R2 and Durable Objects as transient or as "database full". Only their messages differ:
// https://developers.cloudflare.com/d1/observability/debug-d1/
// https://developers.cloudflare.com/r2/api/error-codes/

const TRANSIENT = [
  /network connection lost/,
  // Ends the messages on timeouts, CPU and memory limits, new code and storage failures.
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
  // The plan's daily or per-minute quota is exhausted.
  /daily (?:limit|read|write|row)|free tier|free plan/,
  /\(10001\)/, // R2: internal error
  /\(10043\)/, // R2: service unavailable
  /\(10054\)/, // R2: client disconnected
];

const FULL = [
  /sqlite_full|database or disk is full/,
  /exceeded (?:the |its |your )?maximum (?:(?:account|db|database|storage) )*(?:storage|size)/,
  /maximum (?:database|db) size/,
];

/** Whether an error is a transient failure of the platform, which a retry can overcome. */
export function isTransientError(error: unknown): boolean {
  return !isDatabaseFull(error) && matches(error, TRANSIENT);
}

/** Whether D1 refuses writes because the database or the account has reached its storage limit. */
export function isDatabaseFull(error: unknown): boolean {
  return matches(error, FULL);
}

function matches(error: unknown, patterns: readonly RegExp[]): boolean {
  if (!(error instanceof Error)) return false;
  const message = error.message.toLowerCase();
  return patterns.some((pattern) => pattern.test(message)) || matches(error.cause, patterns);
}
