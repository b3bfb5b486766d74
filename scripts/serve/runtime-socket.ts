// A connection to the runtime that loses no answer. The runtime answers a refused upload and closes the connection while the
// rest of the body is still being written. The write then fails, and Node destroys the socket with what it has not read.
import { readSync } from "node:fs";
import { Socket } from "node:net";

const PIECE_BYTES = 64 * 1024;

/** Emits `unread` with the bytes that had arrived when a write failed. */
export class RuntimeSocket extends Socket {
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const fd: unknown = Reflect.get(Object(Reflect.get(this, "_handle")), "fd");
    if (error !== null && typeof fd === "number" && fd >= 0) {
      for (const bytes of unreadBytes(fd)) this.emit("unread", bytes);
    }
    // The hook of streams has no other name.
    // oxlint-disable-next-line no-underscore-dangle
    super._destroy(error, callback);
  }
}

function* unreadBytes(fd: number): Generator<Buffer> {
  for (;;) {
    const piece = Buffer.alloc(PIECE_BYTES);
    let length: number;
    try {
      length = readSync(fd, piece);
    } catch {
      // Nothing more has arrived, or the connection was reset.
      return;
    }
    if (length === 0) return;
    yield piece.subarray(0, length);
  }
}
