// The ways in which a call of the server fails. data/explain.ts turns them into sentences.
import { optionalText, parseXml, childOf } from "./xml.ts";

/** An error that S3, IAM or STS answered. */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  /** The elements of the error's document by name. */
  readonly details: ReadonlyMap<string, string>;
  /** How far this device's clock was from the server's, in ms; positive if the server's is ahead. */
  readonly skewMs: number;

  constructor(facts: Pick<ServiceError, "status" | "code" | "message" | "requestId" | "details" | "skewMs">) {
    super(facts.message);
    this.name = "ServiceError";
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId;
    this.details = facts.details;
    this.skewMs = facts.skewMs;
  }
}

/** The server could not be reached, or the connection broke. */
export class NetworkFailure extends Error {
  constructor(cause: unknown) {
    super("the server cannot be reached", { cause });
    this.name = "NetworkFailure";
  }
}

/** A key that no URL of a browser can address, because browsers resolve the segments `.` and `..`. */
export class UnreachableKey extends Error {
  constructor(key: string) {
    super(`browsers cannot address ${key}`);
    this.name = "UnreachableKey";
  }
}

/** Responses to HEAD have no body, so the status determines the code. */
const CODES: Readonly<Record<number, string>> = {
  400: "BadRequest",
  403: "AccessDenied",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  412: "PreconditionFailed",
  429: "SlowDown",
  501: "NotImplemented",
  503: "ServiceUnavailable",
};

/** Reads an error response. */
export async function readFailure(response: Response, skewMs: number): Promise<ServiceError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => "");
  const details = detailsOf(text);
  return new ServiceError({
    status,
    code: details.get("Code") ?? CODES[status] ?? (status >= 500 ? "InternalError" : `Status${status}`),
    message: details.get("Message") ?? "",
    requestId: headers.get("x-amz-request-id") ?? details.get("RequestId") ?? "",
    details,
    skewMs,
  });
}

/** The elements of an `Error`, or of the one in an `ErrorResponse` of IAM and STS. */
function detailsOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  if (!text.trimStart().startsWith("<")) return found;
  try {
    const root = parseXml(text);
    const error = root.localName === "Error" ? root : childOf(root, "Error");
    for (const { localName, textContent } of Array.from(error?.children ?? [])) found.set(localName, textContent ?? "");
    const requestId = optionalText(root, "RequestId");
    if (requestId !== undefined) found.set("RequestId", requestId);
  } catch {
    // A proxy's page, for example. Only its status is used.
  }
  return found;
}
