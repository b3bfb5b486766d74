// The runtime's process: how Miniflare is to start it, and how to find it for those who measure or kill it.
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Has Miniflare start the runtime through workerd.sh, which ties its life to this process. */
export function tieWorkerdToThisProcess(): void {
  if (process.platform === "win32" || process.env["CAIRN_WORKERD"] !== undefined) return;
  const workerd: unknown = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd");
  if (typeof workerd !== "object" || workerd === null || !("default" in workerd)) return;
  const wrapper = join(import.meta.dirname, "workerd.sh");
  try {
    accessSync(wrapper, constants.X_OK);
  } catch {
    // An unpacked archive may have lost the file's mode; the runtime starts without it too.
    return;
  }
  process.env["CAIRN_WORKERD"] = process.env["MINIFLARE_WORKERD_PATH"] ?? String(workerd.default);
  process.env["MINIFLARE_WORKERD_PATH"] = wrapper;
}

/** The process ids of the workerd processes that a process has started, oldest first; empty where there is no /proc. */
export function workerdChildren(parent: number): number[] {
  try {
    return readdirSync(`/proc/${parent}/task`)
      .flatMap((task) => readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").split(" "))
      .filter((child) => child !== "" && readFileSync(`/proc/${child}/comm`, "utf8").trim() === "workerd")
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    // No /proc, or a process that ended while it was being looked at.
    return [];
  }
}

/** The bytes of memory that a process has at the moment, where there is a /proc. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
