// Delivers events right after the request that caused them. What is left is delivered by the scheduled job.
import { connect } from "../contract/connections.ts";
import { deliverEvents } from "../notifications/deliver.ts";
import { matchesKey, notificationFromText } from "../protocol/buckets/notification.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { Counts } from "../state/d1/counts.ts";
import type { Database } from "../state/d1/database.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { RequestScope } from "./request-scope.ts";

/**
 * Few, because the platform ends work 30 s after the answer, and outcomes are recorded after a round. The last round
 * begins within 8 s and takes at most 20 s: two turns of webhooks that never answer.
 */
const EVENTS = 10;
const ROUNDS = 10;
const DURATION_MS = 8000;

/** Whether a request may have caused events that go to a destination. */
export function mayHaveEvents({ method, address, query, headers }: S3Request, bucket: Bucket | undefined): boolean {
  if (method === "GET" || method === "HEAD" || bucket === undefined) return false;
  // The configuration that this request sets is not the one that the lookup returned.
  if (query.has("notification")) return true;
  // A rename has a second key, in a header.
  const isOfOneKey = address.level === "object" && !headers.has("x-amz-rename-source");
  return hasRule(bucket, isOfOneKey ? address.key : undefined);
}

/** Whether a rule of a bucket sends events to a destination. @param key undefined: events of any key */
function hasRule({ configurations: { notification } }: Bucket, key: string | undefined): boolean {
  if (notification === null) return false;
  const { rules } = notificationFromText(notification);
  return key === undefined ? rules.length > 0 : rules.some((rule) => matchesKey(rule, key));
}

/** Delivers the events of work that a request of any method has continued after its response. Never rejects. */
export async function deliverAfterWork(
  { address }: S3Request,
  bucket: Bucket | undefined,
  scope: RequestScope,
  database: Database,
): Promise<void> {
  if (bucket === undefined || address.level !== "object" || !hasRule(bucket, address.key)) return;
  await deliverAfterCommit(scope, database);
}

/** Delivers a few due events. Never rejects. */
export async function deliverAfterCommit(scope: RequestScope, { name }: Database): Promise<void> {
  const { env, settings } = scope;
  const limits = { events: EVENTS, rounds: ROUNDS, until: Date.now() + DURATION_MS };
  // What the request costs does not include the delivery.
  const { databases } = connect(env, settings, new Counts());
  await deliverEvents(databases.named(name), { env, targets: settings.eventTargets }, limits).catch(
    (error: unknown) => {
      scope.logFailure(error);
    },
  );
}
