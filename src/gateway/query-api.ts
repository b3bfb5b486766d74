// Answers calls of the IAM and STS query APIs, which share the endpoint with S3: authenticates, authorises and runs an
// action, and renders its result or error in these APIs' format.
import { Access } from "../auth/access/access.ts";
import { digest } from "../bytes/digest.ts";
import { toHex } from "../bytes/hex-base64.ts";
import { renderXml, type XmlElement } from "../bytes/xml.ts";
import { loadKeyRing } from "../config/master-keys.ts";
import { findAction } from "../iam/actions.ts";
import { asQueryApiError, QueryApiError } from "../protocol/iam/query-api-error.ts";
import { errorDocument, resultDocument, type QueryResult, type QueryService } from "../protocol/iam/query-api-xml.ts";
import { isSchemaMismatch } from "../state/d1/schema-errors.ts";
import { authenticateRequest } from "./authenticate-request.ts";
import { requireBindings } from "./bindings.ts";
import { platformFailure } from "./platform-failure.ts";
import { readCallBody, readCallParameters } from "./query-api-input.ts";
import { readRequest } from "./read-request.ts";
import { answerHeaders } from "./render.ts";
import type { RequestScope } from "./request-scope.ts";
import { schemaMismatchError } from "./schema-mismatch.ts";

const UNAVAILABLE = "The request has failed due to a temporary failure of the server. Please try again.";

/** Answers a call. Never rejects. */
export async function answerQueryApi(service: QueryService, incoming: Request, scope: RequestScope): Promise<Response> {
  const { requestId } = scope;
  try {
    const { name, result } = await runCall(service, incoming, scope);
    return respond(200, resultDocument(service, name, result, requestId), {}, scope);
  } catch (error) {
    const shown = await shownError(error, scope);
    scope.log.setError(shown.code);
    if (shown.code === "InternalFailure") scope.logFailure(error);
    const { status, retryAfter = "1" } = shown;
    const headers = status === 503 ? { "retry-after": retryAfter } : {};
    return respond(status, errorDocument(service, shown, requestId), headers, scope);
  }
}

/** The error to return. */
async function shownError(error: unknown, scope: RequestScope): Promise<QueryApiError> {
  if (isSchemaMismatch(error)) return asQueryApiError(await schemaMismatchError(scope));
  const failure = platformFailure(error);
  if (failure?.code === "SlowDown") return new QueryApiError("ServiceUnavailable", UNAVAILABLE);
  return asQueryApiError(failure ?? error);
}

function respond(
  status: number,
  body: XmlElement,
  more: Readonly<Record<string, string>>,
  scope: RequestScope,
): Response {
  const headers = answerHeaders(more, scope.answerFacts());
  headers.set("content-type", "text/xml");
  headers.set("x-amzn-requestid", scope.requestId);
  return new Response(scope.method === "HEAD" ? null : renderXml(body), { status, headers });
}

/** @throws S3Error, QueryApiError */
async function runCall(
  service: QueryService,
  incoming: Request,
  scope: RequestScope,
): Promise<{ readonly name: string; readonly result: QueryResult }> {
  requireBindings(scope.env);
  const { settings, connections, log, now } = scope;
  log.setOperation(service);
  const request = readRequest(incoming, settings);
  scope.request = request;
  if (request.address.level !== "service" || (request.method !== "POST" && request.method !== "GET")) {
    throw new QueryApiError("InvalidAction", "Calls are made with GET or POST, on the path / of the endpoint.");
  }
  const authentication = await authenticateRequest(request, settings, now, new Set([service]));
  const { claim, statements } = authentication;
  if (claim === undefined) {
    throw new QueryApiError("MissingAuthenticationToken", "Request is missing Authentication Token");
  }
  // Reads the body after all checks that do not need it. The signature covers its digest, regardless of headers.
  const results = await connections.database.read(statements);
  const body = await readCallBody(request);
  const { credentials, principal, lastUse } = await authentication.verify(
    results,
    toHex(await digest("SHA-256", body)),
  );
  if (credentials === undefined) throw new Error("a verified claim without credentials");
  scope.lastUse = lastUse;
  scope.accessKeyId = credentials.parentAccessKeyId;
  log.setPrincipal(principal);
  log.endStage("lookUp");
  scope.rates.admitPrincipal(request, principal, scope.accessKeyId);

  const parameters = readCallParameters(request, body);
  const action = findAction(service, parameters.get("Action"), parameters.get("Version"));
  log.setOperation(`${service}:${action.name}`);
  const access = new Access(principal, { request, claim, now, region: settings.region }, (explanation) =>
    log.setDenial(explanation),
  );
  const { parentAccessKeyId, expiresAt } = credentials;
  const keys = await loadKeyRing(settings);
  const { database } = connections;
  const call = { parameters, principal, access, parentAccessKeyId, expiresAt, settings, database, keys, now };
  return { name: action.name, result: await action.run(call) };
}
