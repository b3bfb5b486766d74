import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { successorOfPrefix } from "../../src/bytes/text.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { insertUser, listUsers, type UserPage } from "../../src/state/identities/users.ts";

const database = new Database(env.DB, new Counts());

/** Creates users with names after `base`, alternating between two paths; names sort by their numbers. */
async function createUsers(base: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${base}${String(index).padStart(4, "0")}`);
  await database.batch(
    names.map((name, index) =>
      insertUser({ id: crypto.randomUUID(), name, path: `/${base}/${index % 2}/`, createdAt: 0, tags: [] }),
    ),
  );
  return names;
}

async function page(pathPrefix: string, after: string, limits: Pick<UserPage, "limit" | "maxExamined">) {
  const before = successorOfPrefix(pathPrefix) ?? "";
  return database.look(listUsers({ pathPrefix, before, after, ...limits }));
}

describe("a page of users", () => {
  it("ends after a bounded number of examined users, and the next one continues there", async () => {
    const base = `~${crypto.randomUUID().slice(0, 8)}-`;
    const names = await createUsers(base, 10);
    const shown: string[] = [];
    const sizes: number[] = [];
    for (let after: string | undefined = base; after !== undefined;) {
      const { users, last } = await page(`/${base}/1/`, after, { limit: 100, maxExamined: 3 });
      shown.push(...users.map(({ name }) => name));
      sizes.push(users.length);
      after = last?.startsWith(base) === true ? last : undefined;
    }
    expect(shown).toEqual(names.filter((_, index) => index % 2 === 1));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2);
  });

  it("reads rows in proportion to what it returns or examines, however many users exist", async () => {
    const base = `~${crypto.randomUUID().slice(0, 8)}-`;
    await createUsers(base, 400);
    const cost = async (pathPrefix: string, maxExamined: number): Promise<number> => {
      const counts = new Counts();
      const before = successorOfPrefix(pathPrefix) ?? "";
      const page = listUsers({ pathPrefix, before, after: base, limit: 5, maxExamined });
      const { users, last } = await new Database(env.DB, counts).look(page);
      expect(users.length).toBe(pathPrefix === "/no-user/" ? 0 : 5);
      expect(last).toBeDefined();
      return counts.snapshot().d1RowsRead;
    };
    expect(await cost("/", 5000)).toBeLessThan(20);
    expect(await cost(`/${base}/`, 100)).toBeLessThan(250);
    expect(await cost("/no-user/", 100)).toBeLessThan(350);
  });
});
