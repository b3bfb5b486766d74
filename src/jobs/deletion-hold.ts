// Decides before each tick whether jobs may delete. They may not during a hold, nor when the database belongs to
// another blob store or is older than the store's mark: after a restore, a loss or a wrong binding, rows do not show
// what is needed. The check records such a hold, and an operator lifts it (docs/recovery.md).
import { randomDigits } from "../bytes/random-id.ts";
import { decodeUtf8, utf8 } from "../bytes/text.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { Database } from "../state/d1/database.ts";
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
  readonly database: Database;
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

async function checkGeneration({ database, blobs }: Stores, now: number): Promise<string | undefined> {
  const facts = await database.look(lookUpHold());
  const { hold, own } = facts;
  if (hold?.isLifted === false) return hold.reason;
  const stored = readMark(await blobs.readMark());
  const reason = hold === undefined ? mismatchOf(facts, stored) : undefined;
  if (reason !== undefined) {
    await database.batch([holdDeletions(reason, now)]);
    return reason;
  }
  const storeId = stored?.storeId ?? own?.storeId ?? randomDigits(STORE_ID_DIGITS);
  const next = { storeId, generation: Math.max(own?.generation ?? 0, stored?.generation ?? 0) + 1 };
  await database.batch([endLiftedHold(), saveGeneration(next)]);
  await blobs.writeMark(utf8(JSON.stringify(next)));
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
