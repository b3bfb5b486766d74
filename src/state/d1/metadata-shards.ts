// Which database holds a bucket's objects. There is one today; every table of a bucket is reached through here, so that
// a second one needs no other change.
import type { Counts } from "./counts.ts";
import { Database } from "./database.ts";

/** The database that holds a bucket and everything in it. */
export function metadataShard(env: Pick<Env, "DB">, _bucketName: string, counts: Counts): Database {
  return new Database(env.DB, counts);
}
