// The front door of a Worker that only delivers: it serves delivery hosts, and neither S3 nor any other API.
import { errorPage } from "../delivery/error-page.ts";
import { deliveryTarget } from "../protocol/core/host-names.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { answerDelivery, renderSiteAnswer } from "./delivery.ts";
import { finishRequest } from "./finish-request.ts";
import { RequestScope } from "./request-scope.ts";

/** Answers a request. Writes nothing but counts of requests and the last use of credentials, and needs no coordinators. */
export async function answerDeliveryOnly(
  request: Request,
  env: Env,
  execution: Pick<ExecutionContext, "waitUntil">,
): Promise<Response> {
  const scope = new RequestScope(request, env, execution);
  const target = deliveryTarget(request.headers.get("host") ?? "", scope.settings.delivery);
  const response =
    target === undefined
      ? renderSiteAnswer(request, scope, errorPage(new S3Error("NoSuchBucket"), scope.requestId))
      : await answerDelivery(request, scope, target);
  finishRequest(scope, response);
  return response;
}
