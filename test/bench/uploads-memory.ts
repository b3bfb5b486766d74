// The second half of `npm run bench:memory`: holds hundreds of uploads open at once, stalled ones and busy ones, and
// measures the heap and the buffers of the Worker's isolate, of which Cloudflare gives 128 MB to all requests together.
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Requests } from "../crash/requests.ts";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { serveCairn, type ServedCairn } from "../../scripts/serve/runtime.ts";
import { openConnection, signedHeaders } from "./broken.ts";
import { Checks } from "./checks.ts";
import { HeapWatch } from "./heap.ts";
import { CREDENTIALS } from "./signer.ts";
import { temporaryState } from "./temporary-state.ts";

const MiB = 1024 ** 2;
const BUCKET = "uploads";
const STALLED = 400;
const BUSY = 150;
const LENGTH = 4 * MiB;
const PIECE = Buffer.alloc(32 * 1024, "x");
const SETTLE_MS = 2000;

/** What one upload may take: a piece that is read and one that is gathered, and for one that is small, next to nothing. */
const MAX_BYTES = { tiny: 24 * 1024, begun: 160 * 1024, busy: 224 * 1024 };

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

/** The memory that uploads take beyond that of the idle Worker, for each of them. */
async function bytesPerUpload(cairn: ServedCairn, count: number, act: () => Promise<Socket[]>): Promise<number> {
  const inspector = await cairn.inspectorUrl();
  const idle = await HeapWatch.start(inspector);
  await pause(SETTLE_MS);
  idle.stop();
  const busy = await HeapWatch.start(inspector);
  const sockets = await act();
  await pause(SETTLE_MS);
  busy.stop();
  for (const socket of sockets) socket.destroy();
  await pause(SETTLE_MS);
  if (busy.peakBuffers === 0) throw new Error("the inspector told nothing");
  return (busy.peak + busy.peakBuffers - idle.peak - idle.peakBuffers) / count;
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

/** Uploads that all go on at once, to their ends. */
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

const served = await serveCairn({
  port: 0,
  host: "127.0.0.1",
  state: temporaryState(),
  bindings: {
    [ACCESS_KEY_ID]: CREDENTIALS.accessKeyId,
    [SECRET_ACCESS_KEY]: CREDENTIALS.secretAccessKey,
    LOG_REQUESTS: "false",
  },
  isInspected: true,
  onLog: () => undefined,
});
try {
  const { url } = served;
  await new Requests(url, CREDENTIALS).send("PUT", `/${BUCKET}`);
  const measure = async (name: string, count: number, most: number, act: () => Promise<Socket[]>): Promise<void> =>
    checks.atMost(`memory of each of ${count} ${name}`, await bytesPerUpload(served, count, act), most, "bytes");
  await measure("stalled uploads of 3 bytes", STALLED, MAX_BYTES.tiny, stalled(url, 3, 2));
  await measure("stalled uploads that sent 100 bytes", STALLED, MAX_BYTES.tiny, stalled(url, LENGTH, 100));
  await measure("stalled uploads that sent 100,000 bytes", STALLED, MAX_BYTES.begun, stalled(url, LENGTH, 100_000));
  await measure("busy uploads", BUSY, MAX_BYTES.busy, async () => busy(url));
} finally {
  await served.stop();
}
console.log(checks.summary());
if (checks.failed > 0) process.exitCode = 1;
