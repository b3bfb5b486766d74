// The door of a local server: passes the bytes of each connection on as they are, in both directions, and answers
// `Expect: 100-continue` before a request without a body. The runtime answers such a request with its final status and
// keeps the connection open; botocore then takes the next answer's status from this one.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { RequestScanner } from "./request-scanner.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
/** How long a client may go on sending after the runtime has closed its side. */
const LINGER_MS = 2000;

export interface Front {
  readonly port: number;
  /** Ends every connection and stops listening. */
  close(): void;
}

/**
 * Opens a front.
 * @param backend finds the runtime's port on this machine, which changes when the runtime is restarted
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
  const runtime = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  const scanner = new RequestScanner();
  // A 100 belongs before an answer and never into one: it is sent only where no other answer is under way.
  let isIdle = true;
  client.on("data", (bytes: Buffer) => {
    const { heads, expectsContinue, asksForTunnel } = scanner.take(bytes);
    if (asksForTunnel) {
      client.destroy();
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
  runtime.on("error", () => client.end());
  runtime.on("close", () => {
    client.end();
    client.resume();
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.once("close", () => clearTimeout(timer));
  });
  client.resume();
}
