// `npm run bench:verify`: what each value of VERIFY_READS costs. Objects of several sizes are read over and over from a
// served Cairn, and beside the time of a read the processor time of the runtime is measured.
import { readFileSync } from "node:fs";
import { Requests } from "../crash/requests.ts";
import { CREDENTIALS } from "./signer.ts";
import { temporaryState } from "./temporary-state.ts";
import { serveMeasured } from "./serve-measured.ts";

const SETTINGS = ["off", "sampled", "always"] as const;
const SIZES = [4096, 1024 ** 2, 32 * 1024 ** 2];
/** The number of bytes read of each size. */
const READ_BYTES = 256 * 1024 ** 2;
const MAX_READS = 600;
const TICKS_PER_SECOND = 100;

/** User and system time of a process so far, in milliseconds. */
function processorMs(pid: number | undefined): number {
  const fields =
    readFileSync(`/proc/${pid ?? "self"}/stat`, "utf8")
      .split(") ")[1]
      ?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

const state = temporaryState();
console.log("| VERIFY_READS | object | ms a read | processor ms a read | MB/s |\n| --- | --- | --- | --- | --- |");
for (const setting of SETTINGS) {
  const cairn = await serveMeasured({
    state,
    bindings: {
      EDGE_CACHE: "off",
      INLINE_MAX_BYTES: "0",
      VERIFY_READS: setting,
    },
  });
  try {
    const requests = new Requests(cairn.url, CREDENTIALS);
    await requests.send("PUT", "/bench");
    for (const size of SIZES) {
      const target = `/bench/${size}`;
      await requests.send("PUT", target, {}, Buffer.alloc(size, "cairn"));
      const reads = Math.min(MAX_READS, READ_BYTES / size);
      for (let warmUp = 0; warmUp < 3; warmUp += 1) await requests.send("GET", target);
      const before = { ms: performance.now(), processor: processorMs(cairn.workerdPid()) };
      for (let read = 0; read < reads; read += 1) {
        const { status, body } = await requests.send("GET", target);
        if (status !== 200 || body.length !== size) throw new Error(`a read of ${target} failed`);
      }
      const ms = (performance.now() - before.ms) / reads;
      const processor = (processorMs(cairn.workerdPid()) - before.processor) / reads;
      const row = [setting, `${size / 1024} KiB`, ms.toFixed(2), processor.toFixed(2), (size / ms / 1000).toFixed(0)];
      console.log(`| ${row.join(" | ")} |`);
    }
  } finally {
    await cairn.stop();
  }
}
