// Turns what an operation answers, or what it throws, into a Response. The one place where XML, status and the headers
// of every answer come together.
import { element, renderXml, type XmlElement } from "../bytes/xml.ts";
import type { S3Response } from "../contract/operation.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { CountSnapshot } from "../state/d1/counts.ts";

const SANDBOX = "sandbox";

/** What the headers of an answer need besides the answer. */
export interface AnswerFacts {
  readonly method: string;
  readonly requestId: string;
  /** Longer than the request id, for looking an answer up together with it. */
  readonly hostId: string;
  /** Whether S3 Control is asked, which wraps its errors. */
  readonly isControl?: boolean;
  /** Shown in Server-Timing; undefined where that is off. */
  readonly counts: CountSnapshot | undefined;
}

/** Renders an operation's answer. */
export function renderResponse({ status, headers, body }: S3Response, facts: AnswerFacts): Response {
  const all = answerHeaders(headers, facts);
  const isBodyless = facts.method === "HEAD" || status === 204 || status === 304;
  if (isBodyless || body === undefined) {
    if (status !== 200 && status !== 206) all.delete("content-length");
    // A body that will not be read must be let go, or its connection stays open.
    if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
    return new Response(null, { status, headers: all });
  }
  if (body instanceof ReadableStream) {
    // The bytes are as they were stored: the runtime is not to encode them again for their Content-Encoding's sake.
    const encodeBody = all.has("content-encoding") ? "manual" : "automatic";
    return new Response(body, { status, headers: all, encodeBody });
  }
  if (typeof body === "string") return new Response(body, { status, headers: all });
  return xmlResponse(body, status, all);
}

/** Renders an error; only a client's own mistakes carry their message. */
export function renderError(error: unknown, resource: string, facts: AnswerFacts): Response {
  const known = error instanceof S3Error ? error : new S3Error("InternalError");
  const headers = answerHeaders(known.headers, facts);
  if (known.status === 503 && !headers.has("retry-after")) headers.set("retry-after", "1");
  if (facts.method === "HEAD") return new Response(null, { status: known.status, headers });
  const fields = Object.entries(known.fields).flatMap(([name, value]) =>
    value === undefined ? [] : [element(name, value)],
  );
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

function xmlResponse(body: XmlElement, status: number, headers: Headers): Response {
  headers.set("content-type", "application/xml");
  return new Response(renderXml(body), { status, headers });
}

/** The headers that every answer has, over its own. */
export function answerHeaders(own: Readonly<Record<string, string>>, facts: AnswerFacts): Headers {
  const headers = new Headers(own);
  headers.set("x-amz-request-id", facts.requestId);
  headers.set("x-amz-id-2", facts.hostId);
  headers.set("date", new Date().toUTCString());
  headers.set("server", "Cairn");
  // What people store is served from the endpoint's own origin. A page or a drawing among it is shown, but runs no script
  // and belongs to no origin, and nothing is taken for a page that does not say it is one.
  headers.set("content-security-policy", SANDBOX);
  headers.set("x-content-type-options", "nosniff");
  if (facts.counts !== undefined) headers.set("server-timing", serverTiming(facts.counts));
  return headers;
}

function serverTiming(counts: CountSnapshot): string {
  return [
    `d1;desc="${counts.d1RoundTrips} round trips, ${counts.d1RowsRead} rows read, ${counts.d1RowsWritten} rows written"`,
    `do;desc="${counts.coordinatorCalls} calls"`,
    `blob;desc="${counts.blobCalls} calls"`,
  ].join(", ");
}
