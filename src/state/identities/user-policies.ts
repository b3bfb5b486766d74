// The user_policies table: the inline policies of each user, as texts.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** Lists the names of a user's policies, in order. */
export function listUserPolicies(userId: string): Lookup<string[]> {
  return {
    statements: [statement(`SELECT name FROM user_policies WHERE user_id = ? ORDER BY name`, userId)],
    read: (results) => rowsOf<{ name: string }>(results).map(({ name }) => name),
  };
}

/** Looks up the text of one of a user's policies. */
export function lookUpUserPolicy(userId: string, name: string): Lookup<{ readonly document: string | undefined }> {
  return {
    statements: [statement(`SELECT document FROM user_policies WHERE user_id = ? AND name = ?`, userId, name)],
    read: (results) => ({ document: rowsOf<{ document: string }>(results)[0]?.document }),
  };
}

/** A policy to put. */
export interface UserPolicy {
  readonly name: string;
  readonly document: string;
  /** The number of characters that count towards the limit. */
  readonly size: number;
}

/** Writes a policy if the user exists and all of the user's policies stay within the size limit. */
export function putUserPolicy(userId: string, { name, document, size }: UserPolicy, sizeLimit: number): Statement {
  return statement(
    `INSERT INTO user_policies (user_id, name, document, size)
     SELECT u.id, ?2, ?3, ?4 FROM users u
     WHERE u.id = ?1
       AND ?4 + (SELECT coalesce(sum(size), 0) FROM user_policies WHERE user_id = ?1 AND name <> ?2) <= ?5
     ON CONFLICT (user_id, name) DO UPDATE SET document = excluded.document, size = excluded.size`,
    userId,
    name,
    document,
    size,
    sizeLimit,
  );
}

/** Deletes one of a user's policies. */
export function deleteUserPolicy(userId: string, name: string): Statement {
  return statement(`DELETE FROM user_policies WHERE user_id = ? AND name = ?`, userId, name);
}
