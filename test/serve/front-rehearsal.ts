// Tests of the local server's TCP front before a runtime that only records what it receives. `npm run test:serve` runs
// them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { openFront, type Front } from "../../scripts/serve/front.ts";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** How S3 refuses a request that it cannot parse. */
const REFUSED =
  /^HTTP\/1\.1 400 Bad Request\r\n(?:[^\r]+\r\n)*Connection: close\r\n(?:[^\r]+\r\n)*\r\n<\?xml .*\n<Error><Code>BadRequest<\/Code>/;
const ADDRESS = "Client-Address: 127.0.0.1";
/** Longer than any answer takes on a busy machine. */
const ANSWER_MS = 60_000;
/** The end of each request that the tests send. */
const END = "!";

let front: Front;
let received = "";
const runtime = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    const text = bytes.toString("latin1");
    received += text;
    socket.write(ANSWER.repeat(text.split(END).length - 1));
  });
});

before(async () => {
  runtime.listen(0, "127.0.0.1");
  await once(runtime, "listening");
  // A server that listens on a port has such an address.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = runtime.address() as AddressInfo;
  front = await openFront("127.0.0.1", 0, "Client-Address", () => Promise.resolve(port));
});

beforeEach(() => {
  received = "";
});

after(() => {
  front.close();
  runtime.close();
});

/** A connection to the front. */
class Connection {
  readonly #socket = connect({ port: front.port, host: "127.0.0.1", noDelay: true });
  #answers = "";

  constructor() {
    this.#socket.on("data", (bytes: Buffer) => (this.#answers += bytes.toString("latin1")));
    this.#socket.on("error", () => this.#socket.destroy());
  }

