// The state of one request: its ids, settings, connections, counts and log, and its progress.
import { randomDigits } from "../bytes/random-id.ts";
import { settingsOf } from "../config/settings-of.ts";
import type { Settings } from "../config/settings.ts";
import { connect, type Connections } from "../contract/connections.ts";
import { edgeCacheOf } from "../contract/edge-caches.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { EdgeCache } from "../state/blobs/edge-cache.ts";
import { Counts } from "../state/d1/counts.ts";
import type { Statement } from "../state/d1/database.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { SpeculativeRead } from "../state/reads/speculative-read.ts";
import { cachedBlobEntrypoint } from "./cached-blob.ts";
import { RateLimits } from "./rate-limits.ts";
import type { AnswerFacts } from "./render.ts";
import { RequestLog } from "./request-log.ts";

const REQUEST_ID_DIGITS = 16;
const HOST_ID_DIGITS = 64;

export class RequestScope {
  readonly env: Env;
  readonly method: string;
  readonly requestId: string;
  readonly hostId: string;
  readonly settings: Settings;
  readonly counts = new Counts();
  readonly connections: Connections;
  readonly log = new RequestLog();
  readonly rates: RateLimits;
  /** When the request began, in milliseconds since the epoch. */
  readonly now = Date.now();
  /** The parsed request; undefined until its target is parsed. */
  request: S3Request | undefined;
  /** The bucket that the request addresses, once it is known to exist. */
  bucket: Pick<Bucket, "id" | "name"> | undefined;
  /** The access key of verified credentials; of a session's, the parent's. */
  accessKeyId: string | undefined;
  /** What is read beside the lookups. */
  speculation: Promise<SpeculativeRead | undefined> | undefined;
  /** Records the use of verified credentials; undefined if that is not needed. */
  lastUse: Statement | undefined;
  readonly #execution: Pick<ExecutionContext, "waitUntil">;
  readonly #url: string;

  constructor({ method, url }: Request, env: Env, execution: Pick<ExecutionContext, "waitUntil">) {
    const digits = randomDigits(REQUEST_ID_DIGITS + HOST_ID_DIGITS);
    this.requestId = digits.slice(0, REQUEST_ID_DIGITS).toUpperCase();
    this.hostId = digits.slice(REQUEST_ID_DIGITS);
    this.method = method;
    this.#url = url;
    this.env = env;
    this.#execution = execution;
    this.settings = settingsOf(env);
    this.rates = new RateLimits(env, this.settings.addressRates);
    this.connections = connect(env, this.settings, this.counts, (work) => this.waitUntil(work));
  }

  /** What the answer's headers contain about this request. */
  answerFacts(): AnswerFacts {
    return {
      method: this.method,
      requestId: this.requestId,
      hostId: this.hostId,
      isControl: this.request?.address.level === "tags",
      counts: this.settings.serverTiming ? this.counts.snapshot() : undefined,
    };
  }

  /** The cache near the reader; undefined if nothing is cached. */
  openEdgeCache(): Promise<EdgeCache | undefined> {
    return edgeCacheOf(this.settings, this.#url, cachedBlobEntrypoint);
  }

  /** Continues work after the answer. */
  waitUntil(work: Promise<unknown>): void {
    this.#execution.waitUntil(work);
  }

  /** Logs an unexpected failure with the request id in the answer; without headers and keys. */
  logFailure(error: unknown): void {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    console.error(JSON.stringify({ level: "error", requestId: this.requestId, name, message }));
  }
}
