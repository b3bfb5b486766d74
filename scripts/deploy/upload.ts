// Uploads the Worker, with new secrets when it has not all of its own yet. The secrets pass through a file that only
// this user can read and that is gone when wrangler is done; they are never on a command line.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWrangler } from "./wrangler.ts";

/** Deploys the Worker, sets new secrets, and returns the addresses at which it answers. */
export async function uploadWorker(newSecrets: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-deploy-"));
  try {
    const report = join(folder, "report.ndjson");
    const secrets = join(folder, "secrets.json");
    const hasSecrets = Object.keys(newSecrets).length > 0;
    if (hasSecrets) writeFileSync(secrets, JSON.stringify(newSecrets), { mode: 0o600, flag: "wx" });
    await runWrangler(["deploy", ...(hasSecrets ? ["--secrets-file", secrets] : [])], {
      questions: true,
      environment: { WRANGLER_OUTPUT_FILE_PATH: report },
    });
    return existsSync(report) ? deployedTargets(readFileSync(report, "utf8")) : [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function deployedTargets(report: string): readonly string[] {
  for (const line of report.split("\n").filter((line) => line.trim() !== "")) {
    const entry: unknown = JSON.parse(line);
    const targets: unknown = Reflect.get(Object(entry), "targets");
    // A target is an address, or the pattern of a route or of a schedule.
    if (Array.isArray(targets)) return targets.map(String).filter((target) => target.startsWith("https:"));
  }
  return [];
}
