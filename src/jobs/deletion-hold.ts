// Decides before each tick whether jobs may delete. They may not during a hold, nor when the database belongs to
// another blob store or is older than the store's mark: after a restore, a loss or a wrong binding, rows do not show
// what is needed. The check records such a hold, and an operator lifts it (docs/recovery.md).
import { randomDigits } from "../bytes/random-id.ts";
import { decodeUtf8, utf8 } from "../bytes/text.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { Databases } from "../state/d1/databases.ts";
import { readPlacedDatabases } from "../state/metadata/placements.ts";
import {
  endLiftedHold,
  holdDeletions,
  lookUpHold,
  saveGeneration,
  type Generation,
  type HoldFacts,
} from "../state/repair/deletion-hold.ts";

const STORE_ID_DIGITS = 26;

interface Stores {
  readonly databases: Databases;
  readonly blobs: BlobStore;
}

/** @returns why jobs must not delete; undefined when they may */
export async function findDeletionHold(stores: Stores, now: number): Promise<string | undefined> {
  try {
    return await checkGeneration(stores, now);
  } catch (error) {
    return `it is not known whether the database was restored: ${String(error)}`;
  }
}

async function checkGeneration({ databases, blobs }: Stores, now: number): Promise<string | undefined> {
  const { first, all } = databases;
  const facts = await Promise.all(all.map((database) => database.look(lookUpHold())));
  const hold = facts[0]?.hold;
  if (hold?.isLifted === false) return hold.reason;
  const stored = readMark(await blobs.readMark());
  const reason = hold === undefined ? await findMismatch(databases, facts, stored) : undefined;
  if (reason !== undefined) {
    await first.batch([holdDeletions(reason, now)]);
    return reason;
  }
  const storeId = stored?.storeId ?? facts[0]?.own?.storeId ?? randomDigits(STORE_ID_DIGITS);
  const generations = facts.map(({ own }) => own?.generation ?? 0);
  const next = { storeId, generation: Math.max(...generations, stored?.generation ?? 0) + 1 };
  await Promise.all(all.map((database) => database.batch([endLiftedHold(), saveGeneration(next)])));
  await blobs.writeMark(utf8(JSON.stringify(next)));
  return undefined;
}

/** Why a database and the blob store do not match; undefined when all of them do. */
async function findMismatch(
  databases: Databases,
  facts: readonly HoldFacts[],
  stored: Generation | undefined,
): Promise<string | undefined> {
  const { first, all } = databases;
  const [ofFirst, ...ofOthers] = facts;
  const reason = ofFirst && mismatchOf(ofFirst, stored);
  if (reason !== undefined || !databases.areSeveral) return reason;
  const placed = await readPlacedDatabases(first);
  const unbound = placed.filter((name) => databases.find(name) === undefined);
  if (unbound.length > 0) return `the database ${unbound.join(", ")} has buckets and is not bound`;
  for (const [index, ofOther] of ofOthers.entries()) {
    const name = all[index + 1]?.name ?? "";
    // A database that was added has no generation yet, and no buckets.
    if (ofOther.own === undefined && !placed.includes(name)) continue;
    const mismatch = mismatchOf(ofOther, stored);
    if (mismatch !== undefined) return `${name}: ${mismatch}`;
  }
  return undefined;
}

/** Why the database and the blob store do not match; undefined when they do. */
function mismatchOf({ own }: HoldFacts, stored: Generation | undefined): string | undefined {
  if (stored === undefined) {
    // The very first tick may have ended between the two writes.
    return (own?.generation ?? 0) > 1
      ? "the blob store is not the one that the database has been used with"
      : undefined;
  }
  if (own === undefined) return "the database is new and the blob store has been used with another one";
  if (own.storeId !== stored.storeId) return "the database has been used with another blob store";
  if (own.generation < stored.generation) return "the database was restored to an earlier moment";
  return undefined;
}

function readMark(bytes: Uint8Array | undefined): Generation | undefined {
  if (bytes === undefined) return undefined;
  // checkGeneration wrote it. A malformed mark throws, so nothing is deleted.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(decodeUtf8(bytes) ?? "") as Generation;
}
