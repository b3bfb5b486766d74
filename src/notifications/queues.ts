// Sends events to queues of Cloudflare Queues, in as few calls as its limits allow.
import { utf8Length } from "../bytes/text.ts";

/** The part of a Queues binding that sends. */
export type EventQueue = Pick<Queue, "sendBatch">;

/** Limits of Queues: 128 KB for a message, and 100 messages and 256 KB for a batch; a message has a little overhead. */
const MESSAGE_BYTES = 127_000;
const BATCH_MESSAGES = 100;
const BATCH_BYTES = 250_000;

/** The queue of a binding's name; undefined if the environment has no such binding. */
export function queueBinding(env: object, name: string): EventQueue | undefined {
  const binding: unknown = Reflect.get(env, name);
  if (typeof binding !== "object" || binding === null) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof Reflect.get(binding, "sendBatch") === "function" ? (binding as EventQueue) : undefined;
}

/**
 * Sends messages in their order.
 * @param bodies JSON texts
 * @returns for each message undefined if the queue has it, else why not
 */
export async function sendToQueue(queue: EventQueue, bodies: readonly string[]): Promise<(string | undefined)[]> {
  const failures: (string | undefined)[] = [];
  for (const batch of batchesOf(bodies)) {
    if (batch.length === 1 && utf8Length(batch[0] ?? "") > MESSAGE_BYTES) {
      failures.push("too large");
      continue;
    }
    const messages = batch.map((body): MessageSendRequest => ({ body: JSON.parse(body), contentType: "json" }));
    const failure = await queue.sendBatch(messages).then(
      () => undefined,
      () => "the queue refused the batch",
    );
    failures.push(...batch.map(() => failure));
  }
  return failures;
}

function batchesOf(bodies: readonly string[]): string[][] {
  const batches: string[][] = [];
  let bytes = Infinity;
  for (const body of bodies) {
    const length = utf8Length(body);
    const last = batches.at(-1);
    if (last === undefined || last.length >= BATCH_MESSAGES || bytes + length > BATCH_BYTES) {
      batches.push([body]);
      bytes = length;
    } else {
      last.push(body);
      bytes += length;
    }
  }
  return batches;
}
