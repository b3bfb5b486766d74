// The way of a call of IAM's or STS's API, which have the endpoint in common with S3: a signature's scope tells which
// service is meant. Read, authenticated, authorised, run, rendered; errors are these APIs' own.
import { Access } from "../auth/access/access.ts";
import { readClaim, verifyClaim } from "../auth/sigv4/authenticate.ts";
import type { SigningClaim } from "../auth/sigv4/claim.ts";
import { digest } from "../bytes/digest.ts";
import { toHex } from "../bytes/hex-base64.ts";
import { PieceReader } from "../bytes/streams.ts";
import { decodeUtf8 } from "../bytes/text.ts";
import { renderXml, type XmlElement } from "../bytes/xml.ts";
import { openKeyRing } from "../config/master-keys.ts";
import type { Settings } from "../config/settings.ts";
import { findAction } from "../iam/actions.ts";
import { asQueryApiError, QueryApiError } from "../protocol/iam/query-api-error.ts";
import { QueryParameters } from "../protocol/iam/query-parameters.ts";
import { errorDocument, resultDocument, type QueryService } from "../protocol/iam/query-api-xml.ts";
import { parseQuery } from "../protocol/core/query.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Database, Statement } from "../state/d1/database.ts";
import { isTransientError } from "../state/d1/transient-errors.ts";
import { lookUpCredentials, type Credentials } from "./credentials.ts";
import type { RequestLog } from "./request-log.ts";

/** More than the longest call has, in bytes. */
const BODY_MAX_BYTES = 512 * 1024;

const UNAVAILABLE = "The request has failed due to a temporary failure of the server. Please try again.";

const AUTHENTICATION_PARAMETER = /^x-amz-/i;

/** What a call needs besides the request. */
export interface QueryApiEnvironment {
  readonly settings: Settings;
  /** Where identities are kept. */
  readonly database: Database;
  readonly requestId: string;
  readonly log: RequestLog;
  /** Headers of every answer. */
  readonly headers: () => Headers;
  /** Told how the use of the credentials is recorded. */
  onUse(lastUse: Statement | undefined): void;
  /** Told what failed inside, for the log. */
  onFailure(error: unknown): void;
}

/** The service of this kind that a request is signed for, well or badly; undefined for S3 and for others. */
export function queryServiceOf({ headers, query }: S3Request): QueryService | undefined {
  const credential =
    /Credential=([^,\s]*)/.exec(headers.get("authorization") ?? "")?.[1] ?? query.get("X-Amz-Credential") ?? "";
  const [, , , service] = credential.split("/");
  return service === "iam" || service === "sts" ? service : undefined;
}

/** Answers a call. Never rejects. */
export async function answerQueryApi(
  service: QueryService,
  request: S3Request,
  scope: QueryApiEnvironment,
): Promise<Response> {
  const { requestId } = scope;
  try {
    const { name, result } = await answer(service, request, scope);
    return respond(request, 200, resultDocument(service, name, result, requestId), scope);
  } catch (error) {
    const known = isTransientError(error)
      ? new QueryApiError("ServiceUnavailable", UNAVAILABLE)
      : asQueryApiError(error);
    scope.log.fails(known.code);
    if (known.code === "InternalFailure") scope.onFailure(error);
    return respond(request, known.status, errorDocument(service, known, requestId), scope);
  }
}

function respond(
  { method }: S3Request,
  status: number,
  body: XmlElement,
  { requestId, headers }: QueryApiEnvironment,
): Response {
  const all = headers();
  all.set("content-type", "text/xml");
  all.set("x-amzn-requestid", requestId);
  return new Response(method === "HEAD" ? null : renderXml(body), { status, headers: all });
}

async function answer(service: QueryService, request: S3Request, scope: QueryApiEnvironment) {
  const { settings, database, log } = scope;
  const now = Date.now();
  log.asks(service);
  if (request.address.level !== "service" || (request.method !== "POST" && request.method !== "GET")) {
    throw new QueryApiError("InvalidAction", "Calls are made with GET or POST, on the path / of the endpoint.");
  }
  const body = await readBody(request);
  const { claim, holder } = await authenticate(service, request, body, scope, now);
  scope.onUse(holder.lastUse);
  log.isBy(holder.principal);
  log.ends("lookUp");
  const parameters = readParameters(request, body);
  const action = findAction(service, parameters.get("Action"), parameters.get("Version"));
  log.asks(`${service}:${action.name}`);
  const { principal, beganBy, expiresAt } = holder;
  const access = new Access(principal, { request, claim, now, region: settings.region }, (explanation) =>
    log.isDenied(explanation),
  );
  const keys = await openKeyRing(settings);
  return {
    name: action.name,
    result: await action.run({ parameters, principal, access, beganBy, expiresAt, settings, database, keys, now }),
  };
}

/** @throws S3Error, QueryApiError */
async function authenticate(
  service: QueryService,
  request: S3Request,
  body: Uint8Array,
  { settings, database }: QueryApiEnvironment,
  now: number,
): Promise<{ readonly claim: SigningClaim; readonly holder: Credentials }> {
  const read = readClaim(request, now, new Set([service]));
  if (read === undefined) {
    throw new QueryApiError("MissingAuthenticationToken", "Request is missing Authentication Token");
  }
  // Other than with S3, the body's digest is signed whatever a header says of it.
  const claim = { ...read, payloadHash: toHex(await digest("SHA-256", body)) };
  const lookup = await lookUpCredentials(claim, settings, now);
  const holder = await lookup.resolve(await database.batch(lookup.statements));
  await verifyClaim(request, claim, holder.secretAccessKey);
  return { claim, holder };
}

/** @throws QueryApiError RequestEntityTooLarge, S3Error IncompleteBody where it broke off */
async function readBody({ body }: S3Request): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = new PieceReader(body);
  const pieces: Uint8Array[] = [];
  let length = 0;
  const next = async (): Promise<Uint8Array | undefined> =>
    reader.read().catch(() => {
      throw new S3Error("IncompleteBody");
    });
  for (let piece = await next(); piece !== undefined; piece = await next()) {
    length += piece.length;
    if (length > BODY_MAX_BYTES) {
      reader.cancel();
      throw new QueryApiError("RequestEntityTooLarge", `A call has at most ${BODY_MAX_BYTES} bytes.`);
    }
    pieces.push(piece.slice());
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** @throws QueryApiError MalformedQueryString */
function readParameters({ query }: S3Request, body: Uint8Array): QueryParameters {
  const text = decodeUtf8(body);
  if (text === undefined) throw new S3Error("InvalidURI");
  const ofQuery = query.parameters.filter(({ name }) => !AUTHENTICATION_PARAMETER.test(name));
  return new QueryParameters([...ofQuery, ...parseQuery(text).parameters]);
}
