// `npm start`: serves Cairn on this machine until it receives a signal.
import { enableCompileCache } from "node:module";
import { USAGE, UsageError, readOptions } from "./serve/options.ts";

/**
 * npm forwards a Ctrl-C that the terminal already sent to this process. A second signal within this time is the same
 * one.
 */
const SAME_CTRL_C_MS = 300;
const PARENT_CHECK_MS = 250;

let stopServer: (() => Promise<void>) | undefined;
let stoppingSince: number | undefined;

async function stop(): Promise<void> {
  if (stoppingSince !== undefined) {
    if (performance.now() - stoppingSince > SAME_CTRL_C_MS) process.exit(130);
    return;
  }
  stoppingSince = performance.now();
  await stopServer?.();
  process.exit(0);
}

/**
 * npm runs a script through a shell and forwards signals only to that shell, and some shells exit without forwarding
 * them. Stop when the shell has exited.
 */
function stopWithNpm(): void {
  const shell = process.ppid;
  if (process.env["npm_lifecycle_event"] !== "start") return;
  const check = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(check);
    void stop();
  }, PARENT_CHECK_MS);
}

async function start(): Promise<void> {
  const { help, ...where } = readOptions(process.argv.slice(2), process.env);
  if (help) {
    console.log(USAGE);
    return;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop());
  stopWithNpm();

  // Miniflare is 5 MB of JavaScript, so load it only to serve and cache its compiled code.
  enableCompileCache();
  const { serveLocally } = await import("./serve/locally.ts");
  stopServer = await serveLocally(where);
}

try {
  await start();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : `cairn: ${message}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
