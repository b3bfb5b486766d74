// Rotates the secrets of a deployed Worker. Its secrets cannot be read back, so the user provides the present ones and
// the script tries them first. One call replaces all variables, which results in one new version of the Worker.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { AwsClient } from "aws4fetch";
import { type Account, chooseAccount, examine } from "../deploy/account.ts";
import { type Api, connect, field } from "../deploy/api.ts";
import { findDeliveryWorker } from "../deploy/delivery.ts";
import { DeployFailure, explain } from "../deploy/failure.ts";
import { PendingSecrets, chooseHandover, requireHandover } from "../deploy/secrets.ts";
import { askWrangler } from "../deploy/wrangler.ts";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../project/credentials.ts";
import { MASTER_KEY } from "../project/master-key.ts";
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { type Changes, NAMES, PREVIOUS_MASTER_KEYS, beginChanges, finishChanges, unfinished } from "./changes.ts";
import { nextStep, requireResealed } from "./local.ts";
import type { RotateOptions } from "./options.ts";
import { RotationRecord, requireExpiredSessions } from "./record.ts";
import { COUNT_SEALED, type SealedCounts, sealedCounts, sealedUnderOthers } from "./sealed-secrets.ts";

const POLL_MS = 15_000;

type Variables = Readonly<Record<string, string | undefined>>;

/** A deployed Worker. */
interface Deployed {
  readonly api: Api;
  readonly account: Account;
  readonly worker: string;
  /** The name of the Worker that only delivers; it has the same secrets. */
  readonly deliveryWorker: string | undefined;
  readonly secrets: ReadonlySet<string>;
  readonly databaseId: string;
}

/** Rotates. Returns what was done and what to do next. */
export async function rotateDeployed(options: RotateOptions, now: number): Promise<string> {
  const deployed = await findDeployed();
  const record = new RotationRecord(options.subject, `${deployed.account.id}-${deployed.worker}`);
  try {
    if (options.isFinish) return await finish(options, deployed, record, now);
    return await begin(options, deployed, record, now);
  } catch (error) {
    throw explain(error, deployed.account);
  }
}

async function findDeployed(): Promise<Deployed> {
  const toml = readWranglerToml();
  const all = await connect();
  const account = await chooseAccount(all, toml);
  const { worker, database } = await examine(all, account, toml);
  const deliveryWorker = await findDeliveryWorker(all, account, toml);
  if (worker === undefined || database === undefined) {
    throw new DeployFailure(`The account ${account.name} has no Worker ${toml.name} with a database: deploy it first.`);
  }
  const api = all.below(`/accounts/${account.id}`);
  return { api, account, worker: toml.name, deliveryWorker, secrets: worker.secrets, databaseId: database.id };
}

async function begin(options: RotateOptions, deployed: Deployed, record: RotationRecord, now: number): Promise<string> {
  const { subject } = options;
  const handover = chooseHandover(options.credentialsFile, {
    isTerminal: process.stdout.isTTY && process.stdin.isTTY,
    environment: process.env,
  });
  const { current } = NAMES[subject];
  const pending = new PendingSecrets(deployed.account.id, deployed.worker, "rotation");
  requireHandover(handover, current, false);
  if (unfinished(subject, deployed.secrets)) {
    // An interrupted run has set these secrets, so hand them over now.
    const handedOver = pending.handOver(handover);
    if (handedOver !== undefined) return `${handedOver}\n${nextStep(options)}`;
    throw new DeployFailure("A rotation is under way: end it with --finish first.");
  }
  const present = presentSecrets(options.current);
  if (subject === "root") await tryRoot(options.endpoint, present);
  else await requireKnownKeys(deployed, [present[MASTER_KEY] ?? ""]);
  const ofDeployment = new PendingSecrets(deployed.account.id, deployed.worker).read();
  if (current.some((name) => ofDeployment[name] !== undefined)) {
    throw new DeployFailure(
      "The present secrets were never handed over: run `npm run deploy` with --credentials-file.",
    );
  }
  await putSecrets(deployed, beginChanges(subject, present, pending.make(current)));
  record.begin(now);
  const handed = pending.handOver(handover) ?? "";
  return `The Worker accepts both the new and the previous value.\n${handed}\n${nextStep(options)}`;
}

