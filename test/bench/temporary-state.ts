// A state folder for one run: it is deleted when the process ends, also by Ctrl-C.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes the folder. */
export function temporaryState(): string {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  // The runtime may still be writing to it in its last moment.
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  return folder;
}
