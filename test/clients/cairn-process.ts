// Cairn as a separate process, started by the script of `npm start` on a free port.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { makeMasterKey } from "../../scripts/project/master-key.ts";
import { endGroup } from "./run-command.ts";
import type { Credentials } from "./site.ts";

const START_SCRIPT = resolve(import.meta.dirname, "..", "..", "scripts", "start.ts");
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
/** One key for all, so that a restarted server decrypts what was encrypted before. */
const MASTER_KEY = makeMasterKey();

export interface CairnOptions {
  /** The state folder. */
  readonly state: string;
  readonly credentials: Credentials;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface CairnProcess {
  /** The endpoint, without a trailing slash. */
  readonly url: string;
  /** Everything it has printed so far. */
  output(): string;
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>;
  /** Ends it and its runtime at once, as a power cut would. */
  kill(): Promise<void>;
}

const living = new Set<ChildProcess>();

/** Starts Cairn and waits until it is ready. */
export async function startCairn({ state, credentials, settings = {} }: CairnOptions): Promise<CairnProcess> {
  const child = spawn(process.execPath, [START_SCRIPT, "--port", "0", "--state", state], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(state, ".."),
      CAIRN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
      CAIRN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      CAIRN_MASTER_KEY: MASTER_KEY,
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  living.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "close").then(() => {
    living.delete(child);
  });
  const url = await readyUrl(child, () => output);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    // Only the process gets the signal; it stops the runtime itself.
    if (signal === "SIGKILL") endGroup(child);
    else child.kill(signal);
    const timer = setTimeout(() => endGroup(child), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  };
  return { url, output: () => output, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

/** Ends every Cairn that is still running. */
export function endRunningCairns(): void {
  for (const child of living) endGroup(child);
}

function readyUrl(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail("was not ready in time"), START_TIMEOUT_MS);
    const look = (): void => {
      const url = /^ready (http:\/\/\S+)$/m.exec(output())?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      child.stdout?.off("data", look);
      resolve(url);
    };
    const fail = (what: string): void => {
      clearTimeout(timer);
      endGroup(child);
      reject(new Error(`Cairn ${what}\n${output()}`));
    };
    child.stdout?.on("data", look);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`ended with ${code ?? "a signal"} before it was ready`));
  });
}