async function finish(
  options: RotateOptions,
  deployed: Deployed,
  record: RotationRecord,
  now: number,
): Promise<string> {
  const { subject } = options;
  if (!unfinished(subject, deployed.secrets)) {
    throw new DeployFailure("The Worker has no previous value: no rotation is under way.");
  }
  if (subject === "master-key") {
    requireExpiredSessions(record, now, options.endsSessions);
    const current = presentSecrets(options.current)[MASTER_KEY];
    if (!current) {
      throw new DeployFailure(
        `The new ${MASTER_KEY} is not known here: give the file that it was written to with --current.`,
      );
    }
    await awaitResealing(deployed, current, now + options.waitMs);
  }
  await putSecrets(deployed, finishChanges(subject));
  record.end();
  return "The Worker accepts the present value alone.";
}

/** The present secrets, from a file or the environment. */
function presentSecrets(file: string | undefined): Variables {
  return file === undefined ? process.env : parseEnv(readFileSync(file, "utf8"));
}

/** Checks root's present credentials, so that the stored previous ones are those that clients use. */
async function tryRoot(endpoint: string | undefined, present: Variables): Promise<void> {
  if (endpoint === undefined) {
    throw new DeployFailure("Give the Worker's address with --endpoint: root's present credentials are tried there.");
  }
  const [accessKeyId = "", secretAccessKey = ""] = [present[ACCESS_KEY_ID], present[SECRET_ACCESS_KEY]];
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: "s3", region: "auto", retries: 2 });
  const response = await client.fetch(`${endpoint.replace(/\/$/, "")}/`, { signal: AbortSignal.timeout(30_000) });
  await response.body?.cancel();
  if (response.ok) return;
  throw new DeployFailure(
    `${endpoint} does not accept the credentials that are given as root's present ones (status ${response.status}): give those that are in force with --current.`,
  );
}

/** Refuses to replace a master key while secrets use an unknown one, because they could never be decrypted again. */
async function requireKnownKeys(deployed: Deployed, masterKeys: readonly string[]): Promise<void> {
  const others = sealedUnderOthers(await countSealed(deployed), masterKeys);
  if (others === 0) return;
  throw new DeployFailure(
    `${others} secrets in the database are sealed under another master key than the one that is given, and would be lost: give the one that is in force with --current.`,
  );
}

async function awaitResealing(deployed: Deployed, current: string, end: number): Promise<void> {
  for (;;) {
    const left = sealedUnderOthers(await countSealed(deployed), [current]);
    if (left === 0) return;
    if (Date.now() + POLL_MS > end) requireResealed(left);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function countSealed({ api, databaseId }: Deployed): Promise<SealedCounts> {
  const answer = await api.send("POST", `/d1/database/${databaseId}/query`, { sql: COUNT_SEALED });
  const [result]: unknown[] = Array.isArray(answer) ? answer : [];
  const rows = field(result, "results");
  if (!Array.isArray(rows)) throw new DeployFailure(`D1's answer about ${PREVIOUS_MASTER_KEYS} cannot be read.`);
  return sealedCounts(rows);
}

/**
 * Changes the secrets of both Workers. The S3 endpoint's shows whether a rotation is under way, so it is the last one: an
 * interrupted run repeats both.
 */
async function putSecrets({ account, worker, deliveryWorker }: Deployed, changes: Changes): Promise<void> {
  if (deliveryWorker !== undefined) await putSecretsOf(account, deliveryWorker, changes);
  await putSecretsOf(account, worker, changes);
}

/** Passes the secrets to wrangler in a file that only this user can read. */
async function putSecretsOf(account: Account, worker: string, changes: Changes): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-rotate-"));
  try {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify(changes), { mode: 0o600, flag: "wx" });
    const { ok, stdout, stderr } = await askWrangler(["secret", "bulk", file, "--name", worker], {
      CLOUDFLARE_ACCOUNT_ID: account.id,
    });
    if (!ok)
      throw new DeployFailure(`Wrangler could not change the secrets of the Worker ${worker}.`, `${stdout}${stderr}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
