// `npm run deploy`: puts Cairn into a Cloudflare account, the first time and every time after. All that can be checked is
// checked before anything is made; each stage finds existing resources, so a stopped deployment can run again.
import { join } from "node:path";
import { type Found, chooseAccount, examine } from "./deploy/account.ts";
import { type Api, connect } from "./deploy/api.ts";
import { type DeliveryPlan, deliverySecrets, planDelivery } from "./deploy/delivery.ts";
import type { Identifiers } from "./deploy/configuration.ts";
import { readDeclared } from "./deploy/declared.ts";
import { DeployFailure, explain } from "./deploy/failure.ts";
import { askForLocation, rememberLocation } from "./deploy/location.ts";
import { type DeployOptions, USAGE, readOptions } from "./deploy/options.ts";
import { say, stage } from "./deploy/progress.ts";
import { makeResources } from "./deploy/resources.ts";
import {
  migrateWithWrangler,
  pendingMigrations,
  readRemoteSchema,
  requireOwnSchema,
  schemaDifferences,
} from "./deploy/schema.ts";
import {
  type Handover,
  PendingSecrets,
  type Secrets,
  chooseHandover,
  givenSecrets,
  missingSecrets,
  requireHandover,
} from "./deploy/secrets.ts";
import { consoleLink } from "./deploy/console-link.ts";
import { type Delivered, nextSteps } from "./deploy/next-steps.ts";
import { requireWhatDataNeeds } from "./deploy/stored-data.ts";
import { type Uploaded, uploadWorker } from "./deploy/upload.ts";
import { waitForOwnMigrations } from "./deploy/own-migrations.ts";
import { askWrangler } from "./deploy/wrangler.ts";
import { buildConsole } from "./project/console-files.ts";
import { readDeliveryToml } from "./project/delivery-toml.ts";
import { PROJECT_ROOT, type WranglerToml } from "./project/wrangler-toml.ts";
import { bundleWorker } from "./serve/bundle.ts";
import { SETTINGS } from "../src/config/settings.ts";
import { misspeltSettings } from "../src/config/setting-problems.ts";

async function deploy(options: DeployOptions, toml: WranglerToml): Promise<void> {
  const isTerminal = process.stdout.isTTY && process.stdin.isTTY;
  const isBuildService = process.env["WORKERS_CI"] !== undefined;
  const handover = chooseHandover(options.credentialsFile, { isTerminal, environment: process.env });
  const { api, found, missing, given, delivery, hasSmallBlobs } = await stage("look at the account", () =>
    check(toml, handover, isBuildService),
  );
  const { account } = found;
  const inAccount = api.below(`/accounts/${account.id}`);
  say(`  account ${account.name} (${account.id})`);

  const location = await chooseLocation(options, toml, found, handover.kind === "terminal");
  const placed = location === undefined ? toml : readDeclared(process.env);
  try {
    const databaseIds = await stage(`${databaseNames(toml)} and R2 bucket ${toml.r2.bucketName}`, () =>
      makeResources(inAccount, found, placed, location),
    );
    const ids = { accountId: account.id, databaseIds };
    const refusals: string[] = [];
    for (const one of eachDatabase(placed, ids)) refusals.push(...(await migrate(inAccount, ids, one)));

    const pending = new PendingSecrets(account.id, toml.name);
    const secrets = { ...given, ...(handover.kind === "none" ? {} : pending.make(missing)) };
    const uploaded = await stage(`Worker ${toml.name}`, () => uploadWorker(placed, ids, secrets));
    if (uploaded.plan === "free") sayWhatFreeIs();
    if (refusals.length > 0) {
      await migrateThroughWorker(inAccount, eachDatabase(placed, ids), uploaded, refusals.join("\n"));
    }
    await stage("compare the schema with the migrations", async () => {
      for (const one of eachDatabase(placed, ids)) await verify(inAccount, one);
    });
    const delivered = await deliver(
      delivery,
      ids,
      { ...pending.read(), ...secrets },
      found.worker?.secrets ?? new Set(),
    );
    const lacksSecrets = handover.kind === "none" && missing.length > 0;
    const id = found.worker?.versionId;
    const inlineMaxBytes = toml.vars["INLINE_MAX_BYTES"] ?? SETTINGS.INLINE_MAX_BYTES.default;
    const storesSmallBlobs = uploaded.plan === "paid" && inlineMaxBytes !== "0";
    const previous = id === undefined ? undefined : { id, readsSmallBlobs: hasSmallBlobs || !storesSmallBlobs };
    const consoleHost = toml.vars["CONSOLE_HOST"];
    say(nextSteps(uploaded.endpoints, toml.vars["REGION"], { previous, lacksSecrets, delivered, consoleHost }));
    const link = await consoleLink(uploaded.endpoints, toml.vars["REGION"], handover, {
      ...pending.read(),
      ...secrets,
    });
    const handed = pending.handOver(handover);
    if (handed !== undefined) say(`\n${handed}`);
    if (link !== undefined) say(link);
  } catch (error) {
    throw explain(error, account);
  }
}

