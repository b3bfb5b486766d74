// Counts what buckets store whose quota, or whose creator's, was set when they had too many versions to count in the request.
// Triggers count what is written meanwhile, and the limits are enforced from the last range on. With several databases each
// pass begins with the users' quotas, of which every database enforces its own.
import type { Databases } from "../state/d1/databases.ts";
import { countNextRange, lookUpUncounted } from "../state/metadata/bucket-quotas.ts";
import {
  copyUserQuotas,
  lookUpUserQuotas,
  lookUpUserStorage,
  setStoredElsewhere,
  type UserStorage,
} from "../state/metadata/user-quotas.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

const PAGE_USERS = 1000;
/** The cursor after the last page of users, and before a page: this and the last id of the previous one. */
const USERS_DONE = "buckets";
const USERS = "users ";
const NOTHING: UserStorage = { bytes: 0, objects: 0 };

/** Counts one range of keys per step. */
const countBuckets: Job = overDatabases({
  name: "count-quotas",

  async step({ database }, _cursor) {
    const { bucketId } = await database.look(lookUpUncounted());
    if (bucketId === undefined) return { cursor: null, report: {} };
    await database.batch([countNextRange(bucketId)]);
    return { cursor: "more", report: { ranges: 1 } };
  },
});

export const countQuotas: Job = {
  name: countBuckets.name,

  async step(context, cursor) {
    const { databases } = context;
    if (databases.areSeveral && (cursor === null || cursor.startsWith(USERS))) {
      const last = await shareUserQuotas(databases, cursor?.slice(USERS.length) ?? "");
      return { cursor: last === undefined ? USERS_DONE : USERS + last, report: {} };
    }
    return countBuckets.step(context, cursor === USERS_DONE ? null : cursor);
  },
};

/** Copies a page of users' limits to further databases, and writes to each database what the others store. */
async function shareUserQuotas({ first, all }: Databases, after: string): Promise<string | undefined> {
  const quotas = await first.look(lookUpUserQuotas(after, PAGE_USERS));
  const last = quotas.length === PAGE_USERS ? quotas.at(-1)?.userId : undefined;
  const range = { after, last };
  for (const database of all) if (!database.isFirst) await database.batch(copyUserQuotas(quotas, range));
  const stored = await Promise.all(all.map((database) => database.look(lookUpUserStorage(range))));
  for (const [index, database] of all.entries()) {
    const elsewhere = quotas.map(({ userId }): [string, UserStorage] => [
      userId,
      stored.filter((_, other) => other !== index).reduce((sum, of) => add(sum, of.get(userId)), NOTHING),
    ]);
    if (elsewhere.length > 0) await database.batch([setStoredElsewhere(new Map(elsewhere))]);
  }
  return last;
}

function add(sum: UserStorage, { bytes, objects }: UserStorage = NOTHING): UserStorage {
  return { bytes: sum.bytes + bytes, objects: sum.objects + objects };
}
