// One keep-alive connection that writes prepared requests and reads responses with as little work as possible, so that the
// generator is faster than any server that it measures. One request is on its way at a time.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A request as its bytes. The body is apart, so that requests can share one. */
export interface WireRequest {
  readonly method: string;
  readonly head: Buffer;
  readonly body?: Buffer | undefined;
}

export interface WireResponse {
  readonly status: number;
  /** The response line and the headers. */
  readonly head: string;
  /** Bytes of the body. */
  readonly bytes: number;
  /** The beginning of the body. */
  readonly text: string;
}

const KEPT_BYTES = 32 * 1024;
const NO_BODY: ReadonlySet<number> = new Set([204, 304]);
const HEAD_END = Buffer.from("\r\n\r\n");
const EMPTY = Buffer.alloc(0);

/** The state of the response that is being read. */
class Reading {
  status = 0;
  head = "";
  bytes = 0;
  text = "";
  /** Bytes of the body, or of its current chunk, that are to come. */
  left = 0;
  isChunked = false;
  readonly method: string;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: Error) => void;

  constructor(method: string, resolve: (response: WireResponse) => void, reject: (error: Error) => void) {
    this.method = method;
    this.resolve = resolve;
    this.reject = reject;
  }

  take(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.text.length < KEPT_BYTES) this.text += piece.subarray(0, KEPT_BYTES).toString("latin1");
  }
}

export class Connection {
  readonly #socket: Socket;
  #reading: Reading | undefined;
  #unread: Buffer = EMPTY;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (piece: Buffer) => {
      this.#unread = this.#unread.length === 0 ? piece : Buffer.concat([this.#unread, piece]);
      this.#advance();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static async open(url: URL): Promise<Connection> {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 80), noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  /** Sends a request and resolves with the last byte of its response. */
  async send({ method, head, body }: WireRequest): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      this.#reading = new Reading(method, resolve, reject);
      if (this.#socket.destroyed) return this.#fail(new Error("the connection is closed"));
      if (body === undefined) return void this.#socket.write(head);
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    const reading = this.#reading;
    this.#reading = undefined;
    reading?.reject(error);
  }

  #advance(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    if (reading.status === 0 && !this.#readHead(reading)) return;
    if (reading.isChunked ? !this.#readChunks(reading) : !this.#readBytes(reading)) return;
    this.#reading = undefined;
    const { status, head, bytes, text } = reading;
    reading.resolve({ status, head, bytes, text });
  }

  /** Returns false until the headers are complete. */
  #readHead(reading: Reading): boolean {
    const end = this.#unread.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#unread.toString("latin1", 0, end);
    this.#unread = this.#unread.subarray(end + HEAD_END.length);
    const status = Number(head.slice(9, 12));
    // An interim response comes before the response.
    if (status < 200) return this.#readHead(reading);
    reading.status = status;
    reading.head = head;
    if (reading.method === "HEAD" || NO_BODY.has(status)) return true;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    reading.isChunked = length === undefined;
    reading.left = Number(length ?? 0);
    return true;
  }

  #readBytes(reading: Reading): boolean {
    const piece = this.#unread.subarray(0, reading.left);
    reading.take(piece);
    reading.left -= piece.length;
    this.#unread = this.#unread.subarray(piece.length);
    return reading.left === 0;
  }

  /** Reads chunks, whose line ends are counted as `left` too, up to the last one. */
  #readChunks(reading: Reading): boolean {
    for (;;) {
      if (reading.left > 2) {
        const piece = this.#unread.subarray(0, reading.left - 2);
        reading.take(piece);
        reading.left -= piece.length;
        this.#unread = this.#unread.subarray(piece.length);
      }
      if (this.#unread.length < reading.left || reading.left > 2) return false;
      this.#unread = this.#unread.subarray(reading.left);
      reading.left = 0;
      const lineEnd = this.#unread.indexOf("\r\n");
      if (lineEnd < 0) return false;
      const size = Number.parseInt(this.#unread.toString("latin1", 0, lineEnd), 16);
      if (size === 0) {
        if (this.#unread.length < lineEnd + 4) return false;
        this.#unread = this.#unread.subarray(lineEnd + 4);
        return true;
      }
      this.#unread = this.#unread.subarray(lineEnd + 2);
      reading.left = size + 2;
    }
  }
}
