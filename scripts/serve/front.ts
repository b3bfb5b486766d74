// The TCP front of a local server. It forwards the bytes of each connection unchanged in both directions, refuses a
// request whose end is ambiguous, and answers `Expect: 100-continue` of a request without a body. The runtime instead
// sends the final status at once and keeps the connection open, and botocore then takes the next response's status from
// this one.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { RuntimeSocket } from "./runtime-socket.ts";
import { RequestScanner } from "./request-scanner.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const REFUSED = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/** How long a client may continue sending after the runtime has closed its side. */
const LINGER_MS = 2000;

export interface Front {
  readonly port: number;
  /** Closes every connection and stops listening. */
  close(): void;
}

/**
 * Opens a front.
 * @param backend returns the runtime's port, which changes when the runtime restarts
 */
export async function openFront(host: string, port: number, backend: () => Promise<number>): Promise<Front> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    client.on("error", () => client.destroy());
    backend()
      .then((backendPort) => join(client, backendPort))
      .catch(() => client.destroy());
  });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

function join(client: Socket, port: number): void {
  const runtime = new RuntimeSocket({ allowHalfOpen: true });
  runtime.setNoDelay(true).connect({ host: "127.0.0.1", port });
  const scanner = new RequestScanner();
  // A 100 must precede a response and never interrupt one, so it is sent only while no response is being received.
  let isIdle = true;
  client.on("data", (bytes: Buffer) => {
    const { heads, expectsContinue, requestsTunnel, isAmbiguous } = scanner.take(bytes);
    if (requestsTunnel) {
      client.destroy();
      return;
    }
    if (isAmbiguous) {
      runtime.destroy();
      if (!client.writableEnded) client.end(REFUSED);
      return;
    }
    if (heads === 1 && expectsContinue && isIdle) client.write(CONTINUE);
    if (heads > 0) isIdle = false;
    if (!runtime.writable) return;
    if (!runtime.write(bytes)) {
      client.pause();
      runtime.once("drain", () => client.resume());
    }
  });
  client.on("end", () => runtime.end());
  client.on("close", () => runtime.destroy());
  runtime.on("data", () => {
    isIdle = true;
  });
  runtime.pipe(client);
  runtime.on("unread", (bytes: Buffer) => client.write(bytes));
  runtime.on("error", () => client.end());
  runtime.on("close", () => {
    client.end();
    client.resume();
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.once("close", () => clearTimeout(timer));
  });
  client.resume();
}
