// An independent signer against the verifier: every request that aws4fetch signs must verify, and no change to it may.
import { AwsV4Signer } from "aws4fetch";
import { describe, expect, it } from "vitest";

import { readClaim, verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { percentDecode, uriEncode } from "../../../src/bytes/uri-encode.ts";
import { splitTarget } from "../../../src/protocol/core/addressing.ts";
import { S3Error } from "../../../src/protocol/core/s3-error.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";
import { ACCESS_KEY_ID, caught, randomOf, requestOf, SECRET_ACCESS_KEY, VECTOR_TIME } from "./support.ts";

const REQUESTS = 300;
const random = randomOf(20130524);
const SEGMENT = [
  "a",
  "Z",
  "0",
  "-",
  "_",
  "~",
  " ",
  "+",
  "=",
  "&",
  "!",
  "'",
  "(",
  ")",
  "*",
  "%",
  ";",
  ":",
  "@",
  "$",
  ",",
  "#",
  "?",
  "\\",
  '"',
  "<",
  "|",
  "^",
  "é",
  "e\u0301",
  "日",
  "\u{1f600}",
  "\u007f",
  "\u0001",
  "%2F",
  "%25",
];
const HEADER = ["a", "b", "Z", "9", "=", ";", ":", "/", "(", ")", '"', "%20"];

function textOf(alphabet: readonly string[], least: number, most: number): string {
  const length = least + random(most - least + 1);
  return Array.from({ length }, () => alphabet[random(alphabet.length)] ?? "").join("");
}

interface Wire {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
}

/** A random request in either form, signed by aws4fetch, as sent over the wire. */
async function signedRequest(at: number): Promise<Wire> {
  // Segments begin with a letter, because URL, which aws4fetch uses, resolves dot segments.
  const key = Array.from({ length: 1 + random(3) }, () => `k${textOf(SEGMENT, 0, 6)}`).join("/");
  const parameters = Array.from({ length: random(4) }, (_, index) => {
    // aws4fetch signs only the first parameter of a name.
    const name = `${textOf(SEGMENT, 0, 3)}n${index}`;
    return `${uriEncode(name)}=${uriEncode(textOf(SEGMENT, 0, 5))}`;
  });
  const headers = new Headers({ host: "s3.example.com" });
  for (let index = random(3); index > 0; index -= 1) {
    const spaces = " ".repeat(1 + random(3));
    headers.set(`x-amz-meta-${index}`, `v${textOf(HEADER, 0, 5)}${spaces}${textOf(HEADER, 1, 5)}`);
  }
  const method = ["GET", "PUT", "POST", "DELETE", "HEAD"][random(5)] ?? "GET";
  const signer = new AwsV4Signer({
    method,
    url: `https://s3.example.com/bucket/${uriEncode(key, true)}?${parameters.join("&")}`,
    headers,
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    service: "s3",
    region: ["auto", "us-east-1", "eu-west-3"][random(3)] ?? "auto",
    datetime: "20130524T000000Z",
    signQuery: at % 2 === 0,
    allHeaders: random(2) === 0,
    ...(random(3) === 0 ? { sessionToken: `token/${textOf(SEGMENT.slice(0, 20), 1, 9)}=` } : {}),
  });
  const signed = await signer.sign();
  const { path, query } = splitTarget(signed.url.href);
  const sent = new Headers(signed.headers);
  sent.set("host", "s3.example.com");
  return { method, path, query, headers: sent };
}

function received({ method, path, query, headers }: Wire): S3Request {
  return requestOf(`https://s3.example.com${path}${query === "" ? "" : `?${query}`}`, { method, headers });
}

async function verify(wire: Wire) {
  const request = received(wire);
  const claim = readClaim(request, VECTOR_TIME);
  if (claim === undefined) throw new Error("anonymous");
  // The key id is not signed; it selects the secret.
  if (claim.accessKeyId !== ACCESS_KEY_ID) throw new S3Error("InvalidAccessKeyId");
  return verifyClaim(request, claim, SECRET_ACCESS_KEY);
}

/** Whether a changed request is rejected; malformed requests count as rejected. */
async function expectRefused(wire: Wire): Promise<void> {
  const error = await caught(async () => verify(wire));
  expect([400, 403]).toContain(error.status);
}

function flipped(text: string, at: number): string {
  const other = text[at] === "b" ? "c" : "b";
  return text.slice(0, at) + other + text.slice(at + 1);
}

function sameBytes(left: string, right: string, plusIsSpace: boolean): boolean {
  const [a, b] = [percentDecode(left, plusIsSpace), percentDecode(right, plusIsSpace)];
  return a !== undefined && b !== undefined && uriEncode(a) === uriEncode(b);
}

describe(`${REQUESTS} random requests signed by aws4fetch`, () => {
  it("verify, and fail with any change to a character of their path, query or headers", async () => {
    let flips = 0;
    for (let at = 0; at < REQUESTS; at += 1) {
      const wire = await signedRequest(at);
      await expect(verify(wire), JSON.stringify([wire.path, wire.query])).resolves.toBeDefined();

      for (const index of [1 + random(wire.path.length - 1), wire.path.length - 1]) {
        const path = flipped(wire.path, index);
        if (sameBytes(path, wire.path, false)) continue;
        await expectRefused({ ...wire, path });
        flips += 1;
      }
      for (let tries = 0; tries < 3 && wire.query !== ""; tries += 1) {
        const query = flipped(wire.query, random(wire.query.length));
        // A query with another end may contain the same parameters.
        if (sameBytes(query, wire.query, true)) continue;
        await expectRefused({ ...wire, query });
        flips += 1;
      }
      for (const [name, value] of wire.headers) {
        const headers = new Headers(wire.headers);
        headers.set(name, flipped(value, random(value.length)));
        if (headers.get(name)?.replaceAll(/ +/g, " ") === value.replaceAll(/ +/g, " ")) continue;
        await expectRefused({ ...wire, headers });
        flips += 1;
      }
      await expectRefused({ ...wire, method: wire.method === "GET" ? "HEAD" : "GET" });
    }
    expect(flips).toBeGreaterThan(REQUESTS * 5);
  });
});
