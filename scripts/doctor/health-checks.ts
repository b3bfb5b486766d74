// What the endpoint says of itself at /_/health, and what its answers say of its clock.
import { bad, good, skipped, warning, type Finding } from "./findings.ts";
import type { Wire } from "./wire.ts";

/** An S3 client's signature is refused when the clocks are further apart. */
const SKEW_MS = 15 * 60_000;
/** Three runs of the schedule. */
const CRON_MS = 15 * 60_000;
const GIB = 1024 ** 3;

export interface HealthOptions {
  readonly newestMigration: string | undefined;
  readonly databaseLimit: number;
  readonly now: () => number;
}

/** Checks what needs no credentials. */
export async function checkHealth(wire: Wire, options: HealthOptions): Promise<Finding[]> {
  const sent = options.now();
  const answer = await wire.send({ method: "GET", target: "/_/health", isUnsigned: true });
  const findings = [clockFinding(answer.headers.date, sent)];
  const health = parse(answer.body.toString());
  if (health === undefined) {
    const isHtml = String(answer.headers["content-type"]).includes("html");
    findings.push(
      bad(
        "health",
        `/_/health answers ${answer.status} with ${isHtml ? "a page of HTML" : "something that is not Cairn's"}`,
        isHtml
          ? "Something before the Worker answers in its place: turn Bot Fight Mode and Browser Integrity Check off for this host, and take it out of Cloudflare Access and managed challenges."
          : "Is this the address of a Cairn? The path /_/health must reach the Worker.",
      ),
    );
    return findings;
  }
  return [
    ...findings,
    bindingsFinding(health),
    schemaFinding(health, options),
    cronFinding(health, options.now()),
    sizeFinding(health, options.databaseLimit),
    settingsFinding(health),
  ];
}

function clockFinding(date: string | undefined, now: number): Finding {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return skipped("clock", "answers have no Date header to compare with");
  const minutes = Math.round((theirs - now) / 6000) / 10;
  if (Math.abs(theirs - now) < 60_000) return good("clock", "this machine's clock and the endpoint's agree");
  const found = `this machine's clock is ${Math.abs(minutes)} minutes ${minutes > 0 ? "behind" : "ahead of"} the endpoint's`;
  const remedy = "Set this machine's clock (NTP): signatures are refused with RequestTimeTooSkewed past 15 minutes.";
  return Math.abs(theirs - now) >= SKEW_MS ? bad("clock", found, remedy) : warning("clock", found, remedy);
}

function bindingsFinding({ bindings }: Health): Finding {
  const missing = Object.entries(Object(bindings)).flatMap(([name, isReached]) => (isReached === true ? [] : [name]));
  if (missing.length === 0) return good("bindings", "D1, R2 and the coordinators are reached");
  return bad(
    "bindings",
    `the Worker does not reach ${missing.join(", ")}`,
    "Deploy again (npm run deploy), and look at https://www.cloudflarestatus.com.",
  );
}

function schemaFinding({ schema }: Health, { newestMigration }: HealthOptions): Finding {
  if (typeof schema !== "string") {
    return bad("schema", "the database has no schema", "Run npm run deploy, which applies the migrations.");
  }
  if (newestMigration === undefined || schema === newestMigration)
    return good("schema", `the database is at ${schema}`);
  return schema < newestMigration
    ? warning(
        "schema",
        `the database is at ${schema}, this checkout at ${newestMigration}`,
        "Deploy this release: npm run deploy.",
      )
    : warning(
        "schema",
        `the database is at ${schema}, this checkout only at ${newestMigration}`,
        "Update this checkout: git pull && npm ci.",
      );
}

function cronFinding({ lastCron }: Health, now: number): Finding {
  const last = typeof lastCron === "string" ? Date.parse(lastCron) : Number.NaN;
  const remedy =
    "Look at the Worker's cron triggers and at the errors in its log (npx wrangler tail): without them nothing is collected, expired or scrubbed.";
  if (Number.isNaN(last))
    return warning("schedule", "no scheduled job has run yet", `It runs every five minutes. ${remedy}`);
  const minutes = Math.round((now - last) / 60_000);
  if (now - last <= CRON_MS) return good("schedule", `a scheduled job ran ${minutes} minutes ago`);
  // Jobs that are due every hour are the most frequent ones.
  if (now - last <= 90 * 60_000)
    return good("schedule", `a scheduled job ran ${minutes} minutes ago; hourly ones are the most frequent`);
  return bad("schedule", `the last scheduled job ran ${minutes} minutes ago`, remedy);
}

function sizeFinding({ databaseBytes }: Health, limit: number): Finding {
  if (typeof databaseBytes !== "number") return skipped("database size", "the endpoint does not say");
  const percent = Math.round((databaseBytes / limit) * 100);
  const found = `${(databaseBytes / GIB).toFixed(2)} GiB, ${percent} % of what D1 takes`;
  const remedy =
    "Past the limit every write fails and reads go on. Expire old versions and abandoned uploads by lifecycle rules, or delete objects (docs/questions.md).";
  if (percent >= 95) return bad("database size", found, remedy);
  return percent >= 80 ? warning("database size", found, remedy) : good("database size", found);
}

function settingsFinding({ misconfigured }: Health): Finding {
  const names = Array.isArray(misconfigured) ? misconfigured.map(String) : [];
  if (names.length === 0) return good("settings", "all settings are understood");
  return bad(
    "settings",
    `these settings are not understood: ${names.join(", ")}`,
    "README lists what each can be; the Worker's log says what is wrong with it.",
  );
}

type Health = Readonly<Record<string, unknown>>;

function parse(text: string): Health | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "bindings" in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
