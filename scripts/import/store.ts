// A client of one bucket of an S3 store: signed requests, retried as long as they can succeed, and errors with the store's
// own code.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import type { Place } from "./options.ts";
import { sendOnWire } from "./wire.ts";

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 200;

/** An answer of a store that is no success. */
export class StoreError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(what: string, status: number, code: string) {
    super(`${what}: ${status}${code === "" ? "" : ` ${code}`}`);
    this.status = status;
    this.code = code;
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return this.status >= 500 ? this.status !== 501 : this.status === 429 || this.status === 408;
  }

  /** Whether the store lacks the operation. */
  get isNotOffered(): boolean {
    return this.status === 501 || this.status === 405 || this.code === "NotImplemented";
  }
}

export interface StoreCall {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Undefined: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | string;
}

export class Store {
  readonly #client: AwsClient;
  readonly #url: string;

  constructor({ endpoint, bucket, region, profile, variables }: Place) {
    this.#client = new AwsClient({ ...credentialsOf(profile, variables), service: "s3", region, retries: 0 });
    this.#url = `${endpoint}/${encodeURIComponent(bucket)}`;
  }

  /** Sends a call once. @throws StoreError for an answer that is no success, Error without an answer */
  async send({ method, key, query = {}, headers = {}, body }: StoreCall): Promise<Response> {
    const path = key === undefined ? "" : `/${encodeKey(key)}`;
    const pairs = Object.entries(query).map(
      ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    );
    const url = `${this.#url}${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
    if (new URL(url).pathname !== new URL(this.#url).pathname + path) throw new Error("no URL can contain this key");
    const signed = await this.#client.sign(url, {
      method,
      headers: { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      aws: { allHeaders: true },
    });
    const sent = new Headers(signed.headers);
    sent.set("accept-encoding", "identity");
    const response = await sendOnWire({ url: signed.url, method, headers: sent, body });
    if (response.ok) return response;
    const text = await response.text().catch(() => "");
    const [, code = ""] = /<Code>([^<]*)<\/Code>/.exec(text) ?? [];
    throw new StoreError(`${method}${"uploadId" in query ? " part" : ""}`, response.status, code);
  }

  /** Sends a call whose body can be sent again, until it succeeds or cannot. */
  async call(call: StoreCall): Promise<Response> {
    return retried(() => this.send(call));
  }

  /** The text of an answer. */
  async text(call: StoreCall): Promise<string> {
    return retried(async () => (await this.send(call)).text());
  }
}

/** Runs work again after failures that may pass. */
export async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const isTransient = error instanceof StoreError ? error.isTransient : isOfNetwork(error);
      if (!isTransient || attempt === ATTEMPTS) throw error;
      const pause = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
      });
    }
  }
}

/** An error of bytes that arrived damaged. */
export class DamagedBytes extends Error {}

function isOfNetwork(error: unknown): boolean {
  if (error instanceof DamagedBytes) return true;
  return error instanceof Error && ("code" in error || error.message.startsWith("nothing arrived"));
}

function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (character) => `%${character.codePointAt(0)?.toString(16).toUpperCase()}`);
}

/** Reads credentials from two variables, or from a profile of the AWS CLI. */
function credentialsOf(
  profile: string,
  variables: string,
): { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } {
  const [id, secret] = [process.env[`${variables}_ACCESS_KEY_ID`], process.env[`${variables}_SECRET_ACCESS_KEY`]];
  if (id !== undefined && secret !== undefined) return { accessKeyId: id, secretAccessKey: secret };
  const file = process.env["AWS_SHARED_CREDENTIALS_FILE"] ?? join(homedir(), ".aws", "credentials");
  const values = sectionOf(file, profile);
  const [accessKeyId, secretAccessKey] = [values.get("aws_access_key_id"), values.get("aws_secret_access_key")];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error(
      `no credentials: set ${variables}_ACCESS_KEY_ID and ${variables}_SECRET_ACCESS_KEY, or the profile ${profile}`,
    );
  }
  const sessionToken = values.get("aws_session_token");
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function sectionOf(file: string, profile: string): ReadonlyMap<string, string> {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return new Map();
  }
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    const [, name] = /^\s*\[([^\]]+)\]/.exec(line) ?? [];
    if (name !== undefined) section = name.trim();
    const [, field, value] = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (section === profile && field !== undefined && value !== undefined) values.set(field, value);
  }
  return values;
}
