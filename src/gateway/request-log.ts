// Writes one line of JSON per request: principal, operation, bucket, outcome and cost. A line never contains keys,
// query strings, secrets of headers or stored data.
import type { Principal } from "../auth/identity/principal.ts";
import { addressedSnapshot } from "../protocol/core/addressing.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { ReadableHeaders } from "../protocol/core/sent-headers.ts";
import type { CountSnapshot } from "../state/d1/counts.ts";

const USER_AGENT_MAX = 120;

/** The stages of a request, in milliseconds: authentication with all lookups, authorization, and the rest. */
type Stage = "lookUp" | "authorize" | "run";

/** How a request ended. */
export interface RequestEnd {
  readonly requestId: string;
  /** Undefined if the target is malformed. */
  readonly request: S3Request | undefined;
  readonly method: string;
  readonly response: Response;
  /** Whether a configured rate refused the request. */
  readonly isRateLimited: boolean;
  readonly counts: CountSnapshot;
}

/** Collects the fields of a request's log line. */
export class RequestLog {
  readonly #beganAt = Date.now();
  readonly #stages: Partial<Record<Stage, number>> = {};
  #stageBeganAt = this.#beganAt;
  #operation: string | undefined;
  #principal: string | undefined;
  #decision: string | undefined;
  #error: string | undefined;

  /** The name of the operation in S3, IAM or STS; undefined until it is known. */
  get operation(): string | undefined {
    return this.#operation;
  }

  /** Sets the name of the operation in S3, IAM or STS. */
  setOperation(operation: string): void {
    this.#operation = operation;
  }

  /** Sets the verified principal; undefined if none is verified. */
  setPrincipal(principal: Principal | undefined): void {
    this.#principal = principal?.kind === "anonymous" ? "anonymous" : principal?.arn;
  }

  /** Sets the reason of a refusal. */
  setDenial(explanation: string): void {
    this.#decision = explanation;
  }

  /** Sets the code of the returned error. */
  setError(code: string): void {
    this.#error = code;
  }

  /** Ends a stage. The Workers clock advances only during I/O, so the durations measure waiting. */
  endStage(stage: Stage): void {
    const now = Date.now();
    this.#stages[stage] = now - this.#stageBeganAt;
    this.#stageBeganAt = now;
  }

  /** Writes the line. */
  write({ requestId, request, method, response, isRateLimited, counts }: RequestEnd): void {
    this.endStage("run");
    const { status } = response;
    const level = levelOf(status, isRateLimited);
    const line = {
      level,
      time: new Date(this.#beganAt).toISOString(),
      requestId,
      method,
      operation: this.#operation,
      ...placeOf(request),
      status,
      error: this.#error,
      principal: this.#principal,
      decision: this.#decision,
      bytesIn: lengthOf(request?.headers),
      bytesOut: lengthOf(response.headers),
      ...counts,
      ms: Date.now() - this.#beganAt,
      stages: this.#stages,
      userAgent: request?.headers.get("user-agent")?.slice(0, USER_AGENT_MAX),
    };
    WRITERS[level](JSON.stringify(line));
  }
}

type Level = "info" | "warn" | "error";

const WRITERS: Readonly<Record<Level, (line: string) => void>> = {
  info: (line) => {
    console.log(line);
  },
  warn: (line) => {
    console.warn(line);
  },
  error: (line) => {
    console.error(line);
  },
};

/** A rate that refuses, and an operation that is not implemented, are no failures of the service. */
function levelOf(status: number, isRateLimited: boolean): Level {
  if (isRateLimited) return "warn";
  return status >= 500 && status !== 501 ? "error" : "info";
}

/** The bucket, if its name is valid: a malformed request may have anything in its place. */
function placeOf(request: S3Request | undefined): { readonly bucket?: string; readonly snapshot?: string | undefined } {
  if (request === undefined || request.address.level === "service") return {};
  const { bucket } = request.address;
  if (!/^[a-z0-9.-]{3,63}$/.test(bucket)) return {};
  return { bucket, snapshot: addressedSnapshot(request.address) };
}

/** The Content-Length of a request or response; undefined without a valid one. */
export function lengthOf(headers: ReadableHeaders | undefined): number | undefined {
  const length = headers?.get("content-length") ?? null;
  return length === null || !/^\d{1,15}$/.test(length) ? undefined : Number(length);
}
