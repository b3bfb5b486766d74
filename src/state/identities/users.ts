// The users table: lookup, listing, creation, changes and deletion of users.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

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

/** Looks up a user by name, ignoring case. */
export function lookUpUser(name: string): Lookup<{ readonly user: User | undefined }> {
  return lookUp(statement(`SELECT ${COLUMNS} FROM users WHERE name = ?`, name));
}

/** Looks up a user by id. */
export function lookUpUserById(id: string): Lookup<{ readonly user: User | undefined }> {
  return lookUp(statement(`SELECT ${COLUMNS} FROM users WHERE id = ?`, id));
}

function lookUp(select: Statement): Lookup<{ readonly user: User | undefined }> {
  return {
    statements: [select],
    read: (results) => ({ user: rowsOf<UserRow>(results).map(userFromRow)[0] }),
  };
}

/** A page of users under a path, in the order of their names. */
export interface UserPage {
  readonly pathPrefix: string;
  /** The least text greater than all texts with the prefix. */
  readonly before: string;
  /** The name after which the page begins; "": from the first. */
  readonly after: string;
  readonly limit: number;
  /** The most users to examine, under the path or not. */
  readonly maxExamined: number;
}

export interface ListedUsers {
  readonly users: readonly User[];
  /** The name after which the next page begins; undefined on the last page. */
  readonly last: string | undefined;
}

/** Lists a page of users. Names are compared and ordered without regard to case. */
export function listUsers({ pathPrefix, before, after, limit, maxExamined }: UserPage): Lookup<ListedUsers> {
  return {
    statements: [
      // Selects the name at which `maxExamined` ends the page. Every user matches "/", so it needs no such bound.
      statement(
        `SELECT name FROM users WHERE name > ?1 AND ?2 <> '/' ORDER BY name LIMIT 1 OFFSET ?3`,
        after,
        pathPrefix,
        maxExamined - 1,
      ),
      statement(
        `SELECT ${COLUMNS} FROM users
         WHERE name > ?3 AND path >= ?1 AND path < ?2 AND name <= coalesce(
           (SELECT name FROM users WHERE name > ?3 AND ?1 <> '/' ORDER BY name LIMIT 1 OFFSET ?5), char(0x10ffff))
         ORDER BY name LIMIT ?4`,
        pathPrefix,
        before,
        after,
        limit + 1,
        maxExamined - 1,
      ),
    ],
    read(results) {
      const [end] = rowsOf<{ readonly name: string }>(results);
      const users = rowsOf<UserRow>(results, 1).map(userFromRow);
      const page = users.slice(0, limit);
      return { users: page, last: users.length > limit ? page.at(-1)?.name : end?.name };
    },
  };
}

/** Inserts a user unless the name is taken. */
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

/** Changes a user's name and path unless the name is taken. */
export function renameUser(id: string, name: string, path: string): Statement {
  return statement(`UPDATE OR IGNORE users SET name = ?, path = ? WHERE id = ?`, name, path, id);
}

/** Sets a user's tags if they are still those of the given user. */
export function setUserTags({ id, tags: before }: User, tags: User["tags"]): Statement {
  return statement(
    `UPDATE users SET tags = ? WHERE id = ? AND tags = ?`,
    JSON.stringify(tags),
    id,
    JSON.stringify(before),
  );
}

/** The result of a deletion: whether the user was deleted, and what prevents it. */
export interface Deletion {
  readonly isDeleted: boolean;
  readonly hasAccessKeys: boolean;
  readonly hasPolicies: boolean;
}

/** Deletes a user that has neither access keys nor policies. */
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
        // D1 counts the rows of triggers too.
        isDeleted: (results[0]?.changes ?? 0) > 0,
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
