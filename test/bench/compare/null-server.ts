// A server that answers every request with an empty 200 as soon as its body is complete, on a thread of its own. What the
// generator reaches against it is the generator's own limit.
import { once } from "node:events";
import { createServer } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

function listen(): void {
  const server = createServer((socket) => {
    let awaited = 0;
    let head = "";
    socket.on("error", () => undefined);
    socket.on("data", (piece: Buffer) => {
      if (awaited === 0) {
        head += piece.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        awaited = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0) - (head.length - end - 4);
        head = "";
      } else awaited -= piece.length;
      if (awaited === 0) socket.write(ANSWER);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(typeof address === "object" && address !== null ? address.port : 0);
  });
}

/** Starts the server and returns its address. */
export async function startNullServer(): Promise<{ url: string; stop: () => Promise<unknown> }> {
  const worker = new Worker(new URL(import.meta.url));
  const [port]: unknown[] = await once(worker, "message");
  return { url: `http://127.0.0.1:${String(port)}`, stop: () => worker.terminate() };
}

if (!isMainThread) listen();
