// `npm start`: serves Cairn on this machine until it is told to stop.
import { enableCompileCache } from "node:module";
import { USAGE, UsageError, readOptions } from "./serve/options.ts";

/** npm passes a Ctrl-C on to a process that has had it from the terminal already: within this time it is the same one. */
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
 * npm runs a script through a shell and passes signals on to that shell alone, which some shells do not survive and do not
 * hand down: when it is gone, npm has been told to stop.
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
  const { help, ...where } = readOptions(process.argv.slice(2));
  if (help) {
    console.log(USAGE);
    return;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop());
  stopWithNpm();

  // Miniflare is 5 MB of JavaScript: compiled once and loaded only when there is something to serve.
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
