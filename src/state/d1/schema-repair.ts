// Handles a schema mismatch: explains it to the operator, and migrates a schema that is older than the Worker.
import type { DatabaseBinding } from "./databases.ts";
import { applyMigrations, readSchemaState, type SchemaState } from "./migrations.ts";
import { isSchemaMismatch } from "./schema-errors.ts";

/** The explanation of a schema mismatch. */
export interface SchemaMismatch {
  readonly message: string;
  readonly retryAfterSeconds: number;
}

const RETRY_AFTER_REPAIR_SECONDS = 2;
const RETRY_UNREPAIRED_SECONDS = 60;

/** A mismatch and its repair; `repair` is undefined if this Worker cannot migrate the database. */
interface Diagnosis {
  readonly mismatch: SchemaMismatch;
  readonly repair: (() => Promise<void>) | undefined;
}

/** Diagnoses the mismatch of the first database that has one. Repairs concern all databases that need one. */
export async function examineSchemas(bindings: readonly DatabaseBinding[]): Promise<Diagnosis> {
  const examined = await Promise.all(
    bindings.map(async ({ name, d1 }) => ({ name, d1, state: await readSchemaState(d1) })),
  );
  const faulty = examined.filter(
    ({ state }) => state.isForeign || state.pending.length > 0 || state.unknown.length > 0,
  );
  const diagnoses = faulty.map(({ name, d1, state }) => diagnose(name, d1, state));
  const repairs = diagnoses.flatMap(({ repair }) => (repair === undefined ? [] : [repair]));
  const worst = diagnoses.find(({ repair }) => repair === undefined) ?? diagnoses[0];
  if (worst?.repair === undefined) return worst ?? UNKNOWN_LOSS;
  return {
    mismatch: worst.mismatch,
    repair: async () => void (await Promise.all(repairs.map(async (repair) => repair()))),
  };
}

const UNKNOWN_LOSS = unrepairable(
  "The database lacks something that its migrations made. Restore it as docs/recovery.md says.",
);

function diagnose(name: string, d1: D1Database, { pending, unknown, isForeign }: SchemaState): Diagnosis {
  if (isForeign) {
    return unrepairable(
      `The database bound as ${name} holds tables of something else. Bind another database in wrangler.toml.`,
    );
  }
  if (pending.length > 0) {
    const message = `The database's schema is older than this Worker: ${pending.length} migrations are being applied now, so send the request again. By hand: npx wrangler d1 migrations apply ${name} --remote (or --local).`;
    const mismatch = { message, retryAfterSeconds: RETRY_AFTER_REPAIR_SECONDS };
    return { mismatch, repair: () => applyMigrations(d1, pending) };
  }
  if (unknown.length === 0) return UNKNOWN_LOSS;
  return unrepairable(
    "The database's schema is newer than this Worker. Deploy the release that made it, or a later one.",
  );
}

/**
 * Repairs the schema after scheduled work failed because of it.
 * @throws the original error if it is no schema mismatch; Error with the explanation if no repair is possible
 */
export async function repairSchema(bindings: readonly DatabaseBinding[], error: unknown): Promise<void> {
  if (!isSchemaMismatch(error)) throw error;
  const { mismatch, repair } = await examineSchemas(bindings);
  if (repair === undefined) throw new Error(mismatch.message, { cause: error });
  await repair();
}

function unrepairable(message: string): { mismatch: SchemaMismatch; repair: undefined } {
  return { mismatch: { message, retryAfterSeconds: RETRY_UNREPAIRED_SECONDS }, repair: undefined };
}
