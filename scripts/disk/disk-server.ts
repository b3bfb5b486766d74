// Starts the disk store's service for one state folder, and starts it again if its thread fails.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { layoutOf } from "./layout.ts";
import type { ServerOptions } from "./server.ts";

/** A service that runs. */
export interface DiskServer {
  /** The service binding of Miniflare that reaches it. */
  readonly binding: { readonly external: { readonly address: string; readonly http: Record<string, never> } };
  stop(): Promise<void>;
}

/** The binding's name in the Worker's environment. */
export const DISK_BINDING = "DISK";

const RESTART_PAUSE_MS = 100;

/** @param fsync whether files are on the disk before they count as stored */
export async function startDiskServer(state: string, { fsync = false } = {}): Promise<DiskServer> {
  // A socket's path has at most 108 bytes, which the state folder's may exceed. Only the owner can enter this folder.
  const folder = mkdtempSync(join(tmpdir(), "cairn-disk-"));
  const socket = join(folder, "socket");
  let isStopped = false;
  let thread: Worker;
  const start = async (): Promise<void> => {
    rmSync(socket, { force: true });
    const options: ServerOptions = { state, socket, fsync };
    thread = new Worker(join(import.meta.dirname, "server.ts"), { workerData: options });
    const listening = new Promise<void>((resolve, reject) => {
      thread.once("message", () => resolve());
      thread.once("error", reject);
      thread.once("exit", () => reject(new Error("the disk store ended")));
    });
    await listening;
    // The runtime keeps the process alive, not this thread.
    thread.unref();
    thread.on("error", (error) => console.error(`cairn: the disk store failed: ${String(error)}`));
    thread.once("exit", () => {
      if (!isStopped) setTimeout(() => void start().catch((error: unknown) => console.error(error)), RESTART_PAUSE_MS);
    });
  };
  const stop = async (): Promise<void> => {
    isStopped = true;
    await thread.terminate();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { binding: { external: { address: `unix:${socket}`, http: {} } }, stop };
}

/** Deletes uploads that an earlier server did not complete. Call it while the state folder is locked. */
export function deleteIncompleteUploads(state: string): void {
  const { incoming } = layoutOf(state);
  rmSync(incoming, { recursive: true, force: true });
}

/** Whether a folder has entries. */
export function hasEntries(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    // It does not exist.
    return false;
  }
}
