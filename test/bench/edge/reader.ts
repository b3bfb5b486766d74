// A reader of objects: measures the time to the first byte of a body, and reads as fast as it can over several connections.
import { Agent, request } from "node:http";
import { median } from "../compare/statistics.ts";

/** A request that can be sent more than once. */
export interface Read {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The median time to the first byte of these reads, one after another, in milliseconds. */
export async function firstByteMs(reads: readonly Read[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (const read of reads) times.push(await readOnce(read, agent));
  agent.destroy();
  return median(times);
}

/** Reads one object again and again over as many connections, and returns the number of reads a second. */
export async function readsPerSecond(read: Read, connections: number, durationMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const start = performance.now();
  let reads = 0;
  const repeat = async (): Promise<void> => {
    while (performance.now() - start < durationMs) {
      await readOnce(read, agent);
      reads += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, repeat));
  agent.destroy();
  return (reads * 1000) / (performance.now() - start);
}

/** Reads to the end. @returns milliseconds to the first byte of the body @throws Error unless the status is 200 */
async function readOnce({ url, headers }: Read, agent: Agent): Promise<number> {
  const start = performance.now();
  const outgoing = request(url, { agent, headers });
  const ended = new Promise<number>((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      let first = Number.NaN;
      response.once("data", () => {
        first = performance.now() - start;
      });
      response.on("data", () => undefined);
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve(first);
        else reject(new Error(`GET ${url}: ${response.statusCode}`));
      });
    });
  });
  outgoing.end();
  return ended;
}
