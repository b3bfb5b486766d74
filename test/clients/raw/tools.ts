// What the raw checks share: signed requests sent by hand, and assertions about the answers.
import assert from "node:assert/strict";
import { newBucketName, type Endpoint, type Site } from "../site.ts";
import { type Answer, exchange, type ExchangeOptions, openSocket } from "./exchange.ts";
import { type RequestToSign, signRequest } from "./sign.ts";

export interface RawRequest extends Partial<Omit<RequestToSign, "host">> {
  readonly method: string;
  readonly target: string;
  /** The body as it goes out; Content-Length is added for it unless `unsigned` says how it is framed. */
  readonly body?: string | Uint8Array;
  /** More headers, which go out unsigned. */
  readonly unsigned?: Readonly<Record<string, string>>;
}

export interface RawTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly bucket: string;
  /** Signs a request and sends it. */
  readonly send: (request: RawRequest, options?: ExchangeOptions) => Promise<Answer>;
  /** Sends pieces as they are. */
  readonly sendPieces: (pieces: Iterable<string | Uint8Array>, options?: ExchangeOptions) => Promise<Answer>;
  /** The parts of a request to sign that are the same for all. */
  readonly identity: Pick<RequestToSign, "host" | "credentials" | "region">;
}

/** The tools at an endpoint. */
export function rawTools(site: Site, endpoint: Endpoint): RawTools {
  const identity = { host: endpoint.host, credentials: site.credentials, region: site.region };
  const sendPieces: RawTools["sendPieces"] = async (pieces, options) =>
    exchange(await openSocket(site, endpoint), pieces, options);
  return {
    site,
    endpoint,
    bucket: newBucketName("raw"),
    identity,
    sendPieces,
    send({ body = "", unsigned, ...request }, options) {
      const framing = unsigned ?? { "content-length": String(Buffer.byteLength(body)) };
      const { head } = signRequest({ ...identity, ...request }, framing);
      return sendPieces([head, body], options);
    },
  };
}

/** Asserts that an answer is one of S3's errors, in XML, with a message. */
export function assertError(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, `${answer.status} ${answer.body}`);
  assert.equal(answer.headers.get("content-type"), "application/xml");
  assert.match(answer.body, new RegExp(`^<\\?xml[^]*<Error><Code>${code}</Code><Message>[^<]`));
  assert.match(answer.body, /<RequestId>[0-9A-Z]{16}<\/RequestId>/);
}

/** Asserts that there is no object of a key, in an encoded path. */
export async function assertAbsent({ send }: RawTools, target: string): Promise<void> {
  const { status } = await send({ method: "GET", target });
  assert.equal(status, 404, `${target} is there`);
}

/** Asserts that an object's bytes are those of a text. */
export async function assertText({ send }: RawTools, target: string, text: string): Promise<void> {
  const { status, body } = await send({ method: "GET", target });
  assert.equal(status, 200, body);
  assert.equal(body, text);
}

/** Puts a text, which must succeed. */
export async function putText({ send }: RawTools, target: string, text: string): Promise<void> {
  const { status, body } = await send({ method: "PUT", target, body: text });
  assert.equal(status, 200, body);
}
