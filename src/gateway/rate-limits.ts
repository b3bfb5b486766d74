// Limits the rates of one request's bucket, user, access key and client address, in this isolate (docs/quotas.md). A
// request that exceeds a rate is refused before its body is read, and takes nothing from any of them. Bytes are charged
// when they are announced; a debt of bytes refuses further ones until it is paid.
import { parseIpRange } from "../auth/policy/ip-range.ts";
import type { Principal } from "../auth/identity/principal.ts";
import { quotaFromText } from "../protocol/buckets/bucket-quota.ts";
import { DECODED_LENGTH } from "../protocol/core/envelope-headers.ts";
import { isLimited, RATE_KINDS, type RateKind, type Rates } from "../protocol/core/rates.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { ratesOfTags } from "../protocol/iam/user-limits.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { lengthOf } from "./request-log.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** Buckets, users and keys exist in the database; anonymous clients can only add addresses. */
const MAX_KNOWN = 20_000;
const MAX_ADDRESSES = 20_000;
/** The shortest period of the platform's limiter, after which it surely admits again. */
const PLATFORM_RETRY_SECONDS = 10;

interface Tables {
  readonly known: TokenBuckets;
  readonly addresses: TokenBuckets;
}

// A binding exists as long as its isolate.
const TABLES = new WeakMap<object, Tables>();

function tablesOf(d1: object): Tables {
  const tables = TABLES.get(d1) ?? {
    known: new TokenBuckets(MAX_KNOWN),
    addresses: new TokenBuckets(MAX_ADDRESSES),
  };
  TABLES.set(d1, tables);
  return tables;
}

/** Who or what has rates. */
interface Subject {
  readonly table: TokenBuckets;
  readonly name: string;
  /** For the message of a refusal. */
  readonly title: string;
  readonly rates: Rates;
}

type RatedRequest = Pick<S3Request, "method" | "headers" | "body">;

const UNITS: Readonly<Record<RateKind, string>> = {
  requests: "requests",
  bytesIn: "received bytes",
  bytesOut: "sent bytes",
};

/** The rates that apply to one request. */
export class RateLimits {
  readonly #d1: object;
  readonly #platform: Pick<RateLimit, "limit"> | undefined;
  readonly #addressRates: Rates;
  readonly #subjects: Subject[] = [];
  #bytesIn = 0;
  #hasRefused = false;

  constructor(env: Pick<Env, "DB" | "ANONYMOUS_RATE_LIMIT">, addressRates: Rates) {
    this.#d1 = env.DB;
    this.#platform = env.ANONYMOUS_RATE_LIMIT;
    this.#addressRates = addressRates;
  }

