// The spent_sessions table: which sessions have begun the one session that they may begin.
import { statement, type Database } from "../d1/database.ts";

/**
 * Records that a session is spent, and drops the records of sessions that have expired. @returns whether it was not spent
 * before; of several calls at the same time, one gets true
 */
export async function spendSession(
  database: Database,
  { accessKeyId, expiresAt }: { readonly accessKeyId: string; readonly expiresAt: number },
  now: number,
): Promise<boolean> {
  const [inserted] = await database.batch([
    statement(
      "INSERT INTO spent_sessions (access_key_id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
      accessKeyId,
      expiresAt,
    ),
    statement("DELETE FROM spent_sessions WHERE expires_at <= ?", now),
  ]);
  return (inserted?.changes ?? 0) > 0;
}
