// Signed requests to this endpoint with one set of credentials. S3, IAM and STS share the endpoint; the signature names
// the service. It knows no operation.
import { AwsV4Signer } from "aws4fetch";
import { NetworkFailure, readFailure } from "./failures.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only in temporary credentials. */
  readonly sessionToken?: string;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface ServiceRequest {
  readonly service?: "s3" | "iam" | "sts";
  readonly method: string;
  /** Encoded, with its leading slash. */
  readonly path: string;
  /** An undefined value leaves the parameter out; an empty one is a parameter without a value. */
  readonly query?: Query;
  /** An undefined value leaves the header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Blob | ArrayBuffer | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A request that is ready for fetch or XMLHttpRequest. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

/** The errors of a request whose clock is wrong: the codes of S3, and of IAM and STS. */
const SKEW_CODES = new Set(["RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch", "AccessDenied"]);
const TOLERATED_SKEW_MS = 5 * 60_000;

/** Signed requests with one set of credentials. */
export class Connection {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly region: string;
  /** The endpoint for links and for other clients. The console's own host may not be reachable by all. */
  readonly publicEndpoint: string;
  /** The domains below which each bucket with a website has a host of its name. */
  readonly sites: readonly string[];
  #credentials: Credentials;
  /** Keys that were derived from the secret, which signing needs for each day and service. */
  readonly #derivedKeys = new Map<string, ArrayBuffer>();
  /** The server's clock minus this device's. */
  #skewMs = 0;

  constructor(
    endpoint: string,
    credentials: Credentials,
    region = "auto",
    publicEndpoint = endpoint,
    sites: readonly string[] = [],
  ) {
    this.endpoint = endpoint;
    this.#credentials = credentials;
    this.region = region;
    this.publicEndpoint = publicEndpoint;
    this.sites = sites;
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  /** Replaces the credentials by others of the same principal, for all users of this connection. */
  renew(credentials: Credentials): void {
    this.#credentials = credentials;
    this.#derivedKeys.clear();
  }

  /** The server's time, as its responses have shown it. */
  now(): number {
    return Date.now() + this.#skewMs;
  }

  /**
   * Sends a request. @returns a successful response. If the clock of this device is wrong, it takes the server's and
   * repeats the request once.
   * @throws ServiceError, NetworkFailure; an AbortError if the caller's signal aborts
   */
  async send(request: ServiceRequest): Promise<Response> {
    const [response, skewMs] = await this.#fetch(request);
    if (response.ok || response.status === 304) return response;
    const failure = await readFailure(response, skewMs);
    const isSkewed = Math.abs(skewMs - this.#skewMs) > TOLERATED_SKEW_MS && SKEW_CODES.has(failure.code);
    if (!isSkewed) throw failure;
    this.#skewMs = skewMs;
    const [second] = await this.#fetch(request);
    if (second.ok) return second;
    throw await readFailure(second, skewMs);
  }

  async #fetch(request: ServiceRequest): Promise<[response: Response, skewMs: number]> {
    const { method, url, headers } = await this.sign(request);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        cache: "no-store",
        credentials: "omit",
      });
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw new NetworkFailure(error);
    }
    const date = Date.parse(response.headers.get("date") ?? "");
    return [response, Number.isNaN(date) ? this.#skewMs : date - Date.now()];
  }

  /** Signs a request without sending it. The signature covers a text body; other bodies are unsigned, as UNSIGNED-PAYLOAD. */
  async sign(request: ServiceRequest): Promise<SignedRequest> {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers ?? {}))
      if (value !== undefined) headers.set(name, value);
    const { service = "s3", body } = request;
    if (service === "s3" && typeof body === "string") headers.set("x-amz-content-sha256", await sha256Hex(body));
    const signed = await this.#signer(request, {
      headers,
      ...(service === "s3" || typeof body !== "string" ? {} : { body }),
    }).sign();
    return { method: request.method, url: signed.url.toString(), headers: new Headers(signed.headers) };
  }

  /**
   * A URL that permits a request for some seconds.
   * @param endpoint `publicEndpoint` for a URL that leaves this page
   */
  async presign(request: ServiceRequest, seconds: number, endpoint = this.endpoint): Promise<string> {
    const query = { ...request.query, "X-Amz-Expires": seconds };
    const { url } = await this.#signer({ ...request, query }, { signQuery: true }, endpoint).sign();
    return url.toString();
  }

  #signer(
    { service = "s3", method, path, query }: ServiceRequest,
    more: Pick<ConstructorParameters<typeof AwsV4Signer>[0], "headers" | "body" | "signQuery">,
    endpoint = this.endpoint,
  ): AwsV4Signer {
    return new AwsV4Signer({
      ...this.#credentials,
      ...more,
      method,
      url: `${endpoint}${path}${queryText(query)}`,
      service,
      region: this.region,
      cache: this.#derivedKeys,
      datetime: new Date(this.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
    });
  }
}

function queryText(query: Query = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeText(name)}=${encodeText(String(value))}`],
  );
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** Percent-encodes everything but RFC 3986's unreserved characters, as signatures require. */
export function encodeText(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
