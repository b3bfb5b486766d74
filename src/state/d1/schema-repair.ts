// What a Worker does about a schema that it does not fit: it says what is wrong, and brings an older schema up to date.
import { applyMigrations, readSchemaState } from "./migrations.ts";
import { isSchemaMismatch } from "./schema-errors.ts";

/** What to say of a schema that does not fit. */
export interface SchemaMismatch {
  readonly message: string;
  readonly retryAfterSeconds: number;
}

const SOON_SECONDS = 2;
const LATER_SECONDS = 60;

/** Where a request found a mismatch: what is wrong, and the work that mends it, if this Worker can. */
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
    const mismatch = { message, retryAfterSeconds: SOON_SECONDS };
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
 * Mends what made scheduled work fail.
 * @throws what it failed with, or a sentence on the schema, where that is not to be mended here
 */
export async function repairSchema(d1: D1Database, error: unknown): Promise<void> {
  if (!isSchemaMismatch(error)) throw error;
  const { mismatch, repair } = await examineSchema(d1);
  if (repair === undefined) throw new Error(mismatch.message, { cause: error });
  await repair();
}

function unrepairable(message: string): { mismatch: SchemaMismatch; repair: undefined } {
  return { mismatch: { message, retryAfterSeconds: LATER_SECONDS }, repair: undefined };
}
