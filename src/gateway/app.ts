// The entry point of all HTTP requests. Hono routes by API and runs what all APIs share; S3 matches operations itself,
// on the raw target. Hono's Context does not leave this file.
import { Hono } from "hono";

import { settingsOf } from "../config/settings-of.ts";
import { deliveryTarget } from "../protocol/core/host-names.ts";
import { answerConsole } from "./console.ts";
import { answerDelivery } from "./delivery.ts";
import { doorOf } from "./door.ts";
import { finishRequest } from "./finish-request.ts";
import { answerHealth } from "./health.ts";
import { answerMetrics } from "./metrics.ts";
import { answerQueryApi } from "./query-api.ts";
import { RequestScope } from "./request-scope.ts";
import { answerS3 } from "./s3.ts";

interface Front {
  /** `request` is the client's. Hono's own may be HEAD_AS_GET. */
  Bindings: { readonly env: Env; readonly request: Request };
  Variables: { scope: RequestScope };
}

/**
 * What Hono receives instead of a HEAD. It would copy the answer to a HEAD into a second Response, which costs more than
 * everything else that it does.
 */
const HEAD_AS_GET = new Request("https://cairn.invalid/");

const app = new Hono<Front>({
  // A route's path is the name of an API. The request's target stays unchanged.
  getPath: (seen, { env: bindings } = {}) => `/${doorOf(bindings?.request ?? seen, settingsOf(bindings?.env ?? {}))}`,
});

export function answerRequest(request: Request, env: Env, execution: ExecutionContext): Response | Promise<Response> {
  return app.fetch(request.method === "HEAD" ? HEAD_AS_GET : request, { env, request }, execution);
}

app.use(async (context, next) => {
  const scope = new RequestScope(context.env.request, context.env.env, context.executionCtx);
  context.set("scope", scope);
  await next();
  finishRequest(scope, context.res);
});

app.all("/s3", (context) => answerS3(context.env.request, context.get("scope")));
app.all("/iam", (context) => answerQueryApi("iam", context.env.request, context.get("scope")));
app.all("/sts", (context) => answerQueryApi("sts", context.env.request, context.get("scope")));
app.all("/delivery", (context) => {
  const { request } = context.env;
  const scope = context.get("scope");
  const target = deliveryTarget(request.headers.get("host") ?? "", scope.settings.delivery);
  return target === undefined ? answerS3(request, scope) : answerDelivery(request, scope, target);
});
app.all("/metrics", (context) => answerMetrics(context.env.request, context.get("scope")));
app.all("/console", (context) => answerConsole(context.env.request, context.get("scope")));
app.all("/health", (context) => answerHealth(context.env.request, context.get("scope")));
