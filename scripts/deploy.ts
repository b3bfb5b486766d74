// `npm run deploy`: puts Cairn into the person's Cloudflare account, the first time and every time after. Each step finds
// out what is there already, so a deployment that stopped half-way is run again as it is.
import { parseArgs } from "node:util";
import { ACCESS_KEY_ID, type Credentials, makeCredentials, SECRET_ACCESS_KEY } from "./project/credentials.ts";
import { makeMasterKey, MASTER_KEY } from "./project/master-key.ts";
import { readWranglerToml } from "./project/wrangler-toml.ts";
import { ensureBucket, ensureDatabase, ownSecrets, requireLogin } from "./deploy/account.ts";
import { uploadWorker } from "./deploy/upload.ts";
import { runWrangler } from "./deploy/wrangler.ts";
import { misspeltSettings, SETTINGS } from "../src/config/settings.ts";

const USAGE = `Usage: npm run deploy -- [--dry-run]

Deploys Cairn to the Cloudflare account that wrangler is logged in to.

  --dry-run   say what would be done and build the Worker; nothing is sent
  --help      this text`;

interface Step {
  readonly title: string;
  readonly run: () => Promise<void>;
}

const toml = readWranglerToml();
const newSecrets: Record<string, string> = {};

const steps: readonly Step[] = [
  { title: "check that wrangler is logged in", run: requireLogin },
  {
    title: `make the D1 database ${toml.d1.databaseName} unless it is there`,
    run: () => ensureDatabase(toml.d1.databaseName),
  },
  { title: `make the R2 bucket ${toml.r2.bucketName} unless it is there`, run: () => ensureBucket(toml.r2.bucketName) },
  {
    // Migrations only ever add what the Worker that is still running does not know of.
    title: "apply the migrations that the database has not had, before the new Worker takes requests",
    run: () => runWrangler(["d1", "migrations", "apply", toml.d1.binding, "--remote"]),
  },
  {
    title: "make root credentials and a master key unless the Worker has them",
    run: async () => {
      const { hasRootCredentials, hasMasterKey } = await ownSecrets(toml.name);
      // They are shown before they are sent: a deployment that fails late has set them, and nothing can read them back.
      if (!hasRootCredentials) showRootCredentials(makeCredentials());
      if (!hasMasterKey) showMasterKey(makeMasterKey());
    },
  },
  {
    title: `deploy the Worker ${toml.name}, with what is new of these as secrets`,
    run: async () => printNextSteps(await uploadWorker(newSecrets)),
  },
];

function showRootCredentials({ accessKeyId, secretAccessKey }: Credentials): void {
  Object.assign(newSecrets, { [ACCESS_KEY_ID]: accessKeyId, [SECRET_ACCESS_KEY]: secretAccessKey });
  console.log(`
  Root credentials, shown this once:
    access key id      ${accessKeyId}
    secret access key  ${secretAccessKey}
  They are valid when the deployment is done. If it fails, the next one may make others.
`);
}

function showMasterKey(key: string): void {
  newSecrets[MASTER_KEY] = key;
  console.log(`
  Master key, shown this once:
    ${key}
  The secrets of users' access keys are stored under it. Keep a copy where the database's backups are not: without it they
  are lost, and it is asked for when another one takes its place.
`);
}

function printNextSteps(targets: readonly string[]): void {
  const [endpoint = "the address that wrangler printed"] = targets;
  console.log(`
Cairn is deployed.

  endpoint   ${endpoint}
  region     ${toml.vars["REGION"] ?? SETTINGS.REGION.default}
  try it     aws --endpoint-url ${targets[0] ?? "ENDPOINT"} s3 mb s3://my-bucket

On workers.dev it works as it is. On a domain of your own, turn off "Normalize incoming URLs" in the zone's Rules settings,
or keys with // or with . and .. between slashes cannot be reached; and a request's body is limited by the zone's plan (100 MB
on Free and Pro), so larger objects are uploaded in parts, as the usual clients do by themselves.`);
}

async function deploy(): Promise<void> {
  for (const { title, run } of steps) {
    console.log(`> ${title}`);
    await run();
  }
}

async function rehearse(): Promise<void> {
  for (const { title } of steps) console.log(`> would ${title}`);
  console.log("\nNothing was sent. The Worker is built as it would be deployed:\n");
  await runWrangler(["deploy", "--dry-run"]);
}

function readFlags(): { "dry-run"?: boolean; help?: boolean } {
  try {
    return parseArgs({ options: { "dry-run": { type: "boolean" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const flags = readFlags();
try {
  const misspelt = misspeltSettings(toml.vars);
  if (flags.help) console.log(USAGE);
  else if (misspelt.length > 0) throw new Error(`[vars] of wrangler.toml: ${misspelt.join("; ")}`);
  else await (flags["dry-run"] ? rehearse() : deploy());
} catch (error) {
  console.error(`deploy: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
