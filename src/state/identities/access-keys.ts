// The access_keys table. Stores secrets encrypted and never sees master keys.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

export type AccessKeyStatus = "Active" | "Inactive";

/** An encrypted secret. */
export interface EncryptedSecret {
  readonly keyVersion: string;
  readonly ciphertext: string;
}

/** An access key as its user sees it. */
export interface AccessKey {
  readonly id: string;
  readonly status: AccessKeyStatus;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** The last use of an access key, accurate to a few minutes. */
export interface LastUse {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly region: string;
  readonly service: string;
}

/** Inserts an active access key if the user exists and has fewer than `limit` keys. */
export function insertAccessKey(
  userId: string,
  { id, createdAt }: Pick<AccessKey, "id" | "createdAt">,
  { keyVersion, ciphertext }: EncryptedSecret,
  limit: number,
): Statement {
  return statement(
    `INSERT INTO access_keys (id, user_id, secret, key_version, status, created_at)
     SELECT ?1, u.id, ?3, ?4, 'Active', ?5 FROM users u
     WHERE u.id = ?2 AND (SELECT count(*) FROM access_keys WHERE user_id = ?2) < ?6`,
    id,
    userId,
    ciphertext,
    keyVersion,
    createdAt,
    limit,
  );
}

/** Lists a user's access keys, oldest first. */
export function listAccessKeys(userId: string): Lookup<AccessKey[]> {
  return {
    statements: [
      statement(`SELECT id, status, created_at FROM access_keys WHERE user_id = ? ORDER BY created_at, id`, userId),
    ],
    read: (results) =>
      rowsOf<{ id: string; status: AccessKeyStatus; created_at: number }>(results).map(
        ({ id, status, created_at: createdAt }) => ({ id, status, createdAt }),
      ),
  };
}

/** Activates or deactivates one of a user's access keys. */
export function setAccessKeyStatus(userId: string, id: string, status: AccessKeyStatus): Statement {
  return statement(`UPDATE access_keys SET status = ? WHERE id = ? AND user_id = ?`, status, id, userId);
}

/** Deletes one of a user's access keys. */
export function deleteAccessKey(userId: string, id: string): Statement {
  return statement(`DELETE FROM access_keys WHERE id = ? AND user_id = ?`, id, userId);
}

/** The user and last use of an access key. */
export interface AccessKeyUse {
  readonly userId: string;
  readonly lastUse: LastUse | undefined;
}

/** Looks up the user and last use of an access key. */
export function lookUpAccessKeyUse(id: string): Lookup<{ readonly use: AccessKeyUse | undefined }> {
  return {
    statements: [
      statement(`SELECT user_id, last_used_at, last_used_region, last_used_service FROM access_keys WHERE id = ?`, id),
    ],
    read(results) {
      const [row] = rowsOf<LastUseColumns & { user_id: string }>(results);
      return { use: row === undefined ? undefined : { userId: row.user_id, lastUse: lastUseFromRow(row) } };
    },
  };
}

/**
 * Records a use of an access key.
 * @param unlessAfter skips the write if the recorded use is later than this (milliseconds since the epoch)
 */
export function recordLastUse(id: string, { at, region, service }: LastUse, unlessAfter: number): Statement {
  return statement(
    `UPDATE access_keys SET last_used_at = ?, last_used_region = ?, last_used_service = ?
     WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)`,
    at,
    region,
    service,
    id,
    unlessAfter,
  );
}

/** An encrypted secret with its access key. */
export interface StoredSecret extends EncryptedSecret {
  readonly accessKeyId: string;
}

/** Lists secrets encrypted under these master key versions, after an access key. Reads every row in between. */
export function lookUpSecretsOf(keyVersions: readonly string[], after: string, limit: number): Lookup<StoredSecret[]> {
  return {
    statements: [
      statement(
        `SELECT id AS accessKeyId, key_version AS keyVersion, secret AS ciphertext FROM access_keys
         WHERE id > ?2 AND key_version IN (SELECT value FROM json_each(?1)) ORDER BY id LIMIT ?3`,
        JSON.stringify(keyVersions),
        after,
        limit,
      ),
    ],
    read: (results) => [...rowsOf<StoredSecret>(results)],
  };
}

/** Replaces a secret with its re-encrypted form, if it is unchanged. */
export function replaceSecret(old: StoredSecret, { keyVersion, ciphertext }: EncryptedSecret): Statement {
  return statement(
    `UPDATE access_keys SET secret = ?, key_version = ? WHERE id = ? AND secret = ?`,
    ciphertext,
    keyVersion,
    old.accessKeyId,
    old.ciphertext,
  );
}

/** The columns of the last use; null: never used. */
export interface LastUseColumns {
  readonly last_used_at: number | null;
  readonly last_used_region: string | null;
  readonly last_used_service: string | null;
}

function lastUseFromRow(row: LastUseColumns): LastUse | undefined {
  const { last_used_at: at, last_used_region: region, last_used_service: service } = row;
  return at === null ? undefined : { at, region: region ?? "", service: service ?? "" };
}
