// What a deployment needs to find in the Cloudflare account: a login, the database, the bucket, and what the Worker has of
// secrets.
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../project/credentials.ts";
import { MASTER_KEY } from "../project/master-key.ts";
import { type WranglerResult, askWrangler, runWrangler } from "./wrangler.ts";

/** Makes sure that wrangler can act for an account. */
export async function requireLogin(): Promise<void> {
  const { ok, stdout, stderr } = await askWrangler("whoami", "--json");
  if (ok) return;
  if (/"loggedIn":\s*false/.test(stdout)) {
    throw new Error("wrangler is not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN");
  }
  throw new Error(`wrangler whoami failed\n${stderr || stdout}`);
}

/** Makes the D1 database unless the account has one of that name. */
export async function ensureDatabase(name: string): Promise<void> {
  const listed = await askWrangler("d1", "list", "--json");
  const databases: unknown = JSON.parse(expectOk(listed, "wrangler d1 list").stdout);
  if (Array.isArray(databases) && databases.some((database) => Reflect.get(Object(database), "name") === name)) return;
  // The deployment finds the database by its name: its id is not to be written into the person's wrangler.toml.
  await runWrangler(["d1", "create", name, "--update-config=false"]);
}

/** Makes the R2 bucket unless the account has it. */
export async function ensureBucket(name: string): Promise<void> {
  const created = await askWrangler("r2", "bucket", "create", name, "--update-config=false");
  // Asked for, not listed first: the list comes in pages and this answer is certain.
  if (!/\[code: 10004\]/.test(created.stdout + created.stderr)) expectOk(created, "wrangler r2 bucket create");
}

/** What the Worker has of the secrets that a deployment makes. */
export interface OwnSecrets {
  readonly hasRootCredentials: boolean;
  readonly hasMasterKey: boolean;
}

/**
 * Finds out what the Worker has. An answer that cannot be read is an error, never a no: a no would have new secrets
 * written over those in use.
 */
export async function ownSecrets(worker: string): Promise<OwnSecrets> {
  const names = await secretNames(worker);
  const [hasId, hasSecret] = [names.has(ACCESS_KEY_ID), names.has(SECRET_ACCESS_KEY)];
  if (hasId !== hasSecret) {
    const [present, missing] = hasId ? [ACCESS_KEY_ID, SECRET_ACCESS_KEY] : [SECRET_ACCESS_KEY, ACCESS_KEY_ID];
    throw new Error(`the Worker has ${present} but not ${missing}: add it with \`npx wrangler secret put ${missing}\``);
  }
  return { hasRootCredentials: hasId, hasMasterKey: names.has(MASTER_KEY) };
}

async function secretNames(worker: string): Promise<ReadonlySet<string>> {
  const listed = await askWrangler("secret", "list", "--name", worker, "--format", "json");
  if (!listed.ok && /Worker "[^"]*".* not found|\[code: 10007\]/.test(listed.stderr + listed.stdout)) return new Set();
  const secrets: unknown = JSON.parse(expectOk(listed, "wrangler secret list").stdout);
  if (!Array.isArray(secrets)) throw new Error(`wrangler secret list: not a list\n${listed.stdout}`);
  return new Set(secrets.map((secret) => String(Reflect.get(Object(secret), "name"))));
}

function expectOk(result: WranglerResult, what: string): WranglerResult {
  if (!result.ok) throw new Error(`${what} failed\n${(result.stderr + result.stdout).trim()}`);
  return result;
}
