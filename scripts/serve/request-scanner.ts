// Follows the framing of the HTTP/1.1 requests that a client sends on one connection, to find the heads among the bytes.
// What it cannot follow it leaves alone from there on.

const HEAD_MAX_BYTES = 128 * 1024;
const LINE_MAX_BYTES = 8192;
const TUNNEL = /(?:^|[\r\n])CONNECT[ \t]/i;
const HEAD_END = "\r\n\r\n";

/** What a piece of a connection's bytes brought. */
export interface Scanned {
  /** How many heads ended in it. */
  readonly heads: number;
  /** Whether the last of them expects 100 Continue for a body of no bytes. */
  readonly expectsContinue: boolean;
  /** Whether a tunnel was asked for, by which the runtime would let itself be spoken to in its own tongue. */
  readonly asksForTunnel: boolean;
}

type State =
  | { readonly kind: "head"; readonly text: string }
  | { readonly kind: "fixed"; readonly left: number }
  | { readonly kind: "chunk size" | "trailer"; readonly text: string }
  | { readonly kind: "lost" };

const START: State = { kind: "head", text: "" };

/** The requests of one connection. */
export class RequestScanner {
  #state: State = START;

  /** Takes the bytes that came next. */
  take(bytes: Buffer): Scanned {
    let heads = 0;
    let expectsContinue = false;
    let asksForTunnel = false;
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
      // Whatever ends its lines: the runtime takes a line feed alone as well.
      if (state.kind === "head" && TUNNEL.test(found < 0 ? text : text.slice(0, found))) asksForTunnel = true;
      if (found < 0) {
        this.#state = text.length > most ? { kind: "lost" } : { kind: state.kind, text };
        return { heads, expectsContinue, asksForTunnel };
      }
      at += found + end.length - before;
      const line = text.slice(0, found);
      if (state.kind === "head") {
        heads += 1;
        const head = readHead(line);
        expectsContinue = head.expectsContinue;
        this.#isChunked = head.isChunked;
        this.#state = head.isChunked ? { kind: "chunk size", text: "" } : fixed(head.length);
      } else this.#state = state.kind === "chunk size" ? afterSize(line) : afterTrailer(line);
    }
    return { heads, expectsContinue, asksForTunnel };
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
}

function readHead(text: string): Head {
  const value = (name: string): string | undefined => new RegExp(`\r\n${name}:[ \t]*([^\r\n]*)`, "i").exec(text)?.[1];
  const length = Number(value("content-length") ?? 0);
  const isChunked = value("transfer-encoding") !== undefined;
  const expectsContinue = !isChunked && length === 0 && /100-continue/i.test(value("expect") ?? "");
  return { length, isChunked, expectsContinue };
}

function fixed(length: number): State {
  if (!Number.isSafeInteger(length) || length < 0) return { kind: "lost" };
  return length === 0 ? START : { kind: "fixed", left: length };
}

/** A chunk's data and the line end after it. */
function afterSize(line: string): State {
  const digits = /^[0-9a-f]{1,12}/i.exec(line)?.[0];
  if (digits === undefined) return { kind: "lost" };
  const size = Number.parseInt(digits, 16);
  return size === 0 ? { kind: "trailer", text: "" } : { kind: "fixed", left: size + 2 };
}

function afterTrailer(line: string): State {
  return line === "" ? START : { kind: "trailer", text: "" };
}
