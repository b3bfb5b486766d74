// A client that reads and writes small objects, one of each at a time, during another activity, and records latencies.
import { setTimeout as pause } from "node:timers/promises";
import { MeasuringClient } from "./client.ts";
import { signedRequest } from "./signer.ts";

const BODY = Buffer.alloc(1024, "x");
const PAUSE_MS = 20;

/** Latencies in milliseconds, by kind of request. */
export class Latencies {
  readonly gets: number[] = [];
  readonly puts: number[] = [];

  /** @param percent of the GETs were as fast as this or faster */
  get(percent: number): number {
    return percentile(this.gets, percent);
  }

  put(percent: number): number {
    return percentile(this.puts, percent);
  }

  text(): string {
    return `${summary("GET", this.gets)}; ${summary("PUT", this.puts)}`;
  }
}

export class Load {
  /** The number of its puts, each under a key of its own. */
  objects = 0;
  readonly #writer = new MeasuringClient();
  readonly #reader = new MeasuringClient();
  readonly #url: string;

  /** @param url of a bucket */
  constructor(url: string) {
    this.#url = url;
  }

  /** Puts the object that is read; the first requests are slower than others. */
  async prepare(): Promise<void> {
    for (let times = 0; times < 5; times += 1) {
      await this.#put();
      await this.#get();
    }
  }

  /** Sends requests until `act` ends. */
  async during(act: () => Promise<void>): Promise<Latencies> {
    const latencies = new Latencies();
    const over = new AbortController();
    const acting = act().finally(() => over.abort());
    // Its result is checked further down.
    acting.catch(() => undefined);
    await Promise.all([
      repeat(over.signal, async () => latencies.puts.push(await this.#put())),
      repeat(over.signal, async () => latencies.gets.push(await this.#get())),
    ]);
    await acting;
    return latencies;
  }

  async #put(): Promise<number> {
    const request = await signedRequest("PUT", `${this.#url}/live/${this.objects}`, BODY);
    this.objects += 1;
    return (await this.#writer.exchange(request)).ms;
  }

  async #get(): Promise<number> {
    return (await this.#reader.exchange(await signedRequest("GET", `${this.#url}/live/0`))).ms;
  }
}

async function repeat(until: AbortSignal, act: () => Promise<unknown>): Promise<void> {
  while (!until.aborted) {
    await act();
    await pause(PAUSE_MS);
  }
}

function summary(name: string, values: readonly number[]): string {
  const [middle, high] = [50, 99].map((percent) => percentile(values, percent).toFixed(0));
  return `${name} p50 ${middle} ms, p99 ${high} ms of ${values.length}`;
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
