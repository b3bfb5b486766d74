// Renders operations' answers and errors as Responses. The only place that sets XML, status and the headers of all
// answers.
import { formatHttpDate } from "../bytes/dates.ts";
import { utf8 } from "../bytes/text.ts";
import { element, renderXml, type XmlElement } from "../bytes/xml.ts";
import type { S3Response } from "../contract/operation.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { CountSnapshot } from "../state/d1/counts.ts";
import { lengthOf } from "./request-log.ts";

const SANDBOX = "sandbox";
const XML_TYPE = "application/xml";

/** What the headers of all answers need. */
export interface AnswerFacts {
  readonly method: string;
  readonly requestId: string;
  /** `x-amz-id-2`, which identifies the answer together with the request id. */
  readonly hostId: string;
  /** Whether the API is S3 Control, which wraps its errors in another element. */
  readonly isControl?: boolean;
  /** For Server-Timing; undefined if that is disabled. */
  readonly counts: CountSnapshot | undefined;
}

/** Renders an operation's answer. */
export function renderResponse({ status, headers, body }: S3Response, facts: AnswerFacts): Response {
  const all = allHeaders(headers, facts);
  const isBodyless = facts.method === "HEAD" || status === 204 || status === 304;
  if (isBodyless || body === undefined) {
    if (status !== 200 && status !== 206) delete all["content-length"];
    // An unread body must be cancelled, or its connection stays open.
    if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
    return new Response(null, { status, headers: all });
  }
  if (body instanceof ReadableStream) {
    // Stored bytes are already encoded, so the runtime must not encode them again for their Content-Encoding.
    const encodeBody = all["content-encoding"] === undefined ? "automatic" : "manual";
    return new Response(body, { status, headers: all, encodeBody });
  }
  if (typeof body === "string") return new Response(body, { status, headers: all });
  all["content-type"] = XML_TYPE;
  return xmlResponse(body, status, all);
}

/** Renders an error; errors other than S3Error become InternalError without details. */
export function renderError(error: unknown, resource: string, facts: AnswerFacts): Response {
  const known = error instanceof S3Error ? error : new S3Error("InternalError");
  const headers = new Headers(allHeaders(known.headers, facts));
  if (known.status === 503 && !headers.has("retry-after")) headers.set("retry-after", "1");
  if (facts.method === "HEAD") return new Response(null, { status: known.status, headers });
  const fields = Object.entries(known.fields).flatMap(([name, value]) =>
    value === undefined ? [] : [element(name, value)],
  );
  headers.set("content-type", XML_TYPE);
  const body = element("Error", [
    element("Code", known.code),
    element("Message", known.message),
    ...fields,
    element("Resource", resource),
    element("RequestId", facts.requestId),
    element("HostId", facts.hostId),
  ]);
  return xmlResponse(facts.isControl === true ? element("ErrorResponse", [body]) : body, known.status, headers);
}

// The runtime sets the Content-Length of a text only when it sends it.
const TEXT_LENGTHS = new WeakMap<Response, number>();

/** The bytes of an answer's body, as far as they are known before it is sent. */
export function bodyLengthOf(response: Response): number {
  return response.body === null ? 0 : (TEXT_LENGTHS.get(response) ?? lengthOf(response.headers) ?? 0);
}

function xmlResponse(body: XmlElement, status: number, headers: HeadersInit): Response {
  const bytes = utf8(renderXml(body));
  const response = new Response(bytes, { status, headers });
  TEXT_LENGTHS.set(response, bytes.length);
  return response;
}

/** The headers of all answers, added to an answer's own. */
export function answerHeaders(own: Readonly<Record<string, string>>, facts: AnswerFacts): Headers {
  return new Headers(allHeaders(own, facts));
}

/**
 * The same as a record, which the runtime turns into Headers once: each call of one of their methods, and each copy,
 * costs more than a property.
 */
function allHeaders(own: Readonly<Record<string, string>>, facts: AnswerFacts): Record<string, string> {
  return {
    ...own,
    "x-amz-request-id": facts.requestId,
    "x-amz-id-2": facts.hostId,
    date: formatHttpDate(Date.now()),
    server: "Cairn",
    // Stored bytes are served from the endpoint's own origin. The sandbox lets pages and SVG show but not run scripts,
    // and nosniff keeps other types from being treated as pages.
    "content-security-policy": SANDBOX,
    "x-content-type-options": "nosniff",
    ...(facts.counts === undefined ? {} : { "server-timing": serverTiming(facts.counts) }),
  };
}

/**
 * The headers of all answers of delivery hosts. Their origin serves nothing but the site, whose pages may run scripts.
 */
export function deliveryHeaders(own: Readonly<Record<string, string>>, facts: AnswerFacts): Headers {
  const headers = answerHeaders(own, facts);
  if (own["content-security-policy"] === undefined) headers.delete("content-security-policy");
  else headers.set("content-security-policy", own["content-security-policy"]);
  return headers;
}

function serverTiming(counts: CountSnapshot): string {
  return [
    `d1;desc="${counts.d1RoundTrips} round trips, ${counts.d1RowsRead} rows read, ${counts.d1RowsWritten} rows written"`,
    `do;desc="${counts.coordinatorCalls} calls"`,
    `blob;desc="${counts.blobCalls} calls"`,
  ].join(", ");
}
