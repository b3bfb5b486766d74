// AWS's own SDK against the verifier: every request that it signs or presigns must verify in any encoding of its query,
// and no change to it may.
import { createHash, createHmac } from "node:crypto";

import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";

import { readClaim, verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { S3Error } from "../../../src/protocol/core/s3-error.ts";
import { ACCESS_KEY_ID, caught, randomOf, requestOf, SECRET_ACCESS_KEY, VECTOR_TIME } from "./support.ts";

const REQUESTS = 250;
const HOST = "s3.example.com";
const random = randomOf(20261121);

const LETTERS = Array.from("aZ09-_.~ +=&!'()*%;:@$,#?/\\\"<>|^`{}[]éß日ключ\u{1f600}\u0301\u007f\u0001");
const TEXTS = ["%2F", "%20", "%25", "%", "+", "..", "./", "//", "${x}", " ", "  ", "a b", "é", "\u{1f600}"];
/** Valid header content, without repeated spaces and commas with spaces, which are normalised. */
const VALUES = [...Array.from("aZ09=;:/()\"'%?&+*,-_"), "é", "日", "\u{1f600}", "a b"];
const METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD"];

function pick<Item>(items: readonly Item[]): Item {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function textOf(alphabet: readonly string[], least: number, most: number): string {
  return Array.from({ length: least + random(most - least + 1) }, () => pick(alphabet)).join("");
}

/** Percent-encoding as the SDK does it. */
function escape(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Another encoding of the same text: `+` for a space, lower-case escapes, unnecessary escapes. */
function respell(escaped: string): string {
  return escaped.replaceAll(/%[0-9A-F]{2}|[A-Za-z]/g, (unit) => {
    if (random(3) > 0) return unit;
    if (unit === "%20") return "+";
    return unit.startsWith("%") ? unit.toLowerCase() : `%${unit.charCodeAt(0).toString(16)}`;
  });
}

/** Node's digests in the form that the SDK expects. */
class Sha256 {
  readonly #hash: { update(data: Uint8Array | string): unknown; digest(): Uint8Array };

  constructor(secret?: unknown) {
    if (secret === undefined) this.#hash = createHash("sha256");
    else this.#hash = createHmac("sha256", bytesOf(secret));
  }

  update(data: unknown): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    throw new Error("never asked for");
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new Error("no bytes");
}

type Pairs = readonly (readonly [name: string, value: string])[];

interface Wire {
  readonly method: string;
  readonly path: string;
  /** Not yet escaped. */
  readonly query: Pairs;
  readonly headers: Readonly<Record<string, string>>;
  /** Which of the headers are signed. */
  readonly signedHeaders: readonly string[];
}

/** A random request as the SDK signs it, in its header or, every second one, in its query. */
async function signedRequest(at: number): Promise<Wire> {
  const key = Array.from({ length: 1 + random(3) }, () => textOf([...LETTERS, ...TEXTS], 1, 5)).join("/");
  const path = `/bucket/${key.split("/").map(escape).join("/")}`;
  const query: Record<string, string | string[]> = Object.create(null);
  for (let index = random(4); index > 0; index -= 1) {
    const name = `${textOf([...LETTERS, ...TEXTS], 0, 3)}n${index}`;
    const values = Array.from({ length: 1 + random(2) }, () => textOf([...LETTERS, ...TEXTS], 0, 4));
    query[name] = random(3) === 0 ? values : (values[0] ?? "");
  }
  const headers: Record<string, string> = { host: HOST };
  for (let index = random(4); index > 0; index -= 1) {
    headers[`${pick(["x-amz-meta-", "x-amz-", "x-other-"])}h${index}`] = textOf(VALUES, 0, 6);
  }
  if (random(3) === 0) headers["content-type"] = `text/plain; charset=${textOf(VALUES, 1, 3)}`;
  const isPresigned = at % 2 === 0;
  headers["x-amz-content-sha256"] = isPresigned ? "UNSIGNED-PAYLOAD" : pick(["UNSIGNED-PAYLOAD", "0".repeat(64)]);
  const sessionToken = random(3) === 0 ? `token/${textOf(Array.from("aZ09+/="), 1, 9)}=` : undefined;
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: ACCESS_KEY_ID,
      secretAccessKey: SECRET_ACCESS_KEY,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    region: pick(["auto", "us-east-1", "eu-west-3"]),
    service: "s3",
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const method = pick(METHODS);
  const request = { method, protocol: "https:", hostname: HOST, path, query, headers };
  const signingDate = new Date(VECTOR_TIME);
  const signed = isPresigned
    ? await signer.presign(request, {
        signingDate,
        expiresIn: 60 + random(600_000),
        // Some of them stay headers, which must then be sent.
        unhoistableHeaders: new Set(["x-amz-h1", "x-amz-meta-h2"]),
      })
    : await signer.sign(request, { signingDate });
  const pairs = Object.entries(signed.query ?? {}).flatMap(([name, value]) =>
    [value ?? ""].flat().map((one) => [name, one] as const),
  );
  const list = isPresigned
    ? (pairs.find(([name]) => name === "X-Amz-SignedHeaders")?.[1] ?? "")
    : (/SignedHeaders=([^,]*)/.exec(signed.headers["authorization"] ?? "")?.[1] ?? "");
  return { method, path, query: pairs, headers: signed.headers, signedHeaders: list.split(";") };
}

async function verify({ method, path, query, headers }: Wire, spell: (text: string) => string = escape) {
  const text = query.map(([name, value]) => `${spell(name)}=${spell(value)}`).join("&");
  const request = requestOf(`https://${HOST}${path}${text === "" ? "" : `?${text}`}`, { method, headers });
  const claim = readClaim(request, VECTOR_TIME);
  if (claim === undefined) throw new S3Error("AccessDenied", {}, "anonymous");
  // The key id is not signed; it selects the secret.
  if (claim.accessKeyId !== ACCESS_KEY_ID) throw new S3Error("InvalidAccessKeyId");
  return verifyClaim(request, claim, SECRET_ACCESS_KEY);
}

/** Every way to change one signed part of a request. */
function* changesOf(wire: Wire): Generator<readonly [what: string, changed: Wire]> {
  const { method, path, query, headers, signedHeaders } = wire;
  yield ["method", { ...wire, method: pick(METHODS.filter((other) => other !== method)) }];
  const at = 8 + random(path.length - 7);
  for (const other of [`${path.slice(0, at)}x${path.slice(at)}`, `${path}/`, `/x${path}`, path.replace("/", "//")]) {
    // A broken escape may be malformed, which is rejected before verification.
    if (!/%(?![0-9A-F]{2})/.test(other)) yield ["path", { ...wire, path: other }];
  }
  for (const [index, [name, value]] of query.entries()) {
    yield ["a parameter less", { ...wire, query: query.toSpliced(index, 1) }];
    yield ["a parameter twice", { ...wire, query: [...query, [name, value]] }];
    yield ["a longer value", { ...wire, query: query.with(index, [name, `${value}1`]) }];
    yield ["another name", { ...wire, query: query.with(index, [`${name}1`, value]) }];
    if (value !== "") yield ["an empty value", { ...wire, query: query.with(index, [name, ""]) }];
  }
  yield ["a parameter more", { ...wire, query: [...query, [pick(["acl", "versionId", "x-id", "é"]), ""]] }];
  for (const name of signedHeaders) {
    const value = headers[name] ?? "";
    yield [`${name} changed`, { ...wire, headers: { ...headers, [name]: `${value}1` } }];
    yield [`${name} sent twice`, { ...wire, headers: { ...headers, [name]: `${value}, ${value}` } }];
    const { [name]: _, ...others } = headers;
    if (value.trim() !== "") yield [`${name} left out`, { ...wire, headers: others }];
  }
  yield ["x-amz-* added", { ...wire, headers: { ...headers, "x-amz-added": "1" } }];
}

describe(`${REQUESTS} random requests signed by AWS's SDK`, () => {
  it("verify in any encoding of their query, and fail with any signed part changed", async () => {
    let changes = 0;
    for (let at = 0; at < REQUESTS; at += 1) {
      const wire = await signedRequest(at);
      await expect(verify(wire), JSON.stringify(wire)).resolves.toBeDefined();
      await expect(
        verify(wire, (text) => respell(escape(text))),
        JSON.stringify(wire),
      ).resolves.toBeDefined();
      await expect(verify({ ...wire, query: wire.query.toReversed() })).resolves.toBeDefined();
      for (const [what, changed] of changesOf(wire)) {
        const error = await caught(async () => verify(changed)).catch((problem: unknown) => {
          throw new Error(`${what} was not refused: ${JSON.stringify(changed)}`, { cause: problem });
        });
        expect([400, 403], what).toContain(error.status);
        changes += 1;
      }
    }
    expect(changes).toBeGreaterThan(REQUESTS * 15);
  });
});
