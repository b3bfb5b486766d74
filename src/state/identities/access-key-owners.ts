// Looks up the owner of an access key: the key, its user and the user's policies in one statement.
import type { LastUseColumns, EncryptedSecret } from "./access-keys.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";

/** An active access key, its user and the user's policies. */
export interface AccessKeyOwner {
  readonly secret: EncryptedSecret;
  readonly userId: string;
  readonly userName: string;
  readonly userPath: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly policies: readonly (readonly [name: string, document: string])[];
  /** Milliseconds since the epoch; undefined: never. */
  readonly lastUsedAt: number | undefined;
}

// Looks up the owner of an access key: the key, its user and the user's policies in one statement.

export function lookUpAccessKeyOwner(accessKeyId: string): Lookup<{ readonly owner: AccessKeyOwner | undefined }> {
  return {
    statements: [
      statement(
        `SELECT k.secret, k.key_version, k.last_used_at, u.id, u.name, u.path, u.tags,
           (SELECT json_group_array(json_array(p.name, p.document))
            FROM user_policies p WHERE p.user_id = u.id) AS policies
         FROM access_keys k CROSS JOIN users u ON u.id = k.user_id
         WHERE k.id = ? AND k.status = 'Active'`,
        accessKeyId,
      ),
    ],
    read(results) {
      const [row] = rowsOf<AccessKeyOwnerRow>(results);
      return { owner: row === undefined ? undefined : accessKeyOwnerFromRow(row) };
    },
  };
}

interface AccessKeyOwnerRow extends Pick<LastUseColumns, "last_used_at"> {
  readonly secret: string;
  readonly key_version: string;
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly tags: string;
  readonly policies: string;
}

function accessKeyOwnerFromRow(row: AccessKeyOwnerRow): AccessKeyOwner {
  return {
    secret: { ciphertext: row.secret, keyVersion: row.key_version },
    userId: row.id,
    userName: row.name,
    userPath: row.path,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    tags: JSON.parse(row.tags) as AccessKeyOwner["tags"],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    policies: JSON.parse(row.policies) as AccessKeyOwner["policies"],
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
