// Handles a schema mismatch: explains it to the operator, and migrates a schema that is older than the Worker.
import { applyMigrations, readSchemaState } from "./migrations.ts";
import { isSchemaMismatch } from "./schema-errors.ts";

/** The explanation of a schema mismatch. */
export interface SchemaMismatch {
  readonly message: string;
  readonly retryAfterSeconds: number;
}

const RETRY_AFTER_REPAIR_SECONDS = 2;
const RETRY_UNREPAIRED_SECONDS = 60;

/** Diagnoses a mismatch. `repair` is undefined if this Worker cannot migrate the database. */
export async function examineSchema(
  d1: D1Database,
): Promise<{ readonly mismatch: SchemaMismatch; readonly repair: (() => Promise<void>) | undefined }> {
  const { pending, unknown, isForeign } = await readSchemaState(d1);
  if (isForeign) {
    return unrepairable(
      "The database bound as DB holds tables of something else. Bind another database in wrangler.toml.",
    );
  }
  if (pending.length > 0) {
    const message = `The database's schema is older than this Worker: ${pending.length} migrations are being applied now, so send the request again. By hand: npx wrangler d1 migrations apply DB --remote (or --local).`;
    const mismatch = { message, retryAfterSeconds: RETRY_AFTER_REPAIR_SECONDS };
    return { mismatch, repair: () => applyMigrations(d1, pending) };
  }
  if (unknown.length > 0) {
    return unrepairable(
      "The database's schema is newer than this Worker. Deploy the release that made it, or a later one.",
    );
  }
  return unrepairable("The database lacks something that its migrations made. Restore it as docs/recovery.md says.");
}

/**
 * Repairs the schema after scheduled work failed because of it.
 * @throws the original error if it is no schema mismatch; Error with the explanation if no repair is possible
 */
export async function repairSchema(d1: D1Database, error: unknown): Promise<void> {
  if (!isSchemaMismatch(error)) throw error;
  const { mismatch, repair } = await examineSchema(d1);
  if (repair === undefined) throw new Error(mismatch.message, { cause: error });
  await repair();
}

function unrepairable(message: string): { mismatch: SchemaMismatch; repair: undefined } {
  return { mismatch: { message, retryAfterSeconds: RETRY_UNREPAIRED_SECONDS }, repair: undefined };
}
