// Stores the delivery configuration of a bucket in a further database. Its hosts are claimed in the first database before its
// row changes, and released after it. So a host has one bucket, whichever databases the buckets are in. A crash in between leaves
// a claim that no configuration confirms: it delivers nothing, and the job complete-placements releases it.
import { timeOrderedId } from "../../bytes/random-id.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";
import type { Databases } from "../d1/databases.ts";
import { lookUpBucket, replaceDelivery, type Bucket } from "../metadata/buckets.ts";
import type { Placement } from "../metadata/placements.ts";

/** Each concurrent change of the configuration costs one more attempt. */
const ATTEMPTS = 5;

/** The stored form of a configuration, null for none, and its hosts. */
interface NewDelivery {
  readonly text: string | null;
  readonly hosts: readonly string[];
}

/**
 * Claims the hosts, stores the configuration and releases the bucket's other hosts.
 *
 * Each attempt marks all claims of the bucket with its id. The row changes only if it is still as it was read, so of two
 * concurrent changes the later one has read the result of the earlier one, and marks the claims after it. A change
 * releases only claims that have its own mark, and therefore none that a later change needs.
 * @throws Error from D1, also if another bucket has one of the hosts (isHostConflict)
 */
export async function storeClaims(
  { first }: Databases,
  database: Database,
  bucket: Bucket,
  { text, hosts }: NewDelivery,
  now: number,
): Promise<"stored" | "bucket missing" | "changed meanwhile"> {
  let known: Bucket = bucket;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const claimId = timeOrderedId(now);
    await first.batch([markClaims(bucket, claimId), insertClaims(bucket, hosts, claimId)]);
    const [replaced] = await database.batch([replaceDelivery(known, text)]);
    if (replaced !== undefined && replaced.changes > 0) {
      await first.batch([releaseOthers(bucket, hosts, claimId)]).catch(() => undefined);
      return "stored";
    }
    const { bucket: found } = await database.look(lookUpBucket(bucket.name));
    if (found?.id !== bucket.id) return "bucket missing";
    known = found;
  }
  return "changed meanwhile";
}

function markClaims({ id }: Bucket, claimId: string): Statement {
  return statement(`UPDATE delivery_hosts SET claim_id = ? WHERE bucket_id = ?`, claimId, id);
}

/** Fails if another bucket has one of the hosts. Claims nothing for a bucket whose placement is deleted. */
function insertClaims({ name, id }: Pick<Bucket, "name" | "id">, hosts: readonly string[], claimId: string): Statement {
  return statement(
    `INSERT INTO delivery_hosts (host, bucket_name, bucket_id, claim_id)
     SELECT k.value, p.name, p.id, ?4 FROM bucket_placements p CROSS JOIN json_each(?3) k
     WHERE p.name = ?1 AND p.id = ?2
       AND NOT EXISTS (SELECT 1 FROM delivery_hosts h WHERE h.host = k.value AND h.bucket_id = ?2)`,
    name,
    id,
    JSON.stringify(hosts),
    claimId,
  );
}

function releaseOthers({ id }: Bucket, hosts: readonly string[], claimId: string): Statement {
  return statement(
    `DELETE FROM delivery_hosts
     WHERE bucket_id = ? AND claim_id = ? AND host NOT IN (SELECT value FROM json_each(?))`,
    id,
    claimId,
    JSON.stringify(hosts),
  );
}

interface Claim {
  readonly bucket_id: string;
  readonly host: string;
}

/**
 * Makes the claims of placed buckets equal to their configurations: claims that an interrupted change has left are released,
 * and those that the first database has lost are inserted, unless another bucket has the host.
 * @param before claims that were written since then may belong to a change in progress; milliseconds since the epoch
 * @returns the numbers of released and inserted claims
 */
export async function reconcileClaims(
  { first }: Databases,
  database: Database,
  placements: readonly Pick<Placement, "name" | "id">[],
  before: number,
): Promise<{ readonly released: number; readonly claimed: number }> {
  // The claims are read first: a configuration that is read later and lacks a host lacks it for good, or a change has marked it.
  const claims = await first.look(lookUpClaims(placements));
  const configured = await database.look(lookUpConfiguredHosts(placements));
  const unconfirmed = claims.filter((claim) => !isIn(configured, claim));
  const lost = configured.filter((host) => !isIn(claims, host));
  const released = unconfirmed.length === 0 ? [] : await first.batch([releaseUnconfirmed(unconfirmed, before)]);
  const claimed = lost.length === 0 ? [] : await first.batch([restoreClaims(lost, timeOrderedId(before))]);
  return { released: released[0]?.changes ?? 0, claimed: claimed[0]?.changes ?? 0 };
}

function isIn(list: readonly Claim[], { bucket_id, host }: Claim): boolean {
  return list.some((one) => one.bucket_id === bucket_id && one.host === host);
}

interface MarkedClaim extends Claim {
  readonly claim_id: string;
}

function lookUpClaims(placements: readonly { readonly id: string }[]): Lookup<MarkedClaim[]> {
  return {
    statements: [
      statement(
        `SELECT h.bucket_id, h.host, h.claim_id FROM json_each(?) i CROSS JOIN delivery_hosts h ON h.bucket_id = i.value
         WHERE h.claim_id IS NOT NULL`,
        JSON.stringify(placements.map(({ id }) => id)),
      ),
    ],
    read: (results) => [...rowsOf<MarkedClaim>(results)],
  };
}

function lookUpConfiguredHosts(placements: readonly Pick<Placement, "name" | "id">[]): Lookup<Claim[]> {
  return {
    statements: [
      statement(
        `SELECT b.id AS bucket_id, h.value AS host FROM json_each(?) p
         CROSS JOIN buckets b ON b.name = p.value ->> 0 AND b.id = p.value ->> 1
         CROSS JOIN json_each(b.delivery, '$.hosts') h`,
        JSON.stringify(placements.map(({ name, id }) => [name, id])),
      ),
    ],
    read: (results) => [...rowsOf<Claim>(results)],
  };
}

/** A time-ordered id compares as its time does. */
function releaseUnconfirmed(claims: readonly MarkedClaim[], before: number): Statement {
  return statement(
    `DELETE FROM delivery_hosts WHERE claim_id < ?2 AND (host, bucket_id, claim_id) IN
       (SELECT value ->> 'host', value ->> 'bucket_id', value ->> 'claim_id' FROM json_each(?1))`,
    JSON.stringify(claims),
    timeOrderedId(before),
  );
}

function restoreClaims(claims: readonly Claim[], claimId: string): Statement {
  return statement(
    `INSERT OR IGNORE INTO delivery_hosts (host, bucket_name, bucket_id, claim_id)
     SELECT c.value ->> 'host', p.name, p.id, ?2 FROM json_each(?1) c
     CROSS JOIN bucket_placements p ON p.id = c.value ->> 'bucket_id'`,
    JSON.stringify(claims),
    claimId,
  );
}
