// The bytes of an object of an upstream: opened as they are stored, limited in length and in the time between two pieces,
// and sent to a client and to the blob store at once.
import { PieceReader } from "../bytes/streams.ts";
import type { ByteRange } from "../protocol/core/range.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { RemoteObject } from "./remote-object.ts";
import { askUpstream, unavailable, type UpstreamPlace } from "./upstream-requests.ts";

/** The longest time between two pieces. */
const PIECE_TIMEOUT_MS = 30_000;

/**
 * Opens a range of an object, unchanged since its headers were read.
 * @param range undefined: the whole object
 * @throws S3Error ServiceUnavailable, SlowDown
 */
export async function openRemote(
  place: UpstreamPlace,
  key: string,
  { etag, size }: Pick<RemoteObject, "etag" | "size">,
  range: ByteRange | undefined,
): Promise<ReadableStream<Uint8Array>> {
  const { offset, length } = range ?? { offset: 0, length: size };
  const response = await askUpstream(place, {
    method: "GET",
    key,
    headers: {
      "if-match": `"${etag}"`,
      ...(range === undefined ? {} : { range: `bytes=${offset}-${offset + length - 1}` }),
    },
  });
  if (response?.body == null) throw unavailable("the object changed");
  const { headers, status, body } = response;
  const isWanted =
    headers.get("content-length") === String(length) &&
    (range === undefined
      ? status === 200
      : status === 206 && headers.get("content-range") === `bytes ${offset}-${offset + length - 1}/${size}`);
  if (isWanted) return body;
  await body.cancel().catch(() => undefined);
  throw unavailable("another length than requested");
}

/** Receives a piece, which is valid until the promise resolves. */
export type TakePiece = (piece: Uint8Array) => Promise<void>;

/**
 * Delivers exactly `length` bytes.
 * @throws S3Error ServiceUnavailable if the upstream sends fewer or more, or nothing for too long
 */
export async function deliverRemote(
  body: ReadableStream<Uint8Array>,
  length: number,
  take: TakePiece,
  timeoutMs = PIECE_TIMEOUT_MS,
): Promise<void> {
  return deliverFrom(readerOf(body, length), length, take, timeoutMs);
}

function readerOf(body: ReadableStream<Uint8Array>, length: number): PieceReader {
  return new PieceReader(body, Math.max(1, length));
}

async function deliverFrom(reader: PieceReader, length: number, take: TakePiece, timeoutMs: number): Promise<void> {
  let received = 0;
  try {
    for (
      let piece = await nextPiece(reader, timeoutMs);
      piece !== undefined;
      piece = await nextPiece(reader, timeoutMs)
    ) {
      received += piece.length;
      if (received > length) throw unavailable("more bytes than announced");
      await take(piece);
    }
  } catch (error) {
    reader.cancel();
    throw error instanceof S3Error ? error : unavailable("broken connection");
  }
  if (received < length) throw unavailable("fewer bytes than announced");
}

async function nextPiece(reader: PieceReader, timeoutMs: number): Promise<Uint8Array | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unavailable("no bytes in time"));
    }, timeoutMs);
  });
  try {
    return await Promise.race([reader.read(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes on their way to a client, which a store may receive as well. */
export interface SharedBytes {
  readonly body: ReadableStream<Uint8Array>;
  /**
   * Sends all bytes to the client and to `take`. Each waits for the other, so memory stays bounded. Once the client is
   * gone, only `take` receives; once `take` fails, only the client.
   */
  readonly deliver: (take: TakePiece) => Promise<void>;
}

export function shareBytes(
  source: ReadableStream<Uint8Array>,
  length: number,
  timeoutMs = PIECE_TIMEOUT_MS,
): SharedBytes {
  // Locks the source at once.
  const reader = readerOf(source, length);
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  writer.closed.catch(() => undefined);
  let isClientGone = false;
  const toClient = async (piece: Uint8Array): Promise<void> => {
    if (isClientGone) return;
    try {
      await writer.write(piece);
    } catch {
      isClientGone = true;
    }
  };
  return {
    body: readable,
    async deliver(take) {
      let failure: { readonly error: unknown } | undefined;
      const toStore = async (piece: Uint8Array): Promise<void> => {
        if (failure !== undefined) return;
        try {
          await take(piece);
        } catch (error) {
          failure = { error };
        }
      };
      try {
        await deliverFrom(
          reader,
          length,
          async (piece) => {
            if (isClientGone && failure !== undefined) throw new Error("no reader is left");
            await Promise.all([toClient(piece), toStore(piece)]);
          },
          timeoutMs,
        );
      } catch (error) {
        // The client must not take a part for the whole.
        writer.abort(error).catch(() => undefined);
        throw error;
      }
      writer.close().catch(() => undefined);
      if (failure !== undefined) throw failure.error;
    },
  };
}
