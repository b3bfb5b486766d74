// The hold on deletions, and the generation number that detects a restored, lost or exchanged database. The database's
// number is raised before the blob store's, so that a crash in between raises no false alarm.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** A hold: scheduled jobs delete nothing until an operator lifts it. */
export interface DeletionHold {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly heldAt: number;
  readonly isLifted: boolean;
}

/** The blob store that a database belongs to, and the number of ticks that both have recorded. */
export interface Generation {
  readonly storeId: string;
  readonly generation: number;
}

export interface HoldFacts {
  readonly hold: DeletionHold | undefined;
  /** Undefined before the database's first tick. */
  readonly own: Generation | undefined;
}

/** Looks up the hold and the generation. */
export function lookUpHold(): Lookup<HoldFacts> {
  interface HoldRow {
    readonly reason: string;
    readonly held_at: number;
    readonly lifted_at: number | null;
  }
  interface GenerationRow {
    readonly store_id: string;
    readonly generation: number;
  }
  return {
    statements: [
      statement(`SELECT reason, held_at, lifted_at FROM deletion_hold`),
      statement(`SELECT store_id, generation FROM store_generation`),
    ],
    read: (results) => ({
      hold: rowsOf<HoldRow>(results).map((row) => ({
        reason: row.reason,
        heldAt: row.held_at,
        isLifted: row.lifted_at !== null,
      }))[0],
      own: rowsOf<GenerationRow>(results, 1).map((row) => ({ storeId: row.store_id, generation: row.generation }))[0],
    }),
  };
}

/** Holds deletions. An existing hold keeps its reason; a lifted one becomes active again. */
export function holdDeletions(reason: string, now: number): Statement {
  return statement(
    `INSERT INTO deletion_hold (id, reason, held_at) VALUES (1, ?1, ?2)
     ON CONFLICT DO UPDATE SET reason = ?1, held_at = ?2, lifted_at = NULL WHERE lifted_at IS NOT NULL`,
    reason,
    now,
  );
}

/** Lifts the hold, if one exists. */
export function liftHold(now: number): Statement {
  return statement(`UPDATE deletion_hold SET lifted_at = ?`, now);
}

/** Deletes a lifted hold. */
export function endLiftedHold(): Statement {
  return statement(`DELETE FROM deletion_hold WHERE lifted_at IS NOT NULL`);
}

/** Writes the generation, which never decreases. */
export function saveGeneration({ storeId, generation }: Generation): Statement {
  return statement(
    `INSERT INTO store_generation (id, store_id, generation) VALUES (1, ?1, ?2)
     ON CONFLICT DO UPDATE SET store_id = ?1, generation = max(generation, ?2)`,
    storeId,
    generation,
  );
}
