// Runs the project's own wrangler for the deployment, without prompts, and captures its output.
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { UNREAD } from "./declared.ts";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";

export interface WranglerResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const WRANGLER = join(PROJECT_ROOT, "node_modules", "wrangler", "bin", "wrangler.js");

/** Runs wrangler and captures its output. Without a terminal, wrangler prompts for nothing. */
export async function askWrangler(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<WranglerResult> {
  const child = spawn(process.execPath, [WRANGLER, ...args], {
    cwd: PROJECT_ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    // No banner: drawing it asks the npm registry for a newer wrangler. No log file: it would hold the API's answers.
    env: {
      ...process.env,
      ...UNREAD,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_WRITE_LOGS: "false",
      NO_COLOR: "1",
      ...environment,
    },
  });
  const [stdout, stderr, ok] = await Promise.all([read(child.stdout), read(child.stderr), ended(child)]);
  return { ok, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
}

async function read(stream: Readable | null): Promise<string> {
  return stream === null ? "" : text(stream);
}

/** Waits for wrangler through signals that would end this process: what it leaves behind must be cleared away first. */
async function ended(child: ReturnType<typeof spawn>): Promise<boolean> {
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
