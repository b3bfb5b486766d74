// s3rver, a well-known S3 server for development, as a peer of the benchmark and as a foreign store of imports. It is installed on first use into a folder
// outside of the project, because it has dependencies with advisories that no dependency of Cairn should bring.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Target } from "./target.ts";
import { temporaryState } from "../temporary-state.ts";

const VERSION = "3.7.1";
const FOLDER = join(tmpdir(), `cairn-bench-s3rver-${VERSION}`);
const ENTRY = join(FOLDER, "node_modules", "s3rver", "bin", "s3rver.js");
const KEY = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
const START_MS = 15_000;

/** A running server. */
export interface S3rver {
  readonly url: string;
  readonly key: typeof KEY;
  readonly pid: () => number | undefined;
  readonly stop: () => void;
}

/** Starts the server as a target of the benchmark. */
export async function startS3rver(maxListedKeys: number): Promise<{ target: Target; stop: () => void }> {
  const { url, key, pid, stop } = await launchS3rver();
  return { target: new Target({ name: "s3rver", url, key, pid, maxListedKeys }), stop };
}

/** Starts the server on a free port. Rejects if it cannot be installed or started. */
export async function launchS3rver(): Promise<S3rver> {
  install();
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      "--no-deprecation",
      ENTRY,
      "--directory",
      temporaryState(),
      "--port",
      String(port),
      "--address",
      "127.0.0.1",
      "--silent",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  process.on("exit", () => child.kill());
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + START_MS; !(await answers(url)); await pause(100)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error("s3rver did not start");
  }
  return { url, key: KEY, pid: () => child.pid, stop: () => void child.kill() };
}

function install(): void {
  if (existsSync(ENTRY)) return;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "package.json"), "{}");
  const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
  const { status } = spawnSync("npm", ["install", ...options, `s3rver@${VERSION}`], { cwd: FOLDER, stdio: "inherit" });
  if (status !== 0) throw new Error("npm could not install s3rver");
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
