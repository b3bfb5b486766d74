// Looks at the Cloudflare account before anything is made in it: which account it is, whether what a deployment needs is
// allowed there, and whether the names in wrangler.toml belong to this Cairn or to something else.
import type { D1Declaration, WranglerToml } from "../project/wrangler-toml.ts";
import { type Api, field, textField } from "./api.ts";
import { ApiFailure, DeployFailure, explain } from "./failure.ts";

export interface Account {
  readonly id: string;
  readonly name: string;
}

/** The existing resources of a deployment. */
export interface Found {
  readonly account: Account;
  /** Undefined: there is no Worker of this name. */
  readonly worker: FoundWorker | undefined;
  /** The first database. */
  readonly database: FoundDatabase | undefined;
  /** The existing databases by their bindings. */
  readonly databases: ReadonlyMap<string, FoundDatabase>;
  readonly hasBucket: boolean;
}

export interface FoundDatabase {
  readonly id: string;
  readonly region: string;
}

/** Finds the account to deploy to. */
export async function chooseAccount(api: Api, { accountId }: WranglerToml): Promise<Account> {
  const wanted = process.env["CLOUDFLARE_ACCOUNT_ID"]?.trim() || accountId;
  // A token for one account may not be allowed to list accounts: where one is named, that is enough.
  const listed = await api.list("/accounts").catch((error: unknown) => {
    if (wanted !== undefined && isForbidden(error)) return [];
    return unreadableLogin(error);
  });
  const accounts = listed.map((account) => ({
    id: String(field(account, "id")),
    name: String(field(account, "name")),
  }));
  const names = accounts.map(({ id, name }) => `${name} (${id})`).join(", ");
  if (wanted !== undefined) {
    const found = accounts.find(({ id }) => id === wanted);
    if (found !== undefined || accounts.length === 0) return found ?? { id: wanted, name: wanted };
    throw new DeployFailure(
      `The login has no account ${wanted}, only ${names}: set CLOUDFLARE_ACCOUNT_ID, or account_id in wrangler.toml, to one of its own.`,
    );
  }
  const [only, ...others] = accounts;
  if (only === undefined) {
    throw new DeployFailure(
      "The login shows no account: set CLOUDFLARE_ACCOUNT_ID to the id of the account to deploy to.",
    );
  }
  if (others.length === 0) return only;
  throw new DeployFailure(
    `The login has several accounts: ${names}. Set account_id in wrangler.toml, or CLOUDFLARE_ACCOUNT_ID, to the one to deploy to.`,
  );
}

/** Whether a valid login lacks a permission. An invalid one is another answer with the same status. */
function isForbidden(error: unknown): boolean {
  if (!(error instanceof ApiFailure)) return false;
  const isRefused = error.status === 401 || error.status === 403;
  return error.code === 10_000 || (isRefused && !/token|header/i.test(error.message));
}

function unreadableLogin(error: unknown): never {
  if (!(error instanceof ApiFailure) || error.status >= 500) throw error;
  throw new DeployFailure(
    `Cloudflare does not accept the login ("${error.message}"): run \`npx wrangler login\`, or set CLOUDFLARE_API_TOKEN to a valid token.`,
    undefined,
    error,
  );
}

/** Looks at everything that can be looked at, and stops at the first thing that stands against a deployment. */
export async function examine(all: Api, account: Account, toml: WranglerToml): Promise<Found> {
  const api = all.below(`/accounts/${account.id}`);
  try {
    const [worker, found, hasBucket] = await Promise.all([
      findWorker(api, toml.name),
      Promise.all(toml.databases.map(async (d1) => [d1.binding, await findDatabase(api, d1)] as const)),
      findBucket(api, toml.r2.bucketName),
      requireSubdomain(api, account, toml),
      requireWriting(api, toml.name),
    ]);
    const databases = new Map(found.flatMap(([name, database]) => (database === undefined ? [] : [[name, database]])));
    if (worker !== undefined) await checkOwnership(api, worker.bindings, toml, databases);
    return { account, worker, database: databases.get(toml.d1.binding), databases, hasBucket };
  } catch (error) {
    throw explain(error, account);
  }
}

/** A Worker of the account. */
export interface FoundWorker {
  readonly bindings: readonly unknown[];
  readonly secrets: ReadonlySet<string>;
  readonly versionId: string | undefined;
}

/** Finds a Worker by its name; undefined if there is none. */
export async function findWorker(api: Api, name: string): Promise<FoundWorker | undefined> {
  // An answer other than "there is none" stops here: taken for a no, it would have new secrets put over those in use.
  const settings = await api.get(`/workers/scripts/${name}/settings`).catch(unlessMissing(10_007, 10_090));
  if (settings === undefined) return undefined;
  const [secrets, deployments] = await Promise.all([
    api.get(`/workers/scripts/${name}/secrets`),
    api.get(`/workers/scripts/${name}/deployments`),
  ]);
  if (!Array.isArray(secrets)) throw new DeployFailure("Cloudflare's list of secrets cannot be read: try again.");
  const [latest]: readonly unknown[] = listOf(field(deployments, "deployments"));
  const [version]: readonly unknown[] = listOf(field(latest, "versions"));
  const versionId = field(version, "version_id");
  return {
    bindings: listOf(field(settings, "bindings")),
    secrets: new Set(secrets.map((secret) => String(field(secret, "name")))),
    versionId: typeof versionId === "string" ? versionId : undefined,
  };
}

