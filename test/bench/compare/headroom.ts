// Measures the generator against a server that does nothing, to show that the generator is not what limits a run.
import type { Measurement } from "./measure.ts";
import { startNullServer } from "./null-server.ts";
import { newRound, runOperations, single } from "./round.ts";
import { median } from "./statistics.ts";
import { Target } from "./target.ts";

const REQUESTS = 20_000;
const UPLOADS = 24;
const UPLOAD_BYTES = 8 * 1024 ** 2;

export interface Generator {
  /** Small requests a second, by requests at a time. */
  readonly perSecond: ReadonlyMap<number, number>;
  /** Bytes that one connection sends in a second. */
  readonly bytesPerSecond: number;
}

/** @param scale of the number of requests */
export async function measureGenerator(concurrencies: readonly number[], scale: number): Promise<Generator> {
  const server = await startNullServer();
  try {
    const target = new Target({ name: "null", url: server.url, key: undefined, maxListedKeys: 0 });
    const get = { method: "GET", path: "/generator" };
    const put = { method: "PUT", path: "/generator", body: Buffer.alloc(UPLOAD_BYTES, "x") };
    const perSecond = new Map<number, number>();
    await rate(target, get, REQUESTS * scale, 1);
    for (const at of concurrencies) perSecond.set(at, await rate(target, get, REQUESTS * scale, at));
    return { perSecond, bytesPerSecond: (await rate(target, put, UPLOADS, 1)) * UPLOAD_BYTES };
  } finally {
    await server.stop();
  }
}

async function rate(target: Target, request: Parameters<typeof single>[1], count: number, at: number): Promise<number> {
  const round = newRound(target, Math.ceil(count), at);
  const operation = single(target, request);
  const connections = await target.connect(at);
  const start = performance.now();
  await runOperations(
    connections,
    Array.from({ length: round.count }, () => operation),
  );
  const ms = performance.now() - start;
  for (const connection of connections) connection.close();
  return (round.count * 1000) / ms;
}

/** How many times the rate of the fastest small requests the generator reaches, and where. */
export function leastHeadroom(
  generator: Generator,
  measurements: readonly Measurement[],
): { times: number; title: string } {
  let least = { times: Infinity, title: "" };
  for (const { title, at, bytes, samples } of measurements) {
    for (const [name, rounds] of Object.entries(samples)) {
      const perSecond = median(rounds.map((sample) => sample.perSecond));
      const limit = bytes === undefined ? (generator.perSecond.get(at) ?? Infinity) : generator.bytesPerSecond / bytes;
      const times = limit / perSecond;
      if (times < least.times) least = { times, title: `${title} at ${at} on ${name}` };
    }
  }
  return least;
}
