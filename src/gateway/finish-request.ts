// Ends a request of any API: writes its log line, counts it, and records the last use of its credentials.
import { connect } from "../contract/connections.ts";
import { Counts } from "../state/d1/counts.ts";
import { bodyLengthOf } from "./render.ts";
import { lengthOf } from "./request-log.ts";
import type { RequestScope } from "./request-scope.ts";
import { usageRecorderOf } from "./usage-recorder.ts";

export function finishRequest(scope: RequestScope, response: Response): void {
  writeLog(scope, response);
  countRequest(scope, response);
  if (scope.lastUse === undefined) return;
  // If the database is full, reads still succeed: an unrecorded use is missing only from a report of access keys.
  scope.waitUntil(scope.connections.database.batch([scope.lastUse]).catch(() => undefined));
}

function writeLog(
  { settings, log, requestId, request, method, rates, counts }: RequestScope,
  response: Response,
): void {
  const isSampled = response.status >= 400 || Math.random() * 100 < settings.logSamplePercent;
  if (!settings.logRequests || !isSampled) return;
  const isRateLimited = rates.hasRefused;
  log.write({ requestId, request, method, response, isRateLimited, counts: counts.snapshot() });
}

/** Counts the request for reports and metrics. What the counting itself costs counts for no request. */
function countRequest(scope: RequestScope, response: Response): void {
  const { env, settings, log, now, bucket, accessKeyId, request } = scope;
  if (!settings.usage) return;
  const recorder = usageRecorderOf(env.DB);
  const mustFlush = recorder.count({
    at: now,
    operation: log.operation ?? "Unknown",
    bucket,
    accessKeyId,
    status: response.status,
    bytesIn: lengthOf(request?.headers) ?? 0,
    bytesOut: bodyLengthOf(response),
    milliseconds: Date.now() - now,
  });
  if (!mustFlush) return;
  const { database } = connect(env, settings, new Counts());
  scope.waitUntil(recorder.flush(database, settings.usageFlushMs));
}
