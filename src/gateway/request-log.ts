// The request log: a line of JSON for each request. It says who asked for what of which bucket, how that ended and what
// it took; never a key, a query string, a header's secret or anything that was stored.
import type { Principal } from "../auth/identity/principal.ts";
import { addressedSnapshot } from "../protocol/core/addressing.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { CountSnapshot } from "../state/d1/counts.ts";

const USER_AGENT_MAX = 120;

/** The stages of a request, in milliseconds: until who asks and what was looked up is known, until it is allowed, the rest. */
type Stage = "lookUp" | "authorize" | "run";

/** How a request ended. */
export interface RequestEnd {
  readonly requestId: string;
  /** Undefined for one whose target could not be read. */
  readonly request: S3Request | undefined;
  readonly method: string;
  readonly response: Response;
  readonly counts: CountSnapshot;
}

/** What becomes known of a request on its way, for its line. */
export class RequestLog {
  readonly #beganAt = Date.now();
  readonly #stages: Partial<Record<Stage, number>> = {};
  #stageBeganAt = this.#beganAt;
  #operation: string | undefined;
  #principal: string | undefined;
  #decision: string | undefined;
  #error: string | undefined;

  /** Notes what is asked for, as S3, IAM or STS call it. */
  asks(operation: string): void {
    this.#operation = operation;
  }

  /** Notes who asks, once that is verified; undefined for whoever it was that only said so. */
  isBy(principal: Principal | undefined): void {
    this.#principal = principal?.kind === "anonymous" ? "anonymous" : principal?.arn;
  }

  /** Notes why something was refused. */
  isDenied(explanation: string): void {
    this.#decision = explanation;
  }

  /** Notes the code of the error that is answered. */
  fails(code: string): void {
    this.#error = code;
  }

  /** Notes that a stage is over. The Workers clock stands still but for I/O: what is measured is waiting. */
  ends(stage: Stage): void {
    const now = Date.now();
    this.#stages[stage] = now - this.#stageBeganAt;
    this.#stageBeganAt = now;
  }

  /** Writes the line. */
  write({ requestId, request, method, response, counts }: RequestEnd): void {
    this.ends("run");
    const { status } = response;
    const line = {
      level: status >= 500 ? "error" : "info",
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
    if (status >= 500) console.error(JSON.stringify(line));
    else console.log(JSON.stringify(line));
  }
}

/** The bucket, if what stands in its place can be one: a client in error may have put anything there. */
function placeOf(request: S3Request | undefined): { readonly bucket?: string; readonly snapshot?: string | undefined } {
  if (request === undefined || request.address.level === "service") return {};
  const { bucket } = request.address;
  if (!/^[a-z0-9.-]{3,63}$/.test(bucket)) return {};
  return { bucket, snapshot: addressedSnapshot(request.address) };
}

function lengthOf(headers: Headers | undefined): number | undefined {
  const length = headers?.get("content-length") ?? null;
  return length === null || !/^\d{1,15}$/.test(length) ? undefined : Number(length);
}
