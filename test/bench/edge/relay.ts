// A TCP relay that adds a round trip between a reader and a server, as distance does. It delays bytes and limits nothing.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Relay {
  readonly url: string;
  close(): void;
}

/** Relays to a server on this machine. Half of the round trip is added in each direction. */
export async function openRelay(url: string, roundTripMs: number): Promise<Relay> {
  const { hostname, port } = new URL(url);
  const server = createServer((reader) => {
    const upstream = connect(Number(port), hostname);
    forward(reader, upstream, roundTripMs / 2);
    forward(upstream, reader, roundTripMs / 2);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() };
}

/** Sends what one socket receives to another one, later and in order. */
function forward(from: Socket, to: Socket, delayMs: number): void {
  from.on("data", (bytes: Buffer) => {
    setTimeout(() => to.write(bytes), delayMs);
  });
  from.once("close", () => setTimeout(() => to.destroy(), delayMs));
  from.once("error", () => from.destroy());
}
