// Which failures of D1, R2 and Durable Objects pass by themselves: what to tell a client that it had better try again.
// Their messages are all that tells: https://developers.cloudflare.com/d1/observability/debug-d1/ and
// https://developers.cloudflare.com/r2/api/error-codes/

const OUTAGES = [
  "network connection lost",
  "storage caused object to be reset",
  "storage operation exceeded timeout",
  "operation exceeded timeout",
  "overloaded",
  "reset because its code was updated",
  "cannot resolve d1 db due to transient issue",
  "(10001)", // R2: internal error
  "(10043)", // R2: service unavailable
  "(10054)", // R2: the client's own connection to the store was lost
];

/** Whether an error is an outage of what Cairn stands on, and no fault of its own. */
export function isTransientError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const message = error.message.toLowerCase();
  return OUTAGES.some((text) => message.includes(text)) || isTransientError(error.cause);
}
