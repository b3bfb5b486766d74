// Ends a request of any API: writes its log line and records the last use of its credentials.
import type { RequestScope } from "./request-scope.ts";

export function finishRequest(scope: RequestScope, response: Response): void {
  writeLog(scope, response);
  if (scope.lastUse === undefined) return;
  // If the database is full, reads still succeed: an unrecorded use is missing only from a report of access keys.
  scope.waitUntil(scope.connections.database.batch([scope.lastUse]).catch(() => undefined));
}

function writeLog({ settings, log, requestId, request, method, counts }: RequestScope, response: Response): void {
  const isSampled = response.status >= 400 || Math.random() * 100 < settings.logSamplePercent;
  if (settings.logRequests && isSampled) log.write({ requestId, request, method, response, counts: counts.snapshot() });
}
