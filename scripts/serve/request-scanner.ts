// Follows the framing of the HTTP/1.1 requests on one connection to find their heads. After a framing error it ignores
// the rest of the connection.

const HEAD_MAX_BYTES = 128 * 1024;
const LINE_MAX_BYTES = 8192;
const TUNNEL = /(?:^|[\r\n])CONNECT[ \t]/i;
const HEAD_END = "\r\n\r\n";

/** The findings in one chunk of a connection's bytes. */
export interface Scanned {
  /** How many heads ended in the chunk. */
  readonly heads: number;
  /** Whether the last head expects 100 Continue for an empty body. */
  readonly expectsContinue: boolean;
  /** Whether a request asks for a CONNECT tunnel, through which the runtime would accept its internal protocol. */
  readonly requestsTunnel: boolean;
  /** Whether a head announces both a length and chunks. RFC 9112 §6.3 takes that for smuggling, and the runtime hides it. */
  readonly hasTwoFramings: boolean;
}

type State =
  | { readonly kind: "head"; readonly text: string }
  | { readonly kind: "fixed"; readonly left: number }
  | { readonly kind: "chunk size" | "trailer"; readonly text: string }
  | { readonly kind: "lost" };

const START: State = { kind: "head", text: "" };

/** Scans the requests of one connection. */
export class RequestScanner {
  #state: State = START;

  /** Scans the next bytes. */
  take(bytes: Buffer): Scanned {
    let heads = 0;
    let expectsContinue = false;
    let requestsTunnel = false;
    let hasTwoFramings = false;
    let at = 0;
    while (at < bytes.length && this.#state.kind !== "lost") {
      const state = this.#state;
      if (state.kind === "fixed") {
        const taken = Math.min(state.left, bytes.length - at);
        at += taken;
        this.#state = this.#afterData(state.left - taken);
        continue;
      }
      const end = state.kind === "head" ? HEAD_END : "\r\n";
      const most = state.kind === "head" ? HEAD_MAX_BYTES : LINE_MAX_BYTES;
      const before = state.text.length;
      const text = state.text + bytes.toString("latin1", at, at + most);
      const found = text.indexOf(end, Math.max(before - end.length, 0));
      // The runtime also accepts a lone line feed, so any line ending counts.
      if (state.kind === "head" && TUNNEL.test(found < 0 ? text : text.slice(0, found))) requestsTunnel = true;
      if (found < 0) {
        this.#state = text.length > most ? { kind: "lost" } : { kind: state.kind, text };
        return { heads, expectsContinue, requestsTunnel, hasTwoFramings };
      }
      at += found + end.length - before;
      const line = text.slice(0, found);
      if (state.kind === "head") {
        heads += 1;
        const head = readHead(line);
        expectsContinue = head.expectsContinue;
        if (head.hasTwoFramings) hasTwoFramings = true;
        this.#isChunked = head.isChunked;
        this.#state = head.isChunked ? { kind: "chunk size", text: "" } : fixed(head.length);
      } else this.#state = state.kind === "chunk size" ? afterSize(line) : afterTrailer(line);
    }
    return { heads, expectsContinue, requestsTunnel, hasTwoFramings };
  }

  #isChunked = false;

  #afterData(left: number): State {
    if (left > 0) return { kind: "fixed", left };
    return this.#isChunked ? { kind: "chunk size", text: "" } : START;
  }
}

interface Head {
  readonly length: number;
  readonly isChunked: boolean;
  readonly expectsContinue: boolean;
  readonly hasTwoFramings: boolean;
}

function readHead(text: string): Head {
  const value = (name: string): string | undefined => new RegExp(`\r\n${name}:[ \t]*([^\r\n]*)`, "i").exec(text)?.[1];
  const length = Number(value("content-length") ?? 0);
  const isChunked = value("transfer-encoding") !== undefined;
  const expectsContinue = !isChunked && length === 0 && /100-continue/i.test(value("expect") ?? "");
  const hasTwoFramings = isChunked && value("content-length") !== undefined;
  return { length, isChunked, expectsContinue, hasTwoFramings };
}

function fixed(length: number): State {
  if (!Number.isSafeInteger(length) || length < 0) return { kind: "lost" };
  return length === 0 ? START : { kind: "fixed", left: length };
}

/** The state after a chunk-size line. The chunk's data includes its line ending. */
function afterSize(line: string): State {
  const digits = /^[0-9a-f]{1,12}/i.exec(line)?.[0];
  if (digits === undefined) return { kind: "lost" };
  const size = Number.parseInt(digits, 16);
  return size === 0 ? { kind: "trailer", text: "" } : { kind: "fixed", left: size + 2 };
}

function afterTrailer(line: string): State {
  return line === "" ? START : { kind: "trailer", text: "" };
}
