// The secrets that a deployment makes: root's credentials and the master key. They are kept in a file that only this user
// can read until they were shown or written out, so that a deployment that stops after the upload loses none of them.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY, makeCredentials } from "../project/credentials.ts";
import { MASTER_KEY, makeMasterKey } from "../project/master-key.ts";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";
import { misspeltSettings } from "../../src/config/setting-problems.ts";
import { DeployFailure } from "./failure.ts";

export type Secrets = Readonly<Record<string, string>>;

const NAMES = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, MASTER_KEY];

/** How secrets reach the person: at a terminal, in a file, or not at all, as in a build service. */
export type Handover =
  | { readonly kind: "terminal" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "none" };

/** Decides how secrets are handed over, before anything is made. */
export function chooseHandover(
  file: string | undefined,
  { isTerminal, environment }: { isTerminal: boolean; environment: Readonly<Record<string, string | undefined>> },
): Handover {
  if (file !== undefined) return { kind: "file", path: resolve(file) };
  return isTerminal && !isSet(environment["CI"]) ? { kind: "terminal" } : { kind: "none" };
}

/** Which of the secrets a Worker lacks. */
export function missingSecrets(present: ReadonlySet<string>): string[] {
  const [hasId, hasSecret] = [present.has(ACCESS_KEY_ID), present.has(SECRET_ACCESS_KEY)];
  if (hasId !== hasSecret) {
    const [one, other] = hasId ? [ACCESS_KEY_ID, SECRET_ACCESS_KEY] : [SECRET_ACCESS_KEY, ACCESS_KEY_ID];
    throw new DeployFailure(
      `The Worker has the secret ${one} but not ${other}: add it with \`npx wrangler secret put ${other}\`.`,
    );
  }
  return NAMES.filter((name) => !present.has(name));
}

/** The missing secrets that the environment contains, as in a build service. */
export function givenSecrets(
  missing: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Secrets {
  const given = Object.fromEntries(
    missing.flatMap((name) => (environment[name]?.trim() ? [[name, environment[name].trim()]] : [])),
  );
  const [[name, problem] = []] = misspeltSecrets(given);
  if (name !== undefined) throw new DeployFailure(`The environment's ${name} cannot be used: ${problem}.`);
  return given;
}

function misspeltSecrets(given: Secrets): [name: string, problem: string][] {
  const half = ACCESS_KEY_ID in given !== SECRET_ACCESS_KEY in given;
  if (half) return [[ACCESS_KEY_ID in given ? ACCESS_KEY_ID : SECRET_ACCESS_KEY, "its other half is not given"]];
  return misspeltSettings(given).map((problem) => [problem.split(" ")[0] ?? "", problem]);
}

/** Makes sure that secrets which are going to be made can be handed over. */
export function requireHandover(handover: Handover, missing: readonly string[], isBuildService: boolean): void {
  if (missing.length === 0) return;
  if (handover.kind === "file") {
    if (existsSync(handover.path)) {
      throw new DeployFailure(`The file ${handover.path} exists already: name another one with --credentials-file.`);
    }
    try {
      accessSync(dirname(handover.path), constants.W_OK);
    } catch (error) {
      throw new DeployFailure(`The folder of ${handover.path} cannot be written to.`, undefined, error);
    }
  } else if (handover.kind === "none" && !isBuildService) {
    throw new DeployFailure(
      "New root credentials would have to be printed, and this is no terminal: give --credentials-file PATH, which is written for this user alone.",
    );
  }
}

/** The file of secrets that were not handed over yet, for one Worker of one account. */
export class PendingSecrets {
  readonly #file: string;

  /** @param maker a rotation keeps its own: until it is applied, its secrets are not those of the Worker */
  constructor(accountId: string, worker: string, maker: "deployment" | "rotation" = "deployment") {
    const name = maker === "deployment" ? "secrets" : "rotation-secrets";
    this.#file = join(PROJECT_ROOT, ".wrangler", `cairn-${name}-${accountId}-${worker}.json`);
  }

  /** What an earlier deployment has made and not handed over. */
  read(): Secrets {
    if (!existsSync(this.#file)) return {};
    const value: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
    return Object.fromEntries(Object.entries(value ?? {}).map(([name, text]) => [name, String(text)]));
  }

  /** Makes the missing secrets, or takes those that an earlier deployment has made, and keeps them. */
  make(missing: readonly string[]): Secrets {
    const kept = this.read();
    const { accessKeyId, secretAccessKey } = makeCredentials();
    const fresh: Secrets = {
      [ACCESS_KEY_ID]: accessKeyId,
      [SECRET_ACCESS_KEY]: secretAccessKey,
      [MASTER_KEY]: makeMasterKey(),
    };
    const made = Object.fromEntries(missing.map((name) => [name, kept[name] ?? fresh[name] ?? ""]));
    if (missing.length > 0) this.#write({ ...kept, ...made });
    return made;
  }

  /** Hands all pending secrets over and clears them. */
  handOver(handover: Handover): string | undefined {
    const secrets = this.read();
    if (Object.keys(secrets).length === 0 || handover.kind === "none") return undefined;
    if (handover.kind === "file") {
      const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(handover.path, lines.join(""), { mode: 0o600, flag: "wx" });
    }
    rmSync(this.#file);
    return handover.kind === "terminal" ? shown(secrets) : `The new secrets are in ${handover.path}.`;
  }

  #write(secrets: Secrets): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    // A process that is killed here leaves the old file or the new one.
    const next = `${this.#file}.next`;
    rmSync(next, { force: true });
    writeFileSync(next, JSON.stringify(secrets), { mode: 0o600, flag: "wx" });
    renameSync(next, this.#file);
  }
}

function shown(secrets: Secrets): string {
  const { [ACCESS_KEY_ID]: id, [SECRET_ACCESS_KEY]: secret, [MASTER_KEY]: key } = secrets;
  const root = `Root credentials, shown this once:
  access key id      ${id}
  secret access key  ${secret}`;
  const master = `Master key, shown this once:
  ${key}
The secrets of users' access keys are encrypted under it. Keep a copy apart from the database's backups.`;
  return [...(id === undefined ? [] : [root]), ...(key === undefined ? [] : [master])].join("\n\n");
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
