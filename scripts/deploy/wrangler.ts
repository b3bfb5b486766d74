// The one way in which the deployment runs wrangler: the project's own, or a stand-in that CAIRN_WRANGLER names for a rehearsal.
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";

export interface WranglerResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs wrangler and keeps what it says; it is asked nothing, as it sees no terminal. */
export async function askWrangler(...args: readonly string[]): Promise<WranglerResult> {
  const child = start(args, ["ignore", "pipe", "pipe"]);
  const [stdout, stderr, ok] = await Promise.all([read(child.stdout), read(child.stderr), ended(child)]);
  return { ok, stdout, stderr };
}

/** Runs wrangler on this terminal and rejects when it fails. With `questions` it may ask the person something. */
export async function runWrangler(
  args: readonly string[],
  { questions = false, environment = {} }: { questions?: boolean; environment?: Record<string, string> } = {},
): Promise<void> {
  const ok = await ended(start(args, [questions ? "inherit" : "ignore", "inherit", "inherit"], environment));
  if (!ok) throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed`);
}

async function read(stream: Readable | null): Promise<string> {
  return stream === null ? "" : text(stream);
}

type Stdio = "ignore" | "inherit" | "pipe";

function start(args: readonly string[], stdio: Stdio[], environment: Record<string, string> = {}) {
  const wrangler =
    process.env["CAIRN_WRANGLER"] ?? join(PROJECT_ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  return spawn(process.execPath, [wrangler, ...args], {
    cwd: PROJECT_ROOT,
    stdio,
    // No banner: drawing it asks the npm registry for a newer wrangler.
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", ...environment },
  });
}

/** Waits for wrangler through signals that would end this process: what it leaves behind must be cleared away first. */
async function ended(child: ReturnType<typeof start>): Promise<boolean> {
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code === 0));
    });
  } finally {
    process.off("SIGINT", pass).off("SIGTERM", pass);
  }
}
