// Observes whether a read asks the blob store before D1 has answered its lookup.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { BINDINGS } from "./databases.ts";
import { anonymous, deliver, send, type RequestScope, type SendOptions } from "./client.ts";
import { get, readAnswer, type ReadAnswer } from "./edge-cache.ts";
import { d1With, r2With } from "./faults.ts";
import { freshBucket } from "./fresh-bucket.ts";

/** How long D1 waits for the blob store where it should be asked first. Only a failing test waits as long. */
const MAX_WAIT_MS = 10_000;
/** How long D1 waits where the blob store should not be asked. */
const SHORT_WAIT_MS = 30;

/** What a request did. */
interface Observation {
  /** Calls of the blob store before D1's first answer. */
  readonly early: number;
  /** All calls of the blob store. */
  readonly calls: number;
  /** Bodies from the blob store that were cancelled. */
  readonly cancelled: number;
}

class Observer {
  #early = 0;
  #calls = 0;
  #cancelled = 0;
  #hasAnswered = false;
  readonly #isAsked = Promise.withResolvers<void>();
  /** The bindings of the observed requests. */
  readonly scope: RequestScope;

  /**
   * @param expectsEarly whether D1 waits until the blob store is asked
   * @param beforeAnswer runs after D1 was asked and before it looks anything up
   */
  constructor(expectsEarly: boolean, beforeAnswer?: () => Promise<unknown>) {
    const databases = BINDINGS.map(({ name, d1 }) => [
      name,
      d1With(async (_sql, send) => {
        if (this.#hasAnswered) return send();
        await Promise.race([this.#isAsked.promise, after(expectsEarly ? MAX_WAIT_MS : SHORT_WAIT_MS)]);
        await beforeAnswer?.();
        const answer = await send();
        this.#hasAnswered = true;
        return answer;
      }, d1),
    ]);
    const BLOBS = r2With({
      get: async (key, options) => {
        this.#calls += 1;
        if (!this.#hasAnswered) this.#early += 1;
        this.#isAsked.resolve();
        const found = await env.BLOBS.get(key, options);
        return found === null ? null : this.#watched(found);
      },
    });
    this.scope = { ...Object.fromEntries(databases), BLOBS };
  }

  get seen(): Observation {
    return { early: this.#early, calls: this.#calls, cancelled: this.#cancelled };
  }

  #watched(found: R2ObjectBody): R2ObjectBody {
    const reader = found.body.getReader();
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: async () => {
          this.#cancelled += 1;
          await reader.cancel();
        },
      },
      { highWaterMark: 0 },
    );
    return new Proxy(found, {
      get: (target, name) => {
        if (name === "body") return body;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

/** Every read is one of the blob store. */
export const UNCACHED = { EDGE_CACHE: "off" };
export const NOTHING_EARLY = { early: 0, cancelled: 0 };

export type Send = (scope: RequestScope) => Promise<ReadAnswer>;

/** Observes one request. */
export async function observe(
  sendOne: Send,
  expectsEarly: boolean,
  more: RequestScope = UNCACHED,
  beforeAnswer?: () => Promise<unknown>,
): Promise<Observation & { readonly answer: ReadAnswer }> {
  const observer = new Observer(expectsEarly, beforeAnswer);
  const answer = await sendOne({ ...more, ...observer.scope });
  return { ...observer.seen, answer };
}

export function reading(target: string, options: SendOptions = {}): Send {
  return async (scope) => get(target, options, scope);
}

export function readingAnonymously(target: string, options: SendOptions = {}): Send {
  return async (scope) => readAnswer(await deliver(anonymous("GET", target, options), scope));
}

/** Reads twice, so that the isolate remembers the blob and knows that it does not change with each read. */
export async function remember(sendOne: Send, scope: RequestScope = UNCACHED): Promise<void> {
  for (let times = 0; times < 2; times += 1) expect((await sendOne(scope)).status).toBeLessThan(300);
}

/** A bucket with one object, and a read of it by root. */
export async function remembered(
  body: string | Uint8Array = "bytes",
): Promise<{ bucket: string; target: string; read: Send }> {
  const bucket = await freshBucket();
  const target = `/${bucket}/k`;
  await send("PUT", target, { body });
  await remember(reading(target));
  return { bucket, target, read: reading(target) };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
