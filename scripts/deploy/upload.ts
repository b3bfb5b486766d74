// Uploads the Worker with wrangler, with new secrets where it has not all of its own. The secrets pass through a file
// that only this user can read; they are never on a command line.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WranglerToml } from "../project/wrangler-toml.ts";
import { type Identifiers, removeConfiguration, writeConfiguration } from "./configuration.ts";
import { DeployFailure } from "./failure.ts";
import type { Secrets } from "./secrets.ts";
import { askWrangler } from "./wrangler.ts";

/** What became of an upload. */
export interface Uploaded {
  readonly plan: "paid" | "free";
  /** The addresses at which the Worker answers. */
  readonly endpoints: readonly string[];
}

/** The code of the answer to limits on the Free plan. */
const LIMITS_REFUSED = /\b100328\b/;

/** Uploads and deploys the Worker; without limits where the plan refuses them. */
export async function uploadWorker(toml: WranglerToml, ids: Identifiers, secrets: Secrets): Promise<Uploaded> {
  const paid = await tryUpload(toml, ids, secrets, "paid");
  if (paid.failure === undefined) return { plan: "paid", endpoints: paid.endpoints };
  if (!LIMITS_REFUSED.test(paid.failure)) throw uploadFailed(toml.name, paid.failure);
  const free = await tryUpload(toml, ids, secrets, "free");
  if (free.failure !== undefined) throw uploadFailed(toml.name, free.failure);
  return { plan: "free", endpoints: free.endpoints };
}

function uploadFailed(name: string, output: string): DeployFailure {
  return new DeployFailure(
    `Wrangler could not deploy the Worker ${name} (${reasonIn(output)}). What was made so far is kept: run this again when the cause is mended.`,
    output,
  );
}

/** Wrangler's first error as one line. */
function reasonIn(output: string): string {
  const [, text = "see its output above"] = output.split("[ERROR]");
  const [reason = ""] = text.split(/If you think this is a bug|\n\s*🪵/u);
  return reason.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}

async function tryUpload(
  toml: WranglerToml,
  ids: Identifiers,
  secrets: Secrets,
  plan: "paid" | "free",
): Promise<{ failure: string | undefined; endpoints: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-deploy-"));
  try {
    const report = join(folder, "report.ndjson");
    const file = join(folder, "secrets.json");
    const hasSecrets = Object.keys(secrets).length > 0;
    if (hasSecrets) writeFileSync(file, JSON.stringify(secrets), { mode: 0o600, flag: "wx" });
    // By default wrangler leaves running Durable Objects their old code for five minutes.
    const update = toml.durableObjects.length === 0 ? [] : ["--durable-objects-code-update-mode", "immediate"];
    const config = writeConfiguration(toml, ids, plan);
    const { ok, stdout, stderr } = await askWrangler(
      ["deploy", "--config", config, ...update, ...(hasSecrets ? ["--secrets-file", file] : [])],
      { WRANGLER_OUTPUT_FILE_PATH: report, CLOUDFLARE_ACCOUNT_ID: ids.accountId },
    );
    const endpoints = existsSync(report) ? deployedEndpoints(readFileSync(report, "utf8")) : [];
    return { failure: ok ? undefined : `${stdout}${stderr}`, endpoints };
  } finally {
    removeConfiguration();
    rmSync(folder, { recursive: true, force: true });
  }
}

function deployedEndpoints(report: string): readonly string[] {
  for (const line of report.split("\n").filter((line) => line.trim() !== "")) {
    const entry: unknown = JSON.parse(line);
    const targets: unknown = Reflect.get(Object(entry), "targets");
    // A target is an address, or the pattern of a route or of a schedule.
    if (Array.isArray(targets)) return targets.map(String).filter((target) => target.startsWith("https:"));
  }
  return [];
}