/** Uploads the Worker that only delivers, once the schema is the one that it needs. */
async function deliver(
  plan: DeliveryPlan | undefined,
  ids: Identifiers,
  known: Secrets,
  ofEndpoint: ReadonlySet<string>,
): Promise<Delivered | undefined> {
  if (plan === undefined) return undefined;
  const { toml, worker } = plan;
  const { secrets, unknown } = deliverySecrets(plan, known, ofEndpoint);
  await stage(`Worker ${toml.name}`, () => uploadWorker(toml, ids, secrets));
  const hosts = toml.routes.map(({ host }) => host);
  return { name: toml.name, hosts, previousVersion: worker?.versionId, unknownSecrets: unknown };
}

interface Checked {
  readonly api: Api;
  readonly found: Found;
  readonly missing: readonly string[];
  readonly given: Secrets;
  readonly delivery: DeliveryPlan | undefined;
  /** Whether the existing databases have the table of small blobs, which the Worker that is running then reads. */
  readonly hasSmallBlobs: boolean;
}

/** Everything that is looked at before anything is made. */
async function check(toml: WranglerToml, handover: Handover, isBuildService: boolean): Promise<Checked> {
  // A Worker or a console that cannot be built is found here, and not after its database is made.
  await bundleWorker(toml.main);
  await buildConsole();
  const api = await connect();
  const account = await chooseAccount(api, toml);
  const found = await examine(api, account, toml);
  const delivery = await planDelivery(api, found, toml);
  if (delivery !== undefined) {
    await bundleWorker(delivery.toml.main);
    // Invalid secrets in the environment are found here.
    deliverySecrets(delivery, {}, found.worker?.secrets ?? new Set());
  }
  const missing = missingSecrets(found.worker?.secrets ?? new Set());
  const pending = new PendingSecrets(account.id, toml.name);
  const given = givenSecrets(missing, process.env);
  const toMake = missing.filter((name) => given[name] === undefined);
  requireHandover(handover, [...toMake, ...Object.keys(pending.read())], isBuildService);
  const inAccount = api.below(`/accounts/${account.id}`);
  let hasSmallBlobs = true;
  for (const d1 of toml.databases) {
    const existing = found.databases.get(d1.binding);
    if (existing === undefined) continue;
    const schema = await readRemoteSchema(inAccount, existing.id).catch((error: unknown) => {
      throw explain(error, account);
    });
    requireOwnSchema(schema, { ...toml, d1 });
    const secrets = handover.kind === "none" ? [] : toMake.filter((name) => pending.read()[name] === undefined);
    const making = { secrets, bucket: !found.hasBucket };
    await requireWhatDataNeeds(inAccount, existing.id, schema, { ...toml, d1 }, making);
    hasSmallBlobs &&= schema.objects.has("table small_blobs");
  }
  return { api, found, missing: toMake, given, delivery, hasSmallBlobs };
}

/** The location to make things in, kept in wrangler.toml; undefined where none was chosen or all is there already. */
async function chooseLocation(
  options: DeployOptions,
  toml: WranglerToml,
  { database }: Found,
  canAsk: boolean,
): Promise<string | undefined> {
  const kept = toml.vars["LOCATION"];
  const isNew = database === undefined;
  const location = options.location ?? kept ?? (isNew && canAsk ? await askForLocation() : undefined);
  if (location === undefined) return undefined;
  const region = database?.region ?? "";
  if (region !== "" && options.location !== undefined && options.location !== region) {
    throw new DeployFailure(
      `The D1 database ${toml.d1.databaseName} is in ${region} and cannot be moved to ${location}: deploy with --location ${region}, or set another database_name in wrangler.toml.`,
    );
  }
  if (location !== kept) rememberLocation(join(PROJECT_ROOT, "wrangler.toml"), location);
  return location;
}

/** One of the databases, as `d1` of the configuration. */
interface OneDatabase {
  readonly toml: WranglerToml;
  readonly id: string;
}

function eachDatabase(toml: WranglerToml, { databaseIds }: Identifiers): OneDatabase[] {
  return toml.databases.map((d1) => ({ toml: { ...toml, d1 }, id: databaseIds.get(d1.binding) ?? "" }));
}

