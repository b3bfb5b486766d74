// `npm run bench:memory`: puts 1 GiB through a served Cairn and watches the memory of the runtime. Fails when it grows past
// what bodies that are streamed, and never held, can need.
import { once } from "node:events";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { residentBytes, workerdChildren } from "../../scripts/serve/workerd.ts";
import { MeasuringClient } from "./client.ts";
import { CREDENTIALS, signedRequest } from "./signer.ts";
import { temporaryState } from "./temporary-state.ts";

const MiB = 1024 * 1024;
const OBJECTS = 4;
const OBJECT_BYTES = 256 * MiB;
const WARM_UP_BYTES = 64 * MiB;
const PIECE = randomBytes(MiB);
const SAMPLE_MS = 100;
const MAX_GROWTH_BYTES = 256 * MiB;

function startServer(state: string): ChildProcess {
  return spawn(
    process.execPath,
    [join(import.meta.dirname, "..", "..", "scripts", "start.ts"), "--port", "0", "--state", state],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        [ACCESS_KEY_ID]: CREDENTIALS.accessKeyId,
        [SECRET_ACCESS_KEY]: CREDENTIALS.secretAccessKey,
      },
    },
  );
}

async function readyUrl({ stdout }: ChildProcess): Promise<string> {
  if (stdout !== null) {
    for await (const line of createInterface({ input: stdout })) {
      if (line.startsWith("ready ")) return line.slice("ready ".length);
    }
  }
  throw new Error("the server ended before it was ready");
}

function inMiB(bytes: number): string {
  return `${(bytes / MiB).toFixed(0)} MiB`;
}

function* pieces(total: number): Generator<Buffer> {
  for (let sent = 0; sent < total; sent += PIECE.length) yield PIECE.subarray(0, Math.min(PIECE.length, total - sent));
}

async function putThenGet(client: MeasuringClient, url: string, size: number): Promise<void> {
  await client.exchange(await signedRequest("PUT", url), { contentLength: size, pieces: pieces(size) });
  const { bytes } = await client.exchange(await signedRequest("GET", url));
  if (bytes !== size) throw new Error(`${url}: ${bytes} bytes of ${size} came back`);
}

async function measure(server: ChildProcess): Promise<boolean> {
  const url = `${await readyUrl(server)}/memory`;
  const pid = workerdChildren(server.pid ?? 0).at(-1);
  if (pid === undefined) throw new Error("the runtime's process was not found: this needs Linux");
  const client = new MeasuringClient();
  await client.exchange(await signedRequest("PUT", url));
  await putThenGet(client, `${url}/warm-up`, WARM_UP_BYTES);

  const start = residentBytes(pid);
  let peak = start;
  const sampling = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), SAMPLE_MS);
  for (let object = 0; object < OBJECTS; object++) await putThenGet(client, `${url}/${object}`, OBJECT_BYTES);
  clearInterval(sampling);
  client.close();

  console.log(`${inMiB(OBJECTS * OBJECT_BYTES)} up and down again, resident memory of workerd:`);
  console.log(`start ${inMiB(start)}, peak ${inMiB(peak)}, end ${inMiB(residentBytes(pid))}`);
  console.log(`grew by ${inMiB(peak - start)} of ${inMiB(MAX_GROWTH_BYTES)} allowed`);
  return peak - start <= MAX_GROWTH_BYTES;
}

const server = startServer(temporaryState());
try {
  if (!(await measure(server))) process.exitCode = 1;
} finally {
  if (server.exitCode === null && server.kill("SIGTERM")) await once(server, "exit");
}
