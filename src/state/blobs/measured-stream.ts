// Forwards a stream of known length to a request, and computes digests of it on demand.
import type { RunningDigest } from "../../bytes/digest.ts";

/** A forwarded stream. */
export interface MeasuredStream {
  /** Its length is known to the runtime, which sends it as Content-Length. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Resolves when all bytes are read by the receiver; rejects if the source fails. */
  readonly sent: Promise<void>;
}

/** @param signal stops the stream, because its receiver reads no further */
export function measuredStream(
  source: ReadableStream<Uint8Array> | Uint8Array,
  length: number,
  digests: readonly RunningDigest[],
  signal: AbortSignal,
): MeasuredStream {
  const { readable, writable } = new FixedLengthStream(length);
  // The runtime cannot pipe one FixedLengthStream into another, so the bytes pass through JavaScript.
  const sent = pump(streamOf(source), writable.getWriter(), digests, signal);
  // The receiver reports the failure, too.
  sent.catch(() => undefined);
  return { readable, sent };
}

function streamOf(source: ReadableStream<Uint8Array> | Uint8Array): ReadableStream<Uint8Array> {
  if (source instanceof ReadableStream) return source;
  return new ReadableStream({
    start(controller) {
      if (source.length > 0) controller.enqueue(source);
      controller.close();
    },
  });
}

async function pump(
  source: ReadableStream<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  digests: readonly RunningDigest[],
  signal: AbortSignal,
): Promise<void> {
  const reader = source.getReader();
  const stop = (): void => {
    reader.cancel(signal.reason).catch(() => undefined);
    writer.abort(signal.reason).catch(() => undefined);
  };
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await Promise.all(digests.map((digest) => digest.update(value)));
      await writer.write(value);
    }
    await writer.close();
  } catch (error) {
    reader.cancel(error).catch(() => undefined);
    writer.abort(error).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