async function findDatabase(api: Api, d1: D1Declaration): Promise<FoundDatabase | undefined> {
  const database = await (d1.databaseId === undefined
    ? findNamed(api, d1.databaseName)
    : api.get(`/d1/database/${d1.databaseId}`).catch(unlessMissing()));
  if (database !== undefined) {
    const region = (textField(database, "running_in_region") ?? "").toLowerCase();
    return { id: String(field(database, "uuid")), region };
  }
  if (d1.databaseId === undefined) return undefined;
  throw new DeployFailure(
    `The account has no D1 database with the id ${d1.databaseId}: take database_id out of wrangler.toml, or put the id of this account's database there.`,
  );
}

/** The API accepts a name in place of an id, which its documentation does not promise, so the list decides. */
async function findNamed(api: Api, name: string): Promise<unknown> {
  const found = await api.get(`/d1/database/${name}`).catch((error: unknown) => {
    if (error instanceof ApiFailure && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  });
  if (found !== undefined) return found;
  // The list has every database with the name as a part of its own, and does not say where each is.
  const listed = await api.list("/d1/database", { name });
  const id = textField(
    listed.find((one) => field(one, "name") === name),
    "uuid",
  );
  return id === undefined ? undefined : api.get(`/d1/database/${id}`);
}

async function findBucket(api: Api, name: string): Promise<boolean> {
  return (await api.get(`/r2/buckets/${name}`).catch(unlessMissing())) !== undefined;
}

async function requireSubdomain(api: Api, { id, name }: Account, { isOnWorkersDev }: WranglerToml): Promise<void> {
  if (!isOnWorkersDev) return;
  if (textField(await api.get("/workers/subdomain").catch(unlessMissing()), "subdomain")) return;
  throw new DeployFailure(
    `The account ${name} has no workers.dev subdomain yet: choose one at https://dash.cloudflare.com/${id}/workers/onboarding, or set workers_dev = false and a route in wrangler.toml.`,
  );
}

/** Asks for writes that name nothing, and so change nothing: only a token that may not write is refused for that. */
async function requireWriting(api: Api, worker: string): Promise<void> {
  const probes = [
    ["POST", "/d1/database"],
    ["POST", "/r2/buckets"],
    ["PATCH", `/workers/scripts/${worker}/script-settings`],
  ] as const;
  await Promise.all(
    probes.map(([method, path]) =>
      api.send(method, path, {}).catch((error: unknown) => {
        if (isForbidden(error) || (error instanceof ApiFailure && error.code === 10_042)) throw error;
      }),
    ),
  );
}

/** A Worker of this name that is no Cairn, or one whose data is elsewhere, is left alone. */
async function checkOwnership(
  api: Api,
  bindings: readonly unknown[],
  toml: WranglerToml,
  databases: ReadonlyMap<string, FoundDatabase>,
): Promise<void> {
  const bindingOf = (name: string): unknown => bindings.find((binding) => field(binding, "name") === name);
  const isCairn = toml.durableObjects.every(
    ({ binding, className }) => field(bindingOf(binding), "class_name") === className,
  );
  if (!isCairn) {
    throw new DeployFailure(
      `The account has a Worker named ${toml.name} that is not Cairn: set another name in wrangler.toml.`,
    );
  }
  // A lost database is made again in a new one, beside the old (docs/recovery.md).
  const isRebuilt = toml.vars["REBUILD"] === "true";
  for (const { binding, databaseName } of isRebuilt ? [] : toml.databases) {
    const bound = bindingOf(binding);
    const used = textField(bound, "id") ?? textField(bound, "database_id");
    if (used === undefined || used === databases.get(binding)?.id || !(await hasDatabase(api, used))) continue;
    throw new DeployFailure(
      `The Worker ${toml.name} keeps its metadata in the D1 database ${used}, and wrangler.toml names ${databaseName}, which is another one: put the old database_name back, or set another Worker name.`,
    );
  }
  const dropped = bindings
    .map((binding) => textField(binding, "name") ?? "")
    .find((name) => /^META_\d+$/.test(name) && !toml.databases.some(({ binding }) => binding === name));
  if (dropped !== undefined) {
    throw new DeployFailure(
      `The Worker ${toml.name} may have buckets in the database bound as ${dropped}, which wrangler.toml does not bind: put its [[d1_databases]] back.`,
    );
  }
  const usedBucket = textField(bindingOf(toml.r2.binding), "bucket_name");
  if (usedBucket !== undefined && usedBucket !== toml.r2.bucketName) {
    throw new DeployFailure(
      `The Worker ${toml.name} keeps its bytes in the R2 bucket ${usedBucket}, and wrangler.toml names ${toml.r2.bucketName}: put the old bucket_name back, or set another Worker name.`,
    );
  }
}

/** A database that was lost does not stand in the way of another one (docs/recovery.md). */
async function hasDatabase(api: Api, id: string): Promise<boolean> {
  return (await api.get(`/d1/database/${id}`).catch(unlessMissing())) !== undefined;
}

/** @param codes the codes of a 404 that mean a missing resource; none: all do */
function unlessMissing(...codes: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    const isMissing = error instanceof ApiFailure && error.status === 404;
    if (isMissing && (codes.length === 0 || codes.includes(error.code))) return undefined;
    throw error;
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
