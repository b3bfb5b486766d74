// Follows the framing of the HTTP/1.1 requests on one connection to find their heads. What the runtime might frame
// otherwise is reported and ends the scan: after it, a request could pass as the body of another.

const HEAD_MAX_BYTES = 128 * 1024;
const LINE_MAX_BYTES = 8192;
const TUNNEL = /(?:^|[\r\n])CONNECT[ \t]/i;
const HEAD_END = "\r\n\r\n";
/** The runtime takes a line feed alone for the end of a line (RFC 9112 §2.2), other programs do not. */
const LONE_BREAK = /\r(?!\n|$)|(?<!\r)\n/;
const FRAMING_FIELD = /\r\n(content-length|transfer-encoding)[ \t]*:[ \t]*([^\r\n]*)/gi;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i;

/** The findings in one chunk of a connection's bytes. */
export interface Scanned {
  /** How many heads ended in the chunk. */
  readonly heads: number;
  /** Whether the last head expects 100 Continue for an empty body. */
  readonly expectsContinue: boolean;
  /** Whether a request asks for a CONNECT tunnel, through which the runtime would accept its internal protocol. */
  readonly requestsTunnel: boolean;
  /**
   * Whether it is not certain where a request ends, as with a length beside chunks. RFC 9112 §6.3 takes that for
   * smuggling, and the runtime hides the length.
   */
  readonly isAmbiguous: boolean;
}

type State =
  | { readonly kind: "head"; readonly text: string }
  | { readonly kind: "fixed"; readonly left: number }
  | { readonly kind: "chunk size" | "trailer"; readonly text: string }
  | { readonly kind: "lost" };

const START: State = { kind: "head", text: "" };
const LOST: State = { kind: "lost" };

/** Scans the requests of one connection. */
export class RequestScanner {
  #state: State = START;

  /** Scans the next bytes. */
  take(bytes: Buffer): Scanned {
    let heads = 0;
    let expectsContinue = false;
    let requestsTunnel = false;
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
      // Any line break counts, although a lone one is refused.
      if (state.kind === "head" && TUNNEL.test(found < 0 ? text : text.slice(0, found))) requestsTunnel = true;
      if (LONE_BREAK.test(found < 0 ? text : text.slice(0, found + end.length))) {
        this.#state = LOST;
        break;
      }
      if (found < 0) {
        this.#state = text.length >= most ? LOST : { kind: state.kind, text };
        break;
      }
      at += found + end.length - before;
      const line = text.slice(0, found);
      if (state.kind === "head") {
        heads += 1;
        const head = readHead(line);
        expectsContinue = head.expectsContinue;
        this.#isChunked = head.body.kind === "chunk size";
        this.#state = head.body;
      } else this.#state = state.kind === "chunk size" ? afterSize(line) : afterTrailer(line);
    }
    return { heads, expectsContinue, requestsTunnel, isAmbiguous: this.#state.kind === "lost" };
  }

  #isChunked = false;

  #afterData(left: number): State {
    if (left > 0) return { kind: "fixed", left };
    return this.#isChunked ? { kind: "chunk size", text: "" } : START;
  }
}

interface Head {
  /** The state in which the body begins. */
  readonly body: State;
  readonly expectsContinue: boolean;
}

function readHead(text: string): Head {
  const [framing, another] = text.matchAll(FRAMING_FIELD);
  const [, name = "", value = ""] = framing ?? [];
  const body = another === undefined ? bodyOf(name.toLowerCase(), value.trimEnd()) : LOST;
  return { body, expectsContinue: body === START && /\r\nexpect:[ \t]*[^\r\n]*100-continue/i.test(text) };
}

/** The state in which a body begins, by the one header that frames it. */
function bodyOf(name: string, value: string): State {
  if (name === "transfer-encoding") return /^chunked$/i.test(value) ? { kind: "chunk size", text: "" } : LOST;
  if (name === "content-length") return LENGTH.test(value) ? fixed(Number(value)) : LOST;
  return START;
}

function fixed(length: number): State {
  return length === 0 ? START : { kind: "fixed", left: length };
}

/** The state after a chunk-size line. The chunk's data includes its line ending. */
function afterSize(line: string): State {
  const digits = CHUNK_SIZE.exec(line)?.[1];
  if (digits === undefined) return LOST;
  const size = Number.parseInt(digits, 16);
  return size === 0 ? { kind: "trailer", text: "" } : { kind: "fixed", left: size + 2 };
}

function afterTrailer(line: string): State {
  return line === "" ? START : { kind: "trailer", text: "" };
}
