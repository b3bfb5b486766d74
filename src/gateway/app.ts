// The entry point of all HTTP requests. Hono routes by API and runs what all APIs share; S3 matches operations itself,
// on the raw target. Hono's Context does not leave this file.
import { Hono, type Handler } from "hono";

import { settingsOf } from "../config/settings-of.ts";
import { deliveryTarget } from "../protocol/core/host-names.ts";
import { answerConsole } from "./console.ts";
import { answerDelivery } from "./delivery.ts";
import { doorOf } from "./door.ts";
import { finishRequest } from "./finish-request.ts";
import { answerHealth } from "./health.ts";
import { answerMetrics } from "./metrics.ts";
import { answerQueryApi } from "./query-api.ts";
import { renderError } from "./render.ts";
import { RequestScope } from "./request-scope.ts";
import { answerS3 } from "./s3.ts";

interface Front {
  /** `request` is the client's. Hono's own may be HEAD_AS_GET. */
  Bindings: { readonly env: Env; readonly request: Request };
}

type Answer = (request: Request, scope: RequestScope) => Promise<Response>;

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

/**
 * A route's handler: answers, and ends the request. Hono calls a route's only handler directly, and costs several times as
 * much once a middleware is before it.
 */
function answeredBy(answer: Answer): Handler<Front> {
  return async ({ env: { request, env }, executionCtx }) => {
    const scope = new RequestScope(request, env, executionCtx);
    let response: Response;
    try {
      response = await answer(request, scope);
    } catch (error) {
      scope.logFailure(error);
      response = renderError(error, "", scope.answerFacts());
    }
    finishRequest(scope, response);
    return response;
  };
}

app.all("/s3", answeredBy(answerS3));
app.all(
  "/iam",
  answeredBy((request, scope) => answerQueryApi("iam", request, scope)),
);
app.all(
  "/sts",
  answeredBy((request, scope) => answerQueryApi("sts", request, scope)),
);
app.all(
  "/delivery",
  answeredBy((request, scope) => {
    const target = deliveryTarget(request.headers.get("host") ?? "", scope.settings.delivery);
    return target === undefined ? answerS3(request, scope) : answerDelivery(request, scope, target);
  }),
);
app.all("/metrics", answeredBy(answerMetrics));
app.all("/console", answeredBy(answerConsole));
app.all("/health", answeredBy(answerHealth));
