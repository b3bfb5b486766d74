// Answers requests of the S3 API. Errors are thrown as S3Error and rendered here.
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { isSchemaMismatch } from "../state/d1/schema-errors.ts";
import { platformFailure } from "./platform-failure.ts";
import { requireBindings } from "./bindings.ts";
import { answerPreflight, headersForOrigin } from "./cors.ts";
import { readRequest } from "./read-request.ts";
import { bodyLengthOf, renderError, renderResponse } from "./render.ts";
import type { RequestScope } from "./request-scope.ts";
import { runOperation } from "./run-operation.ts";
import { schemaMismatchError } from "./schema-mismatch.ts";

/** Answers a request. Never rejects. */
export async function answerS3(incoming: Request, scope: RequestScope): Promise<Response> {
  let bucket: Bucket | undefined;
  let response: Response;
  try {
    requireBindings(scope.env);
    const request = readRequest(incoming, scope.settings);
    scope.request = request;
    const answer =
      // Browsers send preflights by themselves, unsigned.
      request.method === "OPTIONS"
        ? await preflight(request, scope)
        : await runOperation(request, scope, (found) => {
            bucket = found;
          });
    const rendered = renderResponse(answer, scope.answerFacts());
    response = scope.rates.chargeAnswer(rendered, bodyLengthOf(rendered));
  } catch (error) {
    const shown = await shownError(error, scope);
    scope.log.setError(shown instanceof S3Error ? shown.code : "InternalError");
    response = renderError(shown, scope.request?.rawPath ?? "", scope.answerFacts());
  }
  if (scope.request?.headers.has("origin") === true) await addCorsHeaders(response, scope.request, bucket, scope);
  return response;
}

async function preflight(
  request: S3Request,
  { log, connections, rates }: RequestScope,
): ReturnType<typeof answerPreflight> {
  log.setOperation("Preflight");
  await rates.admitAddress(request);
  return answerPreflight(request, connections.databases);
}

/** The error to return. Logs internal failures. */
async function shownError(error: unknown, scope: RequestScope): Promise<unknown> {
  if (error instanceof S3Error) return error;
  scope.logFailure(error);
  if (isSchemaMismatch(error)) return schemaMismatchError(scope);
  return platformFailure(error) ?? error;
}

/** Adds the headers without which a browser hides the answer from a page of another origin. */
async function addCorsHeaders(
  response: Response,
  request: S3Request,
  bucket: Bucket | undefined,
  { connections }: RequestScope,
): Promise<void> {
  // If the bucket's rules cannot be read, the answer has no CORS headers.
  const headers = await headersForOrigin(request, bucket?.cors, connections.databases).catch(() => ({}));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
}