  /** Whether a rate refused the request. That is the limit's purpose, and no failure of the service. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  /** Admits a request without credentials from its client's address. @throws S3Error SlowDown */
  async admitAddress(request: RatedRequest): Promise<void> {
    if (this.#platform === undefined && !isLimited(this.#addressRates)) return;
    const address = addressGroup(request.headers.get("cf-connecting-ip") ?? "");
    const { addresses: table } = tablesOf(this.#d1);
    this.#admit(request, { table, name: address, title: "your address", rates: this.#addressRates });
    if (this.#platform === undefined) return;
    // A limiter that fails must not stop public reads.
    const { success } = await this.#platform.limit({ key: address }).catch(() => ({ success: true }));
    if (success) return;
    throw this.#refusal("requests of your address", PLATFORM_RETRY_SECONDS);
  }

  /** Admits a user's request by the user's tags. Root has no rates. @throws S3Error SlowDown */
  admitPrincipal(request: RatedRequest, { creatorId, tags }: Principal, accessKeyId: string | undefined): void {
    if (creatorId === undefined || tags.size === 0) return;
    const { user, accessKey } = ratesOfTags(tags);
    const { known: table } = tablesOf(this.#d1);
    this.#admit(request, { table, name: `user ${creatorId}`, title: "the user", rates: user });
    const name = `key ${accessKeyId ?? ""}`;
    this.#admit(request, { table, name, title: "the access key", rates: accessKey });
  }

  /** Admits an authorised request to its bucket. @throws S3Error SlowDown */
  admitToBucket(request: S3Request, { id, configurations }: Bucket, isAnonymous: boolean): void {
    const quota = quotaFromText(configurations.quota);
    // The limits themselves can be changed at any time.
    if (quota === undefined || (request.address.level === "bucket" && request.query.has("quota"))) return;
    const { known: table } = tablesOf(this.#d1);
    const { rates, anonymousRates } = quota;
    if (isAnonymous && anonymousRates !== undefined) {
      const title = "the bucket's requests without credentials";
      this.#admit(request, { table, name: `anonymous ${id}`, title, rates: anonymousRates });
    } else if (rates !== undefined) {
      this.#admit(request, { table, name: `bucket ${id}`, title: "the bucket", rates });
    }
  }

  /** Charges the announced length of the body of an authorised request. */
  chargeBody(request: Pick<S3Request, "headers">): void {
    this.#receive(announcedLength(request) ?? 0);
  }

  /** Charges a body without a length while it is read. */
  measureBody(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    return this.#isLimited("bytesIn") ? measured(body, (count) => this.#receive(count)) : body;
  }

  /** Charges the body of an answer, or returns one that charges it while it is sent. */
  chargeAnswer(response: Response, length: number): Response {
    const { body, headers } = response;
    if (!this.#isLimited("bytesOut") || body === null) return response;
    if (length === 0 && !headers.has("content-length")) {
      const counted = measured(body, (count) => this.#charge("bytesOut", count));
      const encodeBody = headers.has("content-encoding") ? "manual" : "automatic";
      return new Response(counted, { status: response.status, headers, encodeBody });
    }
    this.#charge("bytesOut", length);
    return response;
  }

  #isLimited(kind: RateKind): boolean {
    return this.#subjects.some(({ rates }) => rates[kind] !== undefined);
  }

  #admit(request: RatedRequest, subject: Subject): void {
    const { table, name, rates, title } = subject;
    if (this.#subjects.some((admitted) => admitted.table === table && admitted.name === name)) return;
    const now = Date.now();
    for (const kind of RATE_KINDS) {
      const rate = rates[kind];
      if (rate === undefined || !concerns(kind, request)) continue;
      const wait = table.waitFor(`${kind} ${name}`, rate, 1, now);
      if (wait === 0) continue;
      throw this.#refusal(`${UNITS[kind]} of ${title}`, Math.max(1, Math.ceil(wait / 1000)));
    }
    this.#subjects.push(subject);
    chargeSubject(subject, "requests", 1, now);
    chargeSubject(subject, "bytesIn", this.#bytesIn, now);
  }

  #receive(count: number): void {
    this.#bytesIn += count;
    this.#charge("bytesIn", count);
  }

  #charge(kind: RateKind, count: number): void {
    const now = Date.now();
    for (const subject of this.#subjects) chargeSubject(subject, kind, count, now);
  }

  /** Returns what the request has taken, and creates the error that refuses it. */
  #refusal(limited: string, seconds: number): S3Error {
    this.#hasRefused = true;
    this.#charge("requests", -1);
    this.#charge("bytesIn", -this.#bytesIn);
    this.#subjects.length = 0;
    const message = `Please reduce your request rate: the limit of ${limited} is reached.`;
    return new S3Error("SlowDown", {}, message, { "retry-after": String(seconds) });
  }
}

function chargeSubject({ table, name, rates }: Subject, kind: RateKind, count: number, now: number): void {
  const rate = rates[kind];
  if (rate !== undefined && count !== 0) table.take(`${kind} ${name}`, rate, count, now);
}

/** Whether a request can cause what a rate limits: only a body is received, and only a GET's answer is large. */
function concerns(kind: RateKind, request: RatedRequest): boolean {
  if (kind === "bytesOut") return request.method === "GET";
  if (kind === "bytesIn") return request.body !== null && announcedLength(request) !== 0;
  return true;
}

/** The bytes of a request's body, or of its payload if only that is announced. */
function announcedLength({ headers }: Pick<S3Request, "headers">): number | undefined {
  const decoded = headers.get(DECODED_LENGTH) ?? "";
  return lengthOf(headers) ?? (/^\d{1,15}$/.test(decoded) ? Number(decoded) : undefined);
}

/** The client's network: an IPv4 address, or the first 64 bits of an IPv6 address, which one client has for itself. */
export function addressGroup(text: string): string {
  const address = parseIpRange(text)?.address;
  return address?.slice(0, 4).join(".") ?? "unknown";
}

function measured(body: ReadableStream<Uint8Array>, count: (length: number) => void): ReadableStream<Uint8Array> {
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        count(chunk.byteLength);
        controller.enqueue(chunk);
      },
    }),
  );
}
