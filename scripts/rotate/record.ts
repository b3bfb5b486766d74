// Records when a rotation began, in the git-ignored .wrangler folder. The record contains no secret.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";
import type { Subject } from "./changes.ts";

/** The longest lifetime of a session. Its token is encrypted with the master key at its start. */
const SESSION_MS = 12 * 3_600_000;

export class RotationRecord {
  readonly #file: string;

  /** @param where the local state, or account and Worker */
  constructor(subject: Subject, where: string) {
    this.#file = join(PROJECT_ROOT, ".wrangler", `cairn-rotation-${subject}-${where}`);
  }

  begin(now: number): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    writeFileSync(this.#file, `${new Date(now).toISOString()}\n`);
  }

  end(): void {
    rmSync(this.#file, { force: true });
  }

  /** When the last session under the previous master key expires; undefined when the start is unknown. */
  sessionsEndAt(): number | undefined {
    if (!existsSync(this.#file)) return undefined;
    const began = Date.parse(readFileSync(this.#file, "utf8").trim());
    return Number.isNaN(began) ? undefined : began + SESSION_MS;
  }
}

/** @throws Error while sessions under the previous master key may still be open */
export function requireExpiredSessions(record: RotationRecord, now: number, endsSessions: boolean): void {
  const end = record.sessionsEndAt();
  if (endsSessions || (end !== undefined && end <= now)) return;
  const when =
    end === undefined
      ? "It is not recorded here when the rotation began"
      : `Sessions under the previous master key last until ${new Date(end).toISOString()}`;
  throw new Error(`${when}: run this again 12 hours after its beginning, or end those sessions with --end-sessions.`);
}
