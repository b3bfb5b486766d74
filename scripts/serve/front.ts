// The TCP front of a local server. It forwards the bytes of each connection in both directions, adds the client's address to
// each request, refuses malformed requests as S3 does, and answers `Expect: 100-continue` of a request without a body. The
// runtime instead sends the final status at once and keeps the connection open, and botocore then takes the next response's
// status from this one.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { RuntimeSocket } from "./runtime-socket.ts";
import { RequestScanner, type RequestFault } from "./request-scanner.ts";

/** The Worker's binding with the name of the header in which a front reports the client's address. */
export const CLIENT_ADDRESS_HEADER = "CLIENT_ADDRESS_HEADER";

const ADDRESS_HEADER_BYTES = 16;
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const REQUEST_ID_BYTES = 8;
const ERRORS: Readonly<Record<RequestFault, readonly [code: string, message: string]>> = {
  malformed: ["BadRequest", "An error occurred when parsing the HTTP request."],
  "head too large": [
    "RequestHeaderSectionTooLarge",
    "Your request header and query parameters exceed the maximum allowed size.",
  ],
};
/** How long a client may continue sending after the runtime has closed its side. */
const LINGER_MS = 2000;

/** A name that clients cannot guess, so that no client can report another address than its own. */
export function makeAddressHeader(): string {
  return `cairn-client-address-${randomBytes(ADDRESS_HEADER_BYTES).toString("hex")}`;
}

export interface Front {
  readonly port: number;
  /** Closes every connection and stops listening. */
  close(): void;
}

/**
 * Opens a front.
 * @param addressHeader the header that gets the client's address, a new name of {@link makeAddressHeader}
 * @param backend returns the runtime's port, which changes when the runtime restarts
 */
export async function openFront(
  host: string,
  port: number,
  addressHeader: string,
  backend: () => Promise<number>,
): Promise<Front> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    client.on("error", () => client.destroy());
    backend()
      .then((backendPort) => join(client, backendPort, `${addressHeader}: ${addressOf(client)}`))
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

/** The address of a client, an IPv4 address in IPv4's own form. */
function addressOf({ remoteAddress = "" }: Socket): string {
  return remoteAddress.replace(/^::ffff:(?=[\d.]+$)/i, "").replace(/%.*$/, "");
}

function refusalOf(fault: RequestFault): string {
  const [code, message] = ERRORS[fault];
  const id = randomBytes(REQUEST_ID_BYTES).toString("hex").toUpperCase();
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${id}</RequestId></Error>`;
  const headers = [
    "HTTP/1.1 400 Bad Request",
    "Connection: close",
    "Content-Type: application/xml",
    `x-amz-request-id: ${id}`,
    `Content-Length: ${body.length}`,
  ];
  return `${headers.join("\r\n")}\r\n\r\n${body}`;
}

function join(client: Socket, port: number, header: string): void {
  const runtime = new RuntimeSocket({ allowHalfOpen: true });
  runtime.setNoDelay(true).connect({ host: "127.0.0.1", port });
  const scanner = new RequestScanner(header);
  // A 100 must precede a response and never interrupt one, so it is sent only while no response is being received.
  let isIdle = true;
  client.on("data", (bytes: Buffer) => {
    const { passed, heads, expectsContinue, requestsTunnel, fault } = scanner.take(bytes);
    if (requestsTunnel || fault !== undefined) {
      runtime.destroy();
      if (!client.writableEnded) client.end(refusalOf(fault ?? "malformed"));
      return;
    }
    if (heads === 1 && expectsContinue && isIdle) client.write(CONTINUE);
    if (heads > 0) isIdle = false;
    if (!runtime.writable) return;
    // One write for all pieces.
    runtime.cork();
    let isWritable = true;
    for (const piece of passed) isWritable = runtime.write(piece);
    runtime.uncork();
    if (!isWritable) {
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
