// The second half of `npm run bench:memory`: holds hundreds of uploads open at once, stalled ones and busy ones, and
// measures the heap and the buffers of the Worker's isolate, which Cloudflare limits to 128 MB for all requests together.
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Requests } from "../crash/requests.ts";
import type { ServedCairn } from "../../scripts/serve/runtime.ts";
import { openConnection, signedHeaders } from "./broken.ts";
import { Checks } from "./checks.ts";
import { HeapWatch } from "./heap.ts";
import { Inspector } from "./inspector.ts";
import { CREDENTIALS } from "./signer.ts";
import { serveMeasured } from "./serve-measured.ts";

const MiB = 1024 ** 2;
const BUCKET = "uploads";
const STALLED = 400;
const BUSY = 150;
const LENGTH = 4 * MiB;
const PIECE = Buffer.alloc(32 * 1024, "x");
const PAUSE_MS = 2000;

/**
 * What one upload may take. A stalled one holds its request, the parsed headers and a first buffer of 4 KiB. All busy ones
 * together stay below half of the 128 MB of an isolate.
 */
const MAX_BYTES = { tiny: 32 * 1024, begun: 160 * 1024, busy: (64 * MiB) / BUSY };

const checks = new Checks("uploads");

/** Begins an upload and sends some of it. */
async function begin(url: string, name: string, length: number, sent: Buffer): Promise<Socket> {
  const target = `/${BUCKET}/${name}`;
  const headers = { ...(await signedHeaders(url, "PUT", target, {})), "content-length": String(length) };
  const socket = await openConnection(url);
  socket.on("error", () => undefined);
  const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}\r\n`);
  socket.write(`PUT ${target} HTTP/1.1\r\nhost: ${new URL(url).host}\r\n${lines.join("")}\r\n`);
  socket.write(sent);
  return socket;
}

/** The memory that uploads hold beyond that of the idle Worker, for each of them. Garbage is collected before both samples. */
async function heldPerUpload(cairn: ServedCairn, count: number, act: () => Promise<Socket[]>): Promise<number> {
  const inspector = await Inspector.connect(await cairn.inspectorUrl());
  const idle = await inspector.usageAfterCollection(cairn.url);
  const sockets = await act();
  await pause(PAUSE_MS);
  const held = await inspector.usageAfterCollection(cairn.url);
  inspector.close();
  for (const socket of sockets) socket.destroy();
  await pause(PAUSE_MS);
  return (held.heap + held.buffers - idle.heap - idle.buffers) / count;
}

/** The most memory that uploads in progress take, garbage included, for each of them. */
async function peakPerUpload(cairn: ServedCairn, count: number, act: () => Promise<Socket[]>): Promise<number> {
  const inspector = await Inspector.connect(await cairn.inspectorUrl());
  const idle = await inspector.usageAfterCollection(cairn.url);
  inspector.close();
  const watch = await HeapWatch.start(await cairn.inspectorUrl());
  const sockets = await act();
  await pause(PAUSE_MS);
  watch.stop();
  for (const socket of sockets) socket.destroy();
  if (watch.peak === 0) throw new Error("the inspector reported no heap");
  return (watch.peak + watch.peakBuffers - idle.heap - idle.buffers) / count;
}

function stalled(url: string, length: number, sent: number): () => Promise<Socket[]> {
  return async () => {
    const sockets: Socket[] = [];
    for (let turn = 0; turn < STALLED; turn += 1) {
      sockets.push(await begin(url, `stalled-${turn}`, length, Buffer.alloc(sent, "x")));
    }
    return sockets;
  };
}

/** Uploads that all run at the same time, to their ends. */
async function busy(url: string): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: BUSY }, async (_, turn) => {
      const socket = await begin(url, `busy-${turn}`, LENGTH, PIECE);
      for (let sent = PIECE.length; sent < LENGTH; sent += PIECE.length) {
        if (!socket.write(PIECE)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
      }
      return socket;
    }),
  );
}

const served = await serveMeasured({
  isInspected: true,
  onLog: () => undefined,
});
try {
  const { url } = served;
  await new Requests(url, CREDENTIALS).send("PUT", `/${BUCKET}`);
  const hold = async (name: string, most: number, act: () => Promise<Socket[]>): Promise<void> =>
    checks.atMost(`memory of each of ${STALLED} ${name}`, await heldPerUpload(served, STALLED, act), most, "bytes");
  await hold("stalled uploads of 3 bytes", MAX_BYTES.tiny, stalled(url, 3, 2));
  await hold("stalled uploads that sent 100 bytes", MAX_BYTES.tiny, stalled(url, LENGTH, 100));
  await hold("stalled uploads that sent 100,000 bytes", MAX_BYTES.begun, stalled(url, LENGTH, 100_000));
  const peak = await peakPerUpload(served, BUSY, async () => busy(url));
  checks.atMost(`memory of each of ${BUSY} busy uploads, garbage included`, peak, MAX_BYTES.busy, "bytes");
} finally {
  await served.stop();
}
console.log(checks.summary());
if (checks.failed > 0) process.exitCode = 1;