function databaseNames({ databases }: WranglerToml): string {
  const names = databases.map(({ databaseName }) => databaseName).join(", ");
  return `D1 ${databases.length === 1 ? "database" : "databases"} ${names}`;
}

/** Migrates a database ahead of the new Worker; answers why D1 did not take the migrations, if it did not. */
async function migrate(api: Api, ids: Identifiers, { toml, id }: OneDatabase): Promise<string[]> {
  const pending = pendingMigrations(await readRemoteSchema(api, id), toml);
  if (pending.length === 0) return [];
  const of = toml.databases.length === 1 ? "" : ` for ${toml.d1.databaseName}`;
  // Migrations only add to what the Worker that is still running knows of.
  const refusal = await stage(`${pending.length} of the migrations${of}`, () => migrateWithWrangler(toml, ids));
  if (refusal === undefined) return [];
  const after = await readRemoteSchema(api, id);
  if (pendingMigrations(after, toml).length === 0) return [];
  say("          D1 did not take them through its API; the new Worker applies them itself");
  return [refusal];
}

async function migrateThroughWorker(
  api: Api,
  databases: readonly OneDatabase[],
  { endpoints }: Uploaded,
  refusal: string,
): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    for (const { id, toml } of databases) {
      if (pendingMigrations(await readRemoteSchema(api, id), toml).length > 0) return false;
    }
    return true;
  };
  const isMigrated = await stage("migrations through the Worker's own binding", () =>
    waitForOwnMigrations(endpoints, isDone),
  );
  if (isMigrated) return;
  throw new DeployFailure(
    "Neither D1's API nor the Worker itself could apply the migrations: run this again, and look at the Worker's log with `npx wrangler tail` if it stays so.",
    refusal,
  );
}

async function verify(api: Api, { id, toml }: OneDatabase): Promise<void> {
  const differences = schemaDifferences(await readRemoteSchema(api, id), toml);
  if (differences.length === 0) return;
  throw new DeployFailure(
    `The D1 database ${toml.d1.databaseName} does not have the schema of its migrations: ${differences.join("; ")}. Restore it to a time before it was changed (docs/recovery.md), or set another database_name in wrangler.toml.`,
  );
}

function sayWhatFreeIs(): void {
  say(
    "          The Workers Free plan refuses limits, so it was deployed without them. It is a demo: 10 ms of CPU for a request, 50 D1 queries for a request or a scheduled run, 100,000 requests a day.",
  );
}

async function rehearse(toml: WranglerToml): Promise<void> {
  const steps = [
    "look at the account: login, permissions, names in use, R2, workers.dev",
    `make the ${databaseNames(toml)} and the R2 bucket ${toml.r2.bucketName} unless they are there`,
    "apply the migrations that the database has not had",
    `deploy the Worker ${toml.name}, with root credentials and a master key unless it has them`,
    "compare the database's schema with the migrations",
  ];
  const delivery = readDeliveryToml(toml);
  if (delivery !== undefined) {
    const hosts = delivery.routes.map(({ host }) => host).join(", ");
    const condition = hosts === "" ? "if it is deployed already; it has no routes" : `for ${hosts}`;
    steps.push(`deploy the Worker ${delivery.name}, which only delivers, ${condition}`);
  }
  for (const step of steps) say(`  would   ${step}`);
  await buildConsole();
  say("\nNothing was sent. Built as they would be deployed:");
  await build(toml, "wrangler.toml");
  if (delivery !== undefined) await build(delivery, "wrangler.delivery.toml");
}

async function build({ name }: WranglerToml, config: string): Promise<void> {
  const { ok, stdout, stderr } = await askWrangler(["deploy", "--dry-run", "--config", join(PROJECT_ROOT, config)]);
  if (!ok) throw new DeployFailure(`Wrangler cannot build the Worker ${name}.`, `${stdout}${stderr}`);
  say(`  ${name}: ${/Total Upload: (.*)/.exec(stdout)?.[1]}`);
}

async function main(): Promise<void> {
  let options: DeployOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (options.wantsHelp) {
    say(USAGE);
    return;
  }
  try {
    const toml = readDeclared(process.env);
    const misspelt = misspeltSettings(toml.vars);
    if (misspelt.length > 0) throw new DeployFailure(`[vars] of wrangler.toml: ${misspelt.join("; ")}`);
    await (options.isDryRun ? rehearse(toml) : deploy(options, toml));
  } catch (error) {
    if (error instanceof DeployFailure && error.output !== undefined) console.error(error.output.trim());
    console.error(`deploy: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

await main();
