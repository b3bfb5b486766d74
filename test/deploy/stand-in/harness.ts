// Runs `npm run deploy` as a separate process, with the real wrangler, against the stand-in of Cloudflare's API.
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { TOKEN, type StandIn } from "./cloudflare.ts";

const ROOT = resolve(import.meta.dirname, "..", "..", "..");

export interface Outcome {
  /** Null: the process was killed. */
  readonly code: number | null;
  readonly output: string;
}

/** A project folder of its own, with a wrangler.toml that can be edited. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-project-"));
  #runs = 0;

  constructor() {
    for (const name of ["src", "migrations", "node_modules", "package.json"])
      symlinkSync(join(ROOT, name), join(this.folder, name));
    // Every checkout has this folder, which wrangler needs.
    mkdirSync(join(this.folder, "dist", "console"), { recursive: true });
    this.edit(() => readFileSync(join(ROOT, "wrangler.toml"), "utf8"));
    this.editDelivery(() => readFileSync(join(ROOT, "wrangler.delivery.toml"), "utf8"));
  }

  get toml(): string {
    return this.#read("wrangler.toml");
  }

  edit(change: (toml: string) => string): void {
    writeFileSync(join(this.folder, "wrangler.toml"), change(this.toml));
  }

  editDelivery(change: (toml: string) => string): void {
    const name = "wrangler.delivery.toml";
    writeFileSync(join(this.folder, name), change(this.#read(name)));
  }

  #read(name: string): string {
    const file = join(this.folder, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** A path for --credentials-file that nothing has been written to. */
  newCredentialsFile(): string {
    this.#runs += 1;
    return join(this.folder, `credentials-${this.#runs}`);
  }

  /** The files that a deployment added to the folder. */
  leftovers(): string[] {
    const known = new Set([
      "src",
      "migrations",
      "node_modules",
      "package.json",
      "wrangler.toml",
      "wrangler.delivery.toml",
      "dist",
      ".wrangler",
      ".config",
    ]);
    return readdirSync(this.folder).filter((name) => !known.has(name) && !name.startsWith("credentials-"));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Receives the process once it runs, so that a test can kill it. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Deploys with a credentials file, which is how a deployment is run where there is no terminal. */
export async function deploy(
  standIn: StandIn,
  project: Project,
  options: RunOptions = {},
): Promise<Outcome & { credentialsFile: string }> {
  const credentialsFile = project.newCredentialsFile();
  const args = ["--credentials-file", credentialsFile, ...(options.args ?? [])];
  return { ...(await runScript(standIn, project, { ...options, args })), credentialsFile };
}

/** Runs `scripts/deploy.ts` with exactly these arguments. */
export async function runScript(standIn: StandIn, project: Project, options: RunOptions): Promise<Outcome> {
  return run([join(ROOT, "scripts", "deploy.ts"), ...(options.args ?? [])], standIn, project, options);
}

/** Runs the project's wrangler. */
export async function runWrangler(standIn: StandIn, project: Project, args: readonly string[]): Promise<Outcome> {
  return run([join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"), ...args], standIn, project, {});
}

async function run(args: readonly string[], standIn: StandIn, project: Project, options: RunOptions): Promise<Outcome> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that a kill reaches wrangler too.
    detached: true,
    env: { ...environment(standIn, project), ...options.environment },
  });
  options.onStart?.(child);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once("close", resolve)),
  ]);
  return { code, output: stdout + stderr };
}

/** The environment of a deployment: the stand-in's address and login, and nothing of this machine's own. */
export function environment(standIn: StandIn, project: Project): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: project.folder,
    CAIRN_PROJECT_ROOT: project.folder,
    CLOUDFLARE_API_BASE_URL: standIn.url,
    CLOUDFLARE_API_TOKEN: TOKEN,
    // Wrangler would else remember an account of an earlier rehearsal.
    WRANGLER_CACHE_DIR: join(project.folder, ".wrangler", "cache"),
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
  };
}

/** Kills a deployment together with the wrangler that it may be running. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, "SIGKILL");
}

/** The lines of a credentials file. */
export function readCredentials(file: string): Record<string, string> {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}
