// Watches how much memory the served Worker uses: on Cloudflare an isolate has 128 MB, buffers included. (The resident
// memory of the local runtime also holds the simulators of D1 and R2 and their isolates.)
import { setTimeout as pause } from "node:timers/promises";
import { Inspector } from "./inspector.ts";

const SAMPLE_MS = 250;

export class HeapWatch {
  /** Bytes of the heap at the most so far. */
  peak = 0;
  /** Bytes of buffers outside the heap at the most so far. */
  peakBuffers = 0;
  /** Bytes of both together at the most so far. */
  peakTotal = 0;
  readonly #inspector: Inspector;
  #isStopped = false;

  private constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  /** @param address of the runtime's inspector */
  static async start(address: URL): Promise<HeapWatch> {
    const watch = new HeapWatch(await Inspector.connect(address));
    void watch.#sample();
    return watch;
  }

  stop(): void {
    this.#isStopped = true;
    this.#inspector.close();
  }

  async #sample(): Promise<void> {
    while (!this.#isStopped) {
      const { heap, buffers } = await this.#inspector.usage();
      this.peak = Math.max(this.peak, heap);
      this.peakBuffers = Math.max(this.peakBuffers, buffers);
      this.peakTotal = Math.max(this.peakTotal, heap + buffers);
      await pause(SAMPLE_MS);
    }
  }
}
