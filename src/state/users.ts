// The users table.
import { rowsOf, statement, type Lookup, type Statement } from "./database.ts";

/** A user. */
export interface User {
  readonly id: string;
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly tags: readonly (readonly [key: string, value: string])[];
}

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly created_at: number;
  readonly tags: string;
}

const COLUMNS = "id, name, path, created_at, tags";

/** Looks a user up by name, in which case does not matter. */
export function lookUpUser(name: string): Lookup<{ readonly user: User | undefined }> {
  return lookUp(statement(`SELECT ${COLUMNS} FROM users WHERE name = ?`, name));
}

/** Looks a user up by id. */
export function lookUpUserById(id: string): Lookup<{ readonly user: User | undefined }> {
  return lookUp(statement(`SELECT ${COLUMNS} FROM users WHERE id = ?`, id));
}

function lookUp(select: Statement): Lookup<{ readonly user: User | undefined }> {
  return {
    statements: [select],
    read: (results) => ({ user: rowsOf<UserRow>(results).map(userFromRow)[0] }),
  };
}

/** Which users to list: those under a path, after one of them, in the order of their paths and names. */
export interface UserPage {
  readonly pathPrefix: string;
  /** The least text above all that begin with the prefix. */
  readonly before: string;
  readonly after: { readonly path: string; readonly name: string } | undefined;
  readonly limit: number;
}

/** A page of users. */
export function listUsers({ pathPrefix, before, after, limit }: UserPage): Lookup<User[]> {
  return {
    statements: [
      statement(
        `SELECT ${COLUMNS} FROM users WHERE path >= ?1 AND path < ?2 AND (path, name) > (?3, ?4)
         ORDER BY path, name LIMIT ?5`,
        pathPrefix,
        before,
        after?.path ?? "",
        after?.name ?? "",
        limit,
      ),
    ],
    read: (results) => rowsOf<UserRow>(results).map(userFromRow),
  };
}

/** Makes a user unless there is one of the name: then nothing changes. */
export function insertUser({ id, name, path, createdAt, tags }: User): Statement {
  return statement(
    `INSERT INTO users (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    id,
    name,
    path,
    createdAt,
    JSON.stringify(tags),
  );
}

/** Gives a user another name and path unless another user has the name: then nothing changes. */
export function renameUser(id: string, name: string, path: string): Statement {
  return statement(`UPDATE OR IGNORE users SET name = ?, path = ? WHERE id = ?`, name, path, id);
}

/** Sets a user's tags unless they are not what they were any more: then nothing changes. */
export function setUserTags({ id, tags: before }: User, tags: User["tags"]): Statement {
  return statement(
    `UPDATE users SET tags = ? WHERE id = ? AND tags = ?`,
    JSON.stringify(tags),
    id,
    JSON.stringify(before),
  );
}

/** What kept a user from being deleted. */
export interface Deletion {
  readonly isDeleted: boolean;
  readonly hasAccessKeys: boolean;
  readonly hasPolicies: boolean;
}

/** Deletes a user who has neither access keys nor policies. */
export function deleteUser(id: string): Lookup<Deletion> {
  const hasKeys = "EXISTS (SELECT 1 FROM access_keys WHERE user_id = ?1)";
  const hasPolicies = "EXISTS (SELECT 1 FROM user_policies WHERE user_id = ?1)";
  return {
    statements: [
      statement(`DELETE FROM users WHERE id = ?1 AND NOT ${hasKeys} AND NOT ${hasPolicies}`, id),
      statement(`SELECT ${hasKeys} AS has_keys, ${hasPolicies} AS has_policies`, id),
    ],
    read(results) {
      const [row] = rowsOf<{ has_keys: number; has_policies: number }>(results, 1);
      return {
        isDeleted: results[0]?.changes === 1,
        hasAccessKeys: row?.has_keys === 1,
        hasPolicies: row?.has_policies === 1,
      };
    },
  };
}

function userFromRow({ id, name, path, created_at: createdAt, tags }: UserRow): User {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { id, name, path, createdAt, tags: JSON.parse(tags) as User["tags"] };
}
