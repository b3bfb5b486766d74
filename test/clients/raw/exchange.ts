// One request and its answer over a socket of its own: what is written goes out as it is, when it is written.
import { readFileSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { Endpoint, Site } from "../site.ts";

/** The answer. */
export interface Answer {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** How long the answer's first byte took from the moment when all was written. */
  readonly waitedMs: number;
  /** Whether `100 Continue` came before it. */
  readonly isContinued: boolean;
}

export interface ExchangeOptions {
  /** What is done when all is written: the socket is left open, its sending side ended, or broken off at once. */
  readonly ending?: "wait" | "end" | "break";
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const NO_ANSWER: Answer = { status: 0, headers: new Map(), body: "", waitedMs: 0, isContinued: false };

/** Opens a socket to an endpoint, over TLS where that is its scheme. */
export async function openSocket(site: Site, endpoint: Endpoint): Promise<Socket> {
  const { hostname, port } = new URL(endpoint.url);
  const isTls = endpoint.scheme === "https";
  const socket = isTls
    ? connectTls({ host: hostname, port: Number(port), ca: readFileSync(site.caFile) })
    : connectPlain({ host: hostname, port: Number(port) });
  await new Promise<void>((resolve, reject) => {
    socket.once(isTls ? "secureConnect" : "connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** Writes the pieces one after the other and reads the answer to its end, or until the connection's. */
export async function exchange(
  socket: Socket,
  pieces: Iterable<string | Uint8Array>,
  { ending = "wait", timeoutMs = DEFAULT_TIMEOUT_MS }: ExchangeOptions = {},
): Promise<Answer> {
  const received: Buffer[] = [];
  let writtenAt = performance.now();
  let waitedMs = 0;
  const answered = new Promise<Answer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no whole answer within ${timeoutMs} ms`)), timeoutMs);
    const look = (isEnded: boolean): void => {
      const answer = parseAnswer(Buffer.concat(received).toString("latin1"), isEnded);
      if (answer === undefined && !isEnded) return;
      clearTimeout(timer);
      resolve({ ...(answer ?? NO_ANSWER), waitedMs });
    };
    socket.on("data", (bytes) => {
      if (received.length === 0) waitedMs = performance.now() - writtenAt;
      received.push(bytes);
      look(false);
    });
    // A server that breaks off is no failure by itself: what counts is what came before.
    socket.on("error", () => look(true));
    socket.on("close", () => look(true));
  });
  answered.catch(() => undefined);
  try {
    for (const piece of pieces) await write(socket, piece);
    writtenAt = performance.now();
    if (ending === "end") socket.end();
    if (ending === "break") breakOff(socket);
    return await answered;
  } finally {
    socket.destroy();
  }
}

function breakOff(socket: Socket): void {
  // A TLS socket has no reset of its own; it is just closed.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

async function write(socket: Socket, piece: string | Uint8Array): Promise<void> {
  if (socket.destroyed || !socket.writable) return;
  await new Promise<void>((resolve) => {
    socket.write(piece, () => resolve());
    socket.once("close", () => resolve());
  });
}

/** The answer in what was received so far; undefined while it is not whole. */
function parseAnswer(text: string, isEnded: boolean): Answer | undefined {
  let rest = text;
  let isContinued = false;
  while (/^HTTP\/1\.1 100 [^]*?\r\n\r\n/.test(rest)) {
    rest = rest.slice(rest.indexOf("\r\n\r\n") + 4);
    isContinued = true;
  }
  const end = rest.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine = "", ...lines] = rest.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = rest.slice(end + 4);
  const length = headers.get("content-length");
  const status = Number(statusLine.split(" ")[1]);
  const isBodiless = status === 204 || status === 304;
  const isWhole = isBodiless || (length === undefined ? body.endsWith("0\r\n\r\n") : body.length >= Number(length));
  if (!isWhole && !isEnded) return undefined;
  return {
    status,
    headers,
    body: Buffer.from(body, "latin1").toString("utf8"),
    waitedMs: 0,
    isContinued,
  };
}
