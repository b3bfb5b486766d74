// Runs other programs with a time limit, and ends all that are still running.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createReadStream } from "node:fs";

const DEFAULT_TIMEOUT_MS = 180_000;
const SHOWN_OUTPUT_CHARACTERS = 1500;

export interface CommandOptions {
  /** The whole environment of the program; the caller's own is not inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A file whose bytes are the program's input; none otherwise. */
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** Ends the program. */
  readonly signal?: AbortSignal;
  /** Receives each line of the output as it arrives. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** The command line, for messages. */
  readonly command: string;
  /** Undefined where the program was ended by a signal, as it is at the time limit. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

/** Runs a program to its end, or to the time limit. */
export async function runCommand(
  program: string,
  argumentList: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { env, cwd, stdin, timeoutMs = DEFAULT_TIMEOUT_MS, signal, onLine } = options;
  const child = spawn(program, argumentList, {
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    // A group of its own, so that what the program starts can be ended with it.
    detached: true,
  });
  running.add(child);
  const timer = setTimeout(() => endGroup(child), timeoutMs);
  signal?.addEventListener("abort", () => endGroup(child), { once: true });
  try {
    if (stdin !== undefined && child.stdin !== null) {
      // A program that stops reading early says why by its exit code.
      child.stdin.on("error", () => undefined);
      createReadStream(stdin).pipe(child.stdin);
    }
    const [code, stdout, stderr] = await Promise.all([
      exitOf(child),
      textOf(child.stdout, onLine),
      textOf(child.stderr),
    ]);
    return { command: [program, ...argumentList].join(" "), code, stdout, stderr };
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

/** The arguments of a command line that has no spaces in any of them. */
export function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Runs a program that must succeed, and returns its output. */
export async function outputOf(
  program: string,
  argumentList: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const result = await runCommand(program, argumentList, options);
  assert.equal(result.code, 0, describe(result));
  return result.stdout;
}

/** A program's command, exit and output, for the message of a check. */
export function describe({ command, code, stdout, stderr }: CommandResult): string {
  const output = `${stderr.trim()}\n${stdout.trim()}`.trim().slice(0, SHOWN_OUTPUT_CHARACTERS);
  return `${command.slice(0, SHOWN_OUTPUT_CHARACTERS)}\nended with ${code ?? "a signal"}: ${output}`;
}

/** Ends every program that is still running. */
export function endRunningCommands(): void {
  for (const child of running) endGroup(child);
}

/** Ends a child that leads a group, and the group with it. */
export function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

function exitOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? undefined));
  });
}

async function textOf(stream: NodeJS.ReadableStream | null, onLine?: (line: string) => void): Promise<string> {
  let text = "";
  let seen = 0;
  stream?.setEncoding("utf8");
  for await (const piece of stream ?? []) {
    text += String(piece);
    if (onLine === undefined) continue;
    for (let end = text.indexOf("\n", seen); end >= 0; end = text.indexOf("\n", seen)) {
      onLine(text.slice(seen, end));
      seen = end + 1;
    }
  }
  return text;
}
