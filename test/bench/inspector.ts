// Asks the runtime's inspector about the memory of the isolate in which the served Worker runs.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

/** The name of the isolate in which Cairn runs, as the inspector lists it. */
const ISOLATE = "core:user:cairn";

const WAIT_MS = 200;

/** Memory of an isolate, in bytes. */
export interface MemoryUsage {
  /** Objects in the JavaScript heap. */
  readonly heap: number;
  /** The contents of array buffers, which are outside of the heap. */
  readonly buffers: number;
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, (result: unknown) => void>();
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer: unknown = JSON.parse(String(data));
      if (typeof answer !== "object" || answer === null || !("id" in answer)) return;
      const id = Number(answer.id);
      this.#pending.get(id)?.("result" in answer ? answer.result : undefined);
      this.#pending.delete(id);
    });
  }

  /** @param address of the runtime's inspector */
  static async connect(address: URL): Promise<Inspector> {
    const listed: unknown = await (await fetch(new URL("/json", address.href.replace("ws:", "http:")))).json();
    const url = Array.isArray(listed) ? listed.map(targetUrl).find((target) => target !== undefined) : undefined;
    if (url === undefined) throw new Error("the runtime's inspector does not list the Worker");
    const socket = new WebSocket(url);
    await once(socket, "open");
    return new Inspector(socket);
  }

  /** The memory that is in use at the moment, garbage included. */
  async usage(): Promise<MemoryUsage> {
    const result = await this.#call("Runtime.getHeapUsage");
    return { heap: numberIn(result, "usedSize"), buffers: numberIn(result, "backingStorageSize") };
  }

  /**
   * The memory that is in use once garbage has been collected.
   * @param url of the Worker: the runtime collects when the isolate has a request to answer
   */
  async usageAfterCollection(url: string): Promise<MemoryUsage> {
    // What a first collection finalises, a second one frees.
    for (let turn = 0; turn < 3; turn += 1) {
      const collecting = this.#call("HeapProfiler.collectGarbage");
      let outcome: unknown = "waiting";
      while (outcome === "waiting") {
        await (await fetch(url)).arrayBuffer();
        outcome = await Promise.race([collecting, pause(WAIT_MS, "waiting")]);
      }
    }
    return this.usage();
  }

  close(): void {
    this.#socket.close();
  }

  async #call(method: string): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}

function numberIn(result: unknown, name: string): number {
  const value: unknown = typeof result === "object" && result !== null ? Reflect.get(result, name) : undefined;
  if (typeof value !== "number") throw new Error(`the inspector does not report ${name}`);
  return value;
}

function targetUrl(target: unknown): string | undefined {
  if (typeof target !== "object" || target === null || Reflect.get(target, "id") !== ISOLATE) return undefined;
  return String(Reflect.get(target, "webSocketDebuggerUrl"));
}
