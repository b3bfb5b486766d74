// Watches how much of its heap the served Worker uses, by asking the runtime's inspector: on Cloudflare an isolate has
// 128 MB. (The resident memory of the local runtime also holds the simulators of D1 and R2 and their isolates.)
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

const SAMPLE_MS = 250;

/** The name of the isolate in which Cairn runs, as the inspector lists it. */
const ISOLATE = "core:user:cairn";

export class HeapWatch {
  /** Bytes at the most so far. */
  peak = 0;
  readonly #socket: WebSocket;
  readonly #end = new AbortController();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param inspector the address of the runtime's inspector */
  static async start(inspector: URL): Promise<HeapWatch> {
    const listed: unknown = await (await fetch(new URL("/json", inspector.href.replace("ws:", "http:")))).json();
    const url = Array.isArray(listed) ? listed.map(targetUrl).find((target) => target !== undefined) : undefined;
    if (url === undefined) throw new Error("the runtime's inspector does not list the Worker");
    const socket = new WebSocket(url);
    await once(socket, "open");
    const watch = new HeapWatch(socket);
    socket.addEventListener("message", ({ data }) => {
      const used = Number(/"usedSize":(\d+)/.exec(String(data))?.[1] ?? 0);
      watch.peak = Math.max(watch.peak, used);
    });
    void watch.#ask();
    return watch;
  }

  stop(): void {
    this.#end.abort();
    this.#socket.close();
  }

  async #ask(): Promise<void> {
    for (let id = 1; !this.#end.signal.aborted; id += 1) {
      this.#socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
      await pause(SAMPLE_MS);
    }
  }
}

function targetUrl(target: unknown): string | undefined {
  if (typeof target !== "object" || target === null || Reflect.get(target, "id") !== ISOLATE) return undefined;
  return String(Reflect.get(target, "webSocketDebuggerUrl"));
}
