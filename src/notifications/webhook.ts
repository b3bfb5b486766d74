// Sends one event to a webhook: a POST with a signature over its time and body. Any 2xx accepts the event; the body of
// the answer is not read, and no redirect is followed.
import { toHex } from "../bytes/hex-base64.ts";
import { utf8 } from "../bytes/text.ts";
import type { Webhook } from "../config/event-targets.ts";

const SIGNATURE_HEADER = "cairn-signature";
const TIMEOUT_MS = 10_000;

/** An event as a request. */
export interface WebhookMessage {
  /** The same in every attempt. */
  readonly id: string;
  readonly attempt: number;
  readonly body: string;
}

/**
 * @param now milliseconds since the epoch
 * @returns undefined if the webhook has accepted the event, else why not
 */
export async function sendToWebhook(
  { url, secret }: Webhook,
  { id, attempt, body }: WebhookMessage,
  now: number,
  timeoutMs = TIMEOUT_MS,
): Promise<string | undefined> {
  const time = Math.floor(now / 1000);
  const headers = {
    "content-type": "application/json",
    "user-agent": "Cairn-Events/1",
    "cairn-event-id": id,
    "cairn-event-attempt": String(attempt),
    [SIGNATURE_HEADER]: `t=${time},v1=${await signatureOf(secret, time, body)}`,
  };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    response.body?.cancel().catch(() => undefined);
    return response.ok ? undefined : `status ${response.status}`;
  } catch (error) {
    // The error's own text may contain the URL, which may be a secret.
    return error instanceof Error && error.name === "TimeoutError" ? "timeout" : "no connection";
  }
}

/** HMAC-SHA256 of `time.body` in hexadecimal. */
async function signatureOf(secret: string, time: number, body: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8(secret), algorithm, false, ["sign"]);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(`${time}.${body}`))));
}
