// Delivers due events: claims them, sends them and records the outcomes. An event whose outcome is lost is due again when
// its claim ends, so every event arrives at least once. See "Events" in docs/architecture.md.
import { readDestination, type EventTargets, type Webhook } from "../config/event-targets.ts";
import { eventMessage } from "../protocol/buckets/event-record.ts";
import type { Database } from "../state/d1/database.ts";
import {
  claimEvents,
  recordOutcomes,
  type ClaimedEvent,
  type DeliveryOutcome,
} from "../state/metadata/event-deliveries.ts";
import { queueBinding, sendToQueue, type EventQueue } from "./queues.ts";
import { sendToWebhook } from "./webhook.ts";

/** Longer than a round can take: each webhook answers or times out within 10 s. */
const CLAIM_MS = 120_000;
/** To all webhooks together: a Worker has 6 connections, and a request that waits for one uses up its time. */
const CONCURRENT_WEBHOOKS = 5;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;
const MAX_ATTEMPTS = 20;
const MAX_AGE_MS = 86_400_000;

/** The bindings and settings that reach the destinations. */
export interface Senders {
  readonly env: object;
  readonly targets: EventTargets;
}

/** The limits of a delivery. */
export interface DeliveryLimits {
  /** The most events of one round. */
  readonly events: number;
  readonly rounds: number;
  /** When no further round begins, in milliseconds since the epoch. */
  readonly until: number;
}

/** What a delivery has done. */
export interface DeliveryReport {
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
  /** Whether events may be due that the limits left. */
  readonly hasMore: boolean;
}

/**
 * Delivers what is due in a database.
 * @param clock milliseconds since the epoch
 */
export async function deliverEvents(
  database: Pick<Database, "batch">,
  senders: Senders,
  limits: DeliveryLimits,
  clock: () => number = Date.now,
): Promise<DeliveryReport> {
  const report = { delivered: 0, retried: 0, dead: 0 };
  let sent = new Map<ClaimedEvent, DeliveryOutcome>();
  for (let round = 0; round < limits.rounds && clock() < limits.until; round += 1) {
    const now = clock();
    // One round trip records the outcomes of the round before and claims what they made due.
    const outcomes = recordOutcomes(sent, now);
    const claim = claimEvents(now, now + CLAIM_MS, limits.events);
    const results = await database.batch([...outcomes, ...claim.statements]);
    const claimed = claim.read(results.slice(outcomes.length));
    sent = await sendAll(senders, claimed, clock);
    for (const { kind } of sent.values()) report[kind === "retry" ? "retried" : kind] += 1;
    if (claimed.length === 0) return { ...report, hasMore: false };
  }
  await database.batch(recordOutcomes(sent, clock()));
  return { ...report, hasMore: true };
}

async function sendAll(
  { env, targets: { queues, webhooks } }: Senders,
  claimed: readonly ClaimedEvent[],
  clock: () => number,
): Promise<Map<ClaimedEvent, DeliveryOutcome>> {
  const failures = new Map<ClaimedEvent, string | undefined>();
  const toWebhooks: { readonly event: ClaimedEvent; readonly webhook: Webhook }[] = [];
  const sends: Promise<void>[] = [];
  for (const [arn, events] of Map.groupBy(claimed, ({ destination }) => destination)) {
    const destination = readDestination(arn);
    const name = destination?.name ?? "";
    const queue = destination?.type === "queue" && queues.has(name) ? queueBinding(env, name) : undefined;
    const webhook = destination?.type === "webhook" ? webhooks.get(name) : undefined;
    if (queue !== undefined) sends.push(sendEventsToQueue(queue, events, failures));
    else if (webhook !== undefined) toWebhooks.push(...events.map((event) => ({ event, webhook })));
    else for (const event of events) failures.set(event, "the destination is not declared");
  }
  // All share one iterator.
  const waiting = toWebhooks.values();
  for (let number = 0; number < CONCURRENT_WEBHOOKS; number += 1) {
    sends.push(
      (async () => {
        for (const { event, webhook } of waiting) {
          const { bucketId, seq, attempts, record } = event;
          const message = { id: `${bucketId}-${seq}`, attempt: attempts, body: eventMessage(record, seq) };
          failures.set(event, await sendToWebhook(webhook, message, clock()));
        }
      })(),
    );
  }
  await Promise.all(sends);
  return new Map(claimed.map((event) => [event, outcomeOf(event, failures.get(event), clock())]));
}

/** Events of one key never come together, so their order does not matter here. */
async function sendEventsToQueue(
  queue: EventQueue,
  events: readonly ClaimedEvent[],
  failures: Map<ClaimedEvent, string | undefined>,
): Promise<void> {
  const outcomes = await sendToQueue(
    queue,
    events.map(({ record, seq }) => eventMessage(record, seq)),
  );
  for (const [index, event] of events.entries()) failures.set(event, outcomes[index]);
}

function outcomeOf({ attempts, seq }: ClaimedEvent, failure: string | undefined, now: number): DeliveryOutcome {
  if (failure === undefined) return { kind: "delivered" };
  // A sequence number is a time in microseconds.
  const age = now - seq / 1000;
  if (attempts >= MAX_ATTEMPTS || age > MAX_AGE_MS) return { kind: "dead", reason: failure };
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
  return { kind: "retry", dueAt: Math.ceil(now + pause * (1 + Math.random() / 10)) };
}
