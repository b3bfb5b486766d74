// Configures how Miniflare starts the runtime's process, and finds that process for measurements and crash tests.
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Makes Miniflare start the runtime through workerd.sh, so that the runtime ends with this process. */
export function tieWorkerdToThisProcess(): void {
  if (process.platform === "win32" || process.env["CAIRN_WORKERD"] !== undefined) return;
  const workerd: unknown = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd");
  if (typeof workerd !== "object" || workerd === null || !("default" in workerd)) return;
  const wrapper = join(import.meta.dirname, "workerd.sh");
  try {
    accessSync(wrapper, constants.X_OK);
  } catch {
    // Unpacking an archive may lose the file's mode; the runtime also starts without the wrapper.
    return;
  }
  process.env["CAIRN_WORKERD"] = process.env["MINIFLARE_WORKERD_PATH"] ?? String(workerd.default);
  process.env["MINIFLARE_WORKERD_PATH"] = wrapper;
}

/** The process ids of a process's workerd children, oldest first; empty without /proc. */
export function workerdChildren(parent: number): number[] {
  try {
    return readdirSync(`/proc/${parent}/task`)
      .flatMap((task) => readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").split(" "))
      .filter((child) => child !== "" && readFileSync(`/proc/${child}/comm`, "utf8").trim() === "workerd")
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    // Without /proc, or when a process ended during the search.
    return [];
  }
}

/** The resident memory of a process in bytes. Requires /proc. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
