// boto3: Debian's, and a newer one where the machine has it. The checks themselves are Python's.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, type Suite } from "./harness.ts";
import { LISTING_BUCKET, LISTING_KEYS } from "./listing-fixture.ts";
import { ODD_KEYS, UNPRINTABLE_KEYS } from "./odd-keys.ts";
import { describe, runCommand } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newFolder, type Site } from "./site.ts";

const TIMEOUT_MS = 180_000;
const SCRIPTS = join(import.meta.dirname, "python");

/** A Python that has boto3. */
export interface Boto3 {
  readonly python: string;
  readonly version: string;
}

/** The version of a Python's boto3; undefined if it has none. */
export async function findBoto3(site: Site, python: string): Promise<Boto3 | undefined> {
  const env = clientEnvironment(site, newFolder(site, "python"));
  const script = "import sys, boto3; print(sys.executable, boto3.__version__)";
  const { code, stdout } = await runCommand(python, ["-c", script], { env }).catch(() => ({ code: 1, stdout: "" }));
  const [executable = "", version = ""] = stdout.trim().split(" ");
  return code === 0 ? { python: executable, version } : undefined;
}

/** boto3's checks at one endpoint. */
export function boto3(site: Site, endpoint: Endpoint, found: Boto3): Suite {
  const client = `boto3 ${found.version} (${endpoint.scheme})`;
  return {
    client,
    async run(report) {
      try {
        await runPython(site, endpoint, found, { script: "run.py" }, ({ name, passed, reason, seconds }) => {
          if (passed) report.passed(client, name, seconds);
          else report.failed(client, name, reason, seconds);
        });
      } catch (error) {
        report.failed(client, "the checks run to their end", reasonOf(error), 0);
      }
    },
  };
}

/**
 * Runs one of the scripts of checks.
 * @param more further arguments of the script
 * @throws Error if it ends early
 */
export async function runPython(
  site: Site,
  endpoint: Endpoint,
  { python }: Boto3,
  { script, more = {} }: { readonly script: string; readonly more?: object },
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  const folder = newFolder(site, "boto3");
  const siteFile = join(folder, "site.json");
  writeFileSync(siteFile, JSON.stringify({ ...pythonSite(site, endpoint, folder), ...more }));
  let isFinished = false;
  const result = await runCommand(python, [join(SCRIPTS, script), siteFile], {
    env: clientEnvironment(site, folder),
    timeoutMs: TIMEOUT_MS,
    onLine(line) {
      const outcome = parseOutcome(line);
      if (outcome.finished === undefined) onOutcome(outcome);
      else isFinished = true;
    },
  });
  if (!isFinished) throw new Error(describe(result));
}

function pythonSite(site: Site, endpoint: Endpoint, scratch: string) {
  return {
    endpoint: endpoint.url,
    caFile: site.caFile,
    region: site.region,
    ...site.credentials,
    root: site.root,
    scratch,
    bodies: site.bodies,
    mebibyte: site.mebibyte,
    medium: site.medium,
    large: site.large,
    oddKeys: ODD_KEYS,
    unprintableKeys: UNPRINTABLE_KEYS,
    listingBucket: LISTING_BUCKET,
    listingKeys: LISTING_KEYS,
  };
}

/** The outcome of a check. */
export interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly reason: string;
  readonly seconds: number;
  readonly finished: unknown;
}

function parseOutcome(line: string): Outcome {
  const outcome: unknown = JSON.parse(line);
  const field = (name: string): unknown =>
    typeof outcome === "object" && outcome !== null ? Reflect.get(outcome, name) : undefined;
  return {
    name: String(field("name")),
    passed: field("passed") === true,
    reason: String(field("reason")),
    seconds: Number(field("seconds")),
    finished: field("finished"),
  };
}
