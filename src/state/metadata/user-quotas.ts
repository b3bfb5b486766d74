// The user_quotas table: limits on what all buckets that a user created store together. Triggers keep the first database's
// rows (see the migration); further databases get copies, and each learns what the others store.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** A user's limits. */
export interface UserQuota {
  readonly userId: string;
  readonly maxBytes: number | null;
  readonly maxObjects: number | null;
}

/** What a user's buckets store. */
export interface UserStorage {
  readonly bytes: number;
  /** Versions, without delete markers. */
  readonly objects: number;
}

/** The ids of users after one, up to and including another; undefined: all further ones. */
export interface UserRange {
  readonly after: string;
  readonly last: string | undefined;
}

// Ids of users are ASCII.
const AFTER_ALL_IDS = "\u{10ffff}";

/** Looks up a page of limits in the order of the users' ids. */
export function lookUpUserQuotas(after: string, limit: number): Lookup<UserQuota[]> {
  return {
    statements: [
      statement(
        `SELECT user_id AS userId, max_bytes AS maxBytes, max_objects AS maxObjects FROM user_quotas
         WHERE user_id > ? ORDER BY user_id LIMIT ?`,
        after,
        limit,
      ),
    ],
    read: (results) => [...rowsOf<UserQuota>(results)],
  };
}

/** Looks up what the buckets of a database store for each user in a range. */
export function lookUpUserStorage({ after, last }: UserRange): Lookup<ReadonlyMap<string, UserStorage>> {
  return {
    statements: [
      statement(
        `SELECT user_id AS userId, sum(bytes) AS bytes, sum(objects) AS objects FROM bucket_quotas
         WHERE user_id > ? AND user_id <= ? GROUP BY user_id`,
        after,
        last ?? AFTER_ALL_IDS,
      ),
    ],
    read: (results) =>
      new Map(
        rowsOf<UserStorage & { readonly userId: string }>(results).map(({ userId, ...stored }) => [userId, stored]),
      ),
  };
}

/** Makes the limits of a further database equal to those of the first, for the users in a range. */
export function copyUserQuotas(quotas: readonly UserQuota[], { after, last }: UserRange): Statement[] {
  const rows = JSON.stringify(quotas.map(({ userId, maxBytes, maxObjects }) => [userId, maxBytes, maxObjects]));
  return [
    statement(
      `DELETE FROM user_quotas WHERE user_id > ?1 AND user_id <= ?2
         AND user_id NOT IN (SELECT value ->> 0 FROM json_each(?3))`,
      after,
      last ?? AFTER_ALL_IDS,
      rows,
    ),
    statement(
      `INSERT INTO user_quotas (user_id, max_bytes, max_objects)
       SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
       ON CONFLICT (user_id) DO UPDATE SET max_bytes = excluded.max_bytes, max_objects = excluded.max_objects
       WHERE max_bytes IS NOT excluded.max_bytes OR max_objects IS NOT excluded.max_objects`,
      rows,
    ),
  ];
}

/** Sets what other databases store for each user; rows that have the same already are not written. */
export function setStoredElsewhere(stored: ReadonlyMap<string, UserStorage>): Statement {
  return statement(
    `UPDATE user_quotas SET bytes_elsewhere = e.value ->> 1, objects_elsewhere = e.value ->> 2
     FROM json_each(?) e WHERE user_id = e.value ->> 0
       AND (bytes_elsewhere <> e.value ->> 1 OR objects_elsewhere <> e.value ->> 2)`,
    JSON.stringify(Array.from(stored, ([userId, { bytes, objects }]) => [userId, bytes, objects])),
  );
}
