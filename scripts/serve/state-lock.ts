// Keeps two servers off one state folder: each would run its own runtime over the same database files.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, unlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Takes a state folder, making it if need be, and returns what gives it back. The lock is a socket that listens: unlike
 * a file with a process id in it, it is gone when its holder is, however that ended.
 */
export async function lockState(state: string): Promise<() => void> {
  mkdirSync(state, { recursive: true });
  const name = `cairn-${createHash("sha256").update(realpathSync(state)).digest("hex").slice(0, 24)}`;
  // Not inside the folder: a socket's path may have 104 bytes at most.
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
  if (await isAnswered(path)) throw new Error(`the state folder ${state} is in use by another server`);
  // Left by a server that was killed. NOTE: not rmSync, which on a socket leaves Node 24.9 unable to import CommonJS modules.
  if (process.platform !== "win32" && existsSync(path)) unlinkSync(path);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  server.unref();
  return () => {
    server.close();
  };
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
