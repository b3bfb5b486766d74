// Follows the framing of the HTTP/1.1 requests on one connection and adds a header to each head. It passes on heads whole
// and bodies as they arrive. What the runtime might frame otherwise ends the scan: after it, a request could pass as the
// body of another.
import { readHead, type BodyFraming } from "./request-head.ts";

const HEAD_MAX_BYTES = 128 * 1024;
const LINE_MAX_BYTES = 8192;
const TUNNEL = /(?:^|[\r\n])CONNECT[ \t]/i;
const HEAD_END = "\r\n\r\n";
/** The runtime takes a line feed alone for the end of a line (RFC 9112 §2.2), other programs do not. */
const LONE_BREAK = /\r(?!\n|$)|(?<!\r)\n/;
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i;

/** Why a request is refused. `malformed`: it is not certain where it ends (RFC 9112 §6.3), or how its head is read. */
export type RequestFault = "malformed" | "head too large";

/** The findings in one piece of a connection's bytes. */
export interface Scanned {
  /** The bytes to pass on to the runtime. */
  readonly passed: readonly Buffer[];
  /** How many heads ended in the piece. */
  readonly heads: number;
  /** Whether the last head expects 100 Continue for an empty body. */
  readonly expectsContinue: boolean;
  /** Whether a request asks for a CONNECT tunnel, through which the runtime would accept its internal protocol. */
  readonly requestsTunnel: boolean;
  /** The fault that ended the scan. */
  readonly fault: RequestFault | undefined;
}

type State =
  | { readonly kind: "head"; readonly text: string }
  | { readonly kind: "fixed"; readonly left: number }
  | { readonly kind: "chunk size" | "trailer"; readonly text: string }
  | { readonly kind: "lost"; readonly fault: RequestFault };

const START: State = { kind: "head", text: "" };
const LOST: State = { kind: "lost", fault: "malformed" };
const TOO_LARGE: State = { kind: "lost", fault: "head too large" };

/** Scans the requests of one connection. */
export class RequestScanner {
  #state: State = START;
  #isChunked = false;
  readonly #header: string;

  /** @param header the line that each head gets behind its first one, without its line ending */
  constructor(header: string) {
    this.#header = header;
  }

  /** Scans the next bytes. */
  take(bytes: Buffer): Scanned {
    const passed: Buffer[] = [];
    let heads = 0;
    let expectsContinue = false;
    let requestsTunnel = false;
    let at = 0;
    while (at < bytes.length && this.#state.kind !== "lost") {
      const state = this.#state;
      if (state.kind === "fixed") {
        const taken = Math.min(state.left, bytes.length - at);
        passed.push(bytes.subarray(at, at + taken));
        at += taken;
        this.#state = this.#afterData(state.left - taken);
        continue;
      }
      const isHead = state.kind === "head";
      const end = isHead ? HEAD_END : "\r\n";
      const most = isHead ? HEAD_MAX_BYTES : LINE_MAX_BYTES;
      const before = state.text.length;
      const text = state.text + bytes.toString("latin1", at, at + most);
      // Clients may end a body with an empty line too many (RFC 9112 §2.2).
      if (isHead && text.startsWith("\r\n")) {
        at += 2 - before;
        this.#state = START;
        continue;
      }
      const found = text.indexOf(end, Math.max(before - end.length, 0));
      // Any line break counts, although a lone one is refused.
      if (isHead && TUNNEL.test(found < 0 ? text : text.slice(0, found))) requestsTunnel = true;
      if (LONE_BREAK.test(found < 0 ? text : text.slice(0, found + end.length))) {
        this.#state = LOST;
        break;
      }
      if (found < 0) {
        this.#state = text.length < most ? { kind: state.kind, text } : isHead ? TOO_LARGE : LOST;
        if (!isHead && this.#state !== LOST) passed.push(bytes.subarray(at));
        break;
      }
      const next = at + found + end.length - before;
      const line = text.slice(0, found);
      if (isHead) {
        heads += 1;
        const head = readHead(line);
        if (head !== undefined) passed.push(this.#withHeader(line));
        expectsContinue = head?.expectsContinue === true;
        this.#isChunked = head?.body.kind === "chunks";
        this.#state = head === undefined ? LOST : stateOf(head.body);
      } else {
        this.#state = state.kind === "chunk size" ? afterSize(line) : afterTrailer(line);
        if (this.#state.kind !== "lost") passed.push(bytes.subarray(at, next));
      }
      at = next;
    }
    const fault = this.#state.kind === "lost" ? this.#state.fault : undefined;
    return { passed, heads, expectsContinue, requestsTunnel, fault };
  }

  #withHeader(head: string): Buffer {
    const lineEnd = head.indexOf("\r\n");
    const at = lineEnd < 0 ? head.length : lineEnd;
    return Buffer.from(`${head.slice(0, at)}\r\n${this.#header}${head.slice(at)}${HEAD_END}`, "latin1");
  }

  #afterData(left: number): State {
    if (left > 0) return { kind: "fixed", left };
    return this.#isChunked ? { kind: "chunk size", text: "" } : START;
  }
}

/** The state in which a body begins. */
function stateOf(body: BodyFraming): State {
  if (body.kind === "chunks") return { kind: "chunk size", text: "" };
  return body.kind === "none" || body.bytes === 0 ? START : { kind: "fixed", left: body.bytes };
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
