// The hold on deletions, and the generation by which a database that was restored, lost or exchanged is recognised. The
// database's number is raised before the blob store's, so that a crash between the two raises no alarm.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** A hold: scheduled jobs delete nothing until an operator lifts it. */
export interface DeletionHold {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly heldAt: number;
  readonly isLifted: boolean;
}

/** Which blob store a database belongs to, and how many ticks the two have seen together. */
export interface Generation {
  readonly storeId: string;
  readonly generation: number;
}

export interface HoldFacts {
  readonly hold: DeletionHold | undefined;
  /** Undefined in a database that has seen no tick. */
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

/** Holds deletions. A hold that is there keeps its reason; one that was lifted is a hold again. */
export function holdDeletions(reason: string, now: number): Statement {
  return statement(
    `INSERT INTO deletion_hold (id, reason, held_at) VALUES (1, ?1, ?2)
     ON CONFLICT DO UPDATE SET reason = ?1, held_at = ?2, lifted_at = NULL WHERE lifted_at IS NOT NULL`,
    reason,
    now,
  );
}

/** Lifts the hold, if there is one. */
export function liftHold(now: number): Statement {
  return statement(`UPDATE deletion_hold SET lifted_at = ?`, now);
}

/** Ends a hold that was lifted. */
export function endLiftedHold(): Statement {
  return statement(`DELETE FROM deletion_hold WHERE lifted_at IS NOT NULL`);
}

/** Writes the generation; it never becomes lower. */
export function saveGeneration({ storeId, generation }: Generation): Statement {
  return statement(
    `INSERT INTO store_generation (id, store_id, generation) VALUES (1, ?1, ?2)
     ON CONFLICT DO UPDATE SET store_id = ?1, generation = max(generation, ?2)`,
    storeId,
    generation,
  );
}
