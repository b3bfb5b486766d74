// The entry point of all HTTP requests. Hono routes by API and runs what all APIs share; S3 matches operations itself,
// on the raw target. Hono's Context does not leave this file.
import { Hono } from "hono";

import { settingsOf } from "../config/settings-of.ts";
import { doorOf } from "./door.ts";
import { answerHealth } from "./health.ts";
import { answerQueryApi } from "./query-api.ts";
import { RequestScope } from "./request-scope.ts";
import { answerS3 } from "./s3.ts";

interface Front {
  Bindings: Env;
  Variables: { scope: RequestScope };
}

export const app = new Hono<Front>({
  // A route's path is the name of an API. The request's target stays unchanged.
  getPath: (request, options) => `/${doorOf(request, settingsOf(options?.env ?? {}).domains)}`,
});

app.use(async (context, next) => {
  const scope = new RequestScope(context.req.raw, context.env, context.executionCtx);
  context.set("scope", scope);
  await next();
  writeLog(scope, context.res);
  if (scope.lastUse === undefined) return;
  // If the database is full, reads still succeed: an unrecorded use is missing only from a report of access keys.
  scope.waitUntil(scope.connections.database.batch([scope.lastUse]).catch(() => undefined));
});

app.all("/s3", ({ req, var: { scope } }) => answerS3(req.raw, scope));
app.all("/iam", ({ req, var: { scope } }) => answerQueryApi("iam", req.raw, scope));
app.all("/sts", ({ req, var: { scope } }) => answerQueryApi("sts", req.raw, scope));
app.all("/health", ({ req, var: { scope } }) => answerHealth(req.raw, scope));

function writeLog({ settings, log, requestId, request, method, counts }: RequestScope, response: Response): void {
  const isSampled = response.status >= 400 || Math.random() * 100 < settings.logSamplePercent;
  if (settings.logRequests && isSampled) log.write({ requestId, request, method, response, counts: counts.snapshot() });
}
