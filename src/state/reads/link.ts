// Sends the pieces of an object in order. Each piece is opened while the one before it is sent.
import type { BlobBytes } from "../blobs/sealed-blobs.ts";

/** An opened piece. */
export interface Link {
  readonly bytes: BlobBytes;
  /** Opens the next piece, or returns undefined if its blob is missing; undefined after the last piece. */
  readonly next: (() => Promise<Link | undefined>) | undefined;
}

/** Sends all pieces and closes the stream. Aborts it if a piece fails or is missing. */
export async function sendChain(first: Link, writable: WritableStream<Uint8Array>): Promise<void> {
  try {
    for (let link: Link | undefined = first; link !== undefined;) link = await sendLink(link, writable);
    await writable.close();
  } catch (error) {
    await writable.abort(error).catch(() => undefined);
    throw error;
  }
}

async function sendLink({ bytes, next }: Link, writable: WritableStream<Uint8Array>): Promise<Link | undefined> {
  const opening = next?.();
  // Prevents an unhandled rejection if the opening fails before it is awaited.
  opening?.catch(() => undefined);
  try {
    await bytes.sendTo(writable);
  } catch (error) {
    // The client disconnected or a blob was truncated, so the piece opened in advance is discarded.
    await opening?.then(
      (opened) => opened?.bytes.cancel(),
      () => undefined,
    );
    throw error;
  }
  if (opening === undefined) return undefined;
  const opened = await opening;
  if (opened === undefined) throw new Error("a blob of the object is missing");
  return opened;
}