  /** Sends a piece. The front may get it together with the next one. */
  async send(piece: string): Promise<void> {
    this.#socket.write(piece, "latin1");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** The answers, once they end. */
  async ended(): Promise<string> {
    if (!this.#socket.closed) await once(this.#socket, "close", { signal: AbortSignal.timeout(ANSWER_MS) });
    return this.#answers;
  }

  /** Waits for an answer to each of some requests. */
  async answered(requests: number): Promise<void> {
    await until(() => this.#answers === ANSWER.repeat(requests));
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + ANSWER_MS;
  while (!isTrue()) {
    assert.ok(Date.now() < end, "nothing more arrives");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function put(...lines: readonly string[]): string {
  return ["PUT /b/k HTTP/1.1", "Host: localhost", ...lines, "", ""].join("\r\n");
}

const CLEAR: readonly (readonly [what: string, request: string])[] = [
  ["a length", `${put("Content-Length: 3")}ab!`],
  ["a length followed by spaces", `${put("Content-Length:3 \t")}ab!`],
  ["chunks", `${put("Transfer-Encoding: chunked")}2\r\nab\r\n0\r\n\r\n`.replace("ab", "a!")],
  ["chunks with an extension and a trailer", `${put("transfer-encoding:Chunked")}2;a=b\r\na!\r\n0\r\nx: y\r\n\r\n`],
  ["no body and one more line ending", `${put("x: !")}\r\n`],
  ["a header of bytes beyond ASCII", `${put("x-amz-meta-a: \u00e9\t\u00fc", "Content-Length: 1")}!`],
  ["a body that looks like an ambiguous head", `${put("Content-Length: 68")}${"\n\r".repeat(3)}${lookalike()}`],
];

/** What the runtime gets of a request that the front passes on. */
function passedOn(request: string): string {
  return request.replace("\r\n", `\r\n${ADDRESS}\r\n`).replace(/(?:\r\n){3}$/, "\r\n\r\n");
}

function lookalike(): string {
  return "x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".padEnd(61, "x") + END;
}

const REFUSED_REQUESTS: readonly (readonly [what: string, request: string])[] = [
  ["a length beside chunks", put("Content-Length: 3", "Transfer-Encoding: chunked")],
  ["chunks beside a length", put("transfer-encoding: chunked", "content-length: 3")],
  ["a space before a colon", put("Transfer-Encoding : chunked", "Content-Length: 3")],
  ["a line feed alone before chunks", put("x: y\nTransfer-Encoding: chunked", "Content-Length: 3")],
  ["a carriage return alone", put("x: y\rTransfer-Encoding: chunked")],
  ["a line feed alone at its end", put("x: y").replace(/\r\n\r\n$/, "\r\n\n")],
  ["two lengths", put("Content-Length: 3", "Content-Length: 4")],
  ["two equal lengths", put("Content-Length: 3", "Content-Length: 3")],
  ["two hosts", put("Host: other")],
  ["two equal hosts", put("host: localhost")],
  ["an empty host", put().replace("localhost", "")],
  ["a space in its target", put().replace("/b/k", "/b/k l")],
  ["a target without a slash", put().replace("/b/k", "b/k")],
  ["another version", put().replace("HTTP/1.1", "HTTP/2.0")],
  ["no version", put().replace(" HTTP/1.1", "")],
  ["a tunnel", put().replace("PUT /b/k", "CONNECT b:80")],
  ["no host", "GET / HTTP/1.1\r\nx: y\r\n\r\n"],
  ["a folded line", put("x-amz-meta-a: b", " c")],
  ["a folded line with a length", put("x: y", "\tContent-Length: 3")],
  ["a space before the colon of another header", put("x-amz-acl : public-read")],
  ["a header without a name", put(": y")],
  ["a line without a colon", put("x")],
  ["a name with a quote", put('x"y: z')],
  ["a zero byte in a value", put("x: y\u0000z")],
  ["a control character in a value", put("x: y\u001fz")],
  ["lengths in a list", put("Content-Length: 3, 3")],
  ["two encodings", put("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")],
  ["a length with a sign", put("Content-Length: +3")],
  ["no digits of a length", put("Content-Length:")],
  ["an unknown encoding", put("Transfer-Encoding: gzip, chunked")],
  ["a chunk of more digits than a length has", `${put("Transfer-Encoding: chunked")}0000000000003\r\n`],
  ["a chunk without a size", `${put("Transfer-Encoding: chunked")}DELETE /b/k HTTP/1.1\r\n`],
  ["a line feed alone after a chunk's size", `${put("Transfer-Encoding: chunked")}3\n`],
  ["a line feed alone among trailers", `${put("Transfer-Encoding: chunked")}0\r\nx: y\n`],
  ["an endless chunk extension", `${put("Transfer-Encoding: chunked")}3;${"a".repeat(9000)}`],
];

void describe("the front", () => {
  for (const [what, request] of CLEAR) {
    void it(`passes on requests with ${what} over one connection, whole and byte by byte`, async () => {
      const connection = new Connection();
      await connection.send(request);
      for (const byte of request) await connection.send(byte);
      await connection.send(request + request);
      await connection.answered(4);
      assert.equal(received, passedOn(request).repeat(4));
      connection.close();
    });
  }

  for (const [what, request] of REFUSED_REQUESTS) {
    void it(`refuses ${what}, alone, after another request and in pieces`, async () => {
      const alone = new Connection();
      await alone.send(request);
      assert.match(await alone.ended(), REFUSED);
      assert.equal(received, "");

      const later = new Connection();
      const first = `${put("Content-Length: 3")}ab!`;
      await later.send(first);
      await later.answered(1);
      const middle = Math.min(Math.floor(request.length / 2), 30);
      await later.send(request.slice(0, middle));
      await later.send(request.slice(middle));
      const answers = await later.ended();
      assert.ok(answers.startsWith(ANSWER));
      assert.match(answers.slice(ANSWER.length), REFUSED);
      assert.equal(received, passedOn(first));
    });
  }

  void it("refuses a head that is too large", async () => {
    const connection = new Connection();
    await connection.send(put(`x: ${"y".repeat(140_000)}`));
    assert.match(await connection.ended(), /^HTTP\/1\.1 400 (?:.*\r\n)+.*\n<Error><Code>RequestHeaderSectionTooLarge</);
    assert.equal(received, "");
  });

  void it("passes on the answer of a runtime that closes while a body is still being sent", async () => {
    const refusing = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => socket.write(ANSWER, () => socket.resetAndDestroy()));
    });
    refusing.listen(0, "127.0.0.1");
    await once(refusing, "listening");
    const runtimeAddress = refusing.address();
    const runtimePort = typeof runtimeAddress === "object" ? (runtimeAddress?.port ?? 0) : 0;
    const before = await openFront("127.0.0.1", 0, "Client-Address", () => Promise.resolve(runtimePort));
    const answers = await Promise.all(Array.from({ length: 40 }, async () => answerToBody(before.port)));
    before.close();
    refusing.close();
    assert.deepEqual(
      answers.filter((answer) => !answer.startsWith("HTTP/1.1 200 ")),
      [],
    );
  });
});

/** Sends a body of 8 MiB without looking at the answer, and returns what came until the connection ended. */
async function answerToBody(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let answer = "";
  socket.on("data", (bytes: Buffer) => (answer += bytes.toString("latin1")));
  socket.on("error", () => socket.destroy());
  socket.write(put(`Content-Length: ${8 * 1024 * 1024}`));
  for (let sent = 0; sent < 128 && !socket.destroyed; sent += 1) {
    if (!socket.write(Buffer.alloc(64 * 1024))) await Promise.race([once(socket, "drain"), once(socket, "close")]);
  }
  if (!socket.closed) await once(socket, "close", { signal: AbortSignal.timeout(ANSWER_MS) });
  return answer;
}
