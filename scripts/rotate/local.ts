// Rotates the secrets of a Cairn on this machine, which are in .dev.vars. The server reads them at its start.
import { existsSync } from "node:fs";
import { openState } from "../maintenance/open-state.ts";
import { devVarsFile, saveToDevVars, readDevVars, deleteFromDevVars } from "../project/credentials.ts";
import { MASTER_KEY } from "../project/master-key.ts";
import { PROJECT_ROOT, readWranglerToml } from "../project/wrangler-toml.ts";
import { applyToAll } from "../serve/migrations.ts";
import { lockState } from "../serve/state-lock.ts";
import { NAMES, PREVIOUS_MASTER_KEYS, beginChanges, finishChanges, makeCurrent, unfinished } from "./changes.ts";
import type { RotateOptions } from "./options.ts";
import { RotationRecord, requireExpiredSessions } from "./record.ts";
import { COUNT_SEALED, sealedCounts, sealedUnderOthers } from "./sealed-secrets.ts";

/** Rotates. Returns what was done and what to do next. */
export async function rotateLocally(options: RotateOptions, now: number): Promise<string> {
  const { subject, isFinish } = options;
  const variables = readDevVars(PROJECT_ROOT);
  const record = new RotationRecord(subject, "local");
  const file = devVarsFile(PROJECT_ROOT);
  const given = [...NAMES[subject].current, ...NAMES[subject].previous].find((name) => process.env[name]);
  if (given !== undefined) {
    throw new Error(`${given} is set in the environment, which goes before ${file}: unset it, or change it there.`);
  }
  const isUnfinished = unfinished(subject, new Set(Object.keys(variables)));
  if (!isFinish) {
    if (isUnfinished) throw new Error(`a rotation is under way: end it with --finish first.`);
    const changes = beginChanges(subject, variables, makeCurrent(subject));
    saveToDevVars(PROJECT_ROOT, textsOf(changes));
    record.begin(now);
    return `New secrets are in ${file}, the previous ones beside them. Stop and start the server: it accepts both.\n${nextStep(options)}`;
  }
  if (!isUnfinished) throw new Error(`${file} holds nothing previous: no rotation is under way.`);
  if (subject === "master-key") {
    requireExpiredSessions(record, now, options.endsSessions);
    await resealAll(options.state, variables);
  }
  deleteFromDevVars(PROJECT_ROOT, Object.keys(finishChanges(subject)));
  record.end();
  return `The previous value is out of ${file}. Stop and start the server: it accepts the present one alone.`;
}

/** The instructions between the two steps. */
export function nextStep({ subject, isDeployed }: RotateOptions): string {
  const finish = `npm run rotate -- ${subject}${isDeployed ? " --deployed" : ""} --finish`;
  return subject === "root"
    ? `Give the new credentials to every client that has the previous ones, then: ${finish}`
    : `Secrets are re-encrypted within the next hours, and sessions last 12 hours. Then: ${finish}`;
}

/** Re-encrypts secrets that use the previous master key. A running server does that by itself. */
async function resealAll(state: string, variables: Readonly<Record<string, string>>): Promise<void> {
  // Without a state there are no encrypted secrets.
  if (!existsSync(state)) return;
  const unlock = await lockState(state).catch(() => undefined);
  try {
    const current = variables[MASTER_KEY] ?? "";
    const bindings = { [MASTER_KEY]: current, [PREVIOUS_MASTER_KEYS]: variables[PREVIOUS_MASTER_KEYS] ?? "" };
    const open = await openState(state, bindings);
    try {
      if (unlock !== undefined) {
        await applyToAll(open.databases, readWranglerToml().d1.migrationsDir);
        await open.request("/reseal");
      }
      const { results } = await open.database.prepare(COUNT_SEALED).all();
      requireResealed(sealedUnderOthers(sealedCounts(results), [current]));
    } finally {
      await open.close();
    }
  } finally {
    unlock?.();
  }
}

/** @throws Error while secrets use another master key than the current one */
export function requireResealed(left: number): void {
  if (left === 0) return;
  throw new Error(
    `${left} secrets of access keys are still sealed under a previous master key, and would be lost: the job reseal-secrets re-encrypts them once an hour. Run this again later; if the number stays, the key that sealed them is missing from ${PREVIOUS_MASTER_KEYS}.`,
  );
}

function textsOf(changes: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value ?? ""]));
}
