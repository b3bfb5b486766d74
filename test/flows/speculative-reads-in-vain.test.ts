// Reads that begin before D1 answers, when D1 then names another blob or refuses the request: they are cancelled, nothing of
// them is sent, and their number is bounded.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { succeed } from "../support/query-api.ts";
import {
  NOTHING_EARLY,
  observe,
  reading,
  readingAnonymously,
  remember,
  remembered,
  UNCACHED,
} from "../support/speculation.ts";
import { allow, freshUser } from "../support/users.ts";

storeBodiesInBlobs();

describe("a read in vain", () => {
  const CASES = [
    ["of an overwritten object", 200, "later", async (target: string) => send("PUT", target, { body: "later" })],
    [
      "of an object overwritten with the same bytes",
      200,
      "bytes",
      async (target: string) => send("PUT", target, { body: "bytes" }),
    ],
    ["of a deleted object", 404, undefined, async (target: string) => send("DELETE", target)],
    [
      "of a renamed object",
      404,
      undefined,
      async (target: string) => send("PUT", `${target}2?renameObject`, { headers: { "x-amz-rename-source": "k" } }),
    ],
  ] as const;

  it.each(CASES)("%s is cancelled, and the answer is the database's", async (_, status, text, change) => {
    const { target, read } = await remembered();
    expect((await change(target)).status).toBeLessThan(300);
    const { early, calls, cancelled, answer } = await observe(read, true);
    expect([answer.status, text === undefined ? undefined : answer.text]).toEqual([status, text]);
    expect([early, cancelled, calls]).toEqual([1, 1, status === 200 ? 2 : 1]);
    // It costs nothing twice.
    expect(await observe(read, false)).toMatchObject(NOTHING_EARLY);
  });

  it.each(CASES)(
    "%s while D1 is asked gives the answer of the moment at which D1 answers",
    async (_, status, text, change) => {
      const { target, read } = await remembered();
      const { answer } = await observe(read, true, UNCACHED, async () => change(target));
      expect([answer.status, text === undefined ? undefined : answer.text]).toEqual([status, text]);
    },
  );

  it("of an object that was made private sends none of its bytes", async () => {
    const { bucket, target } = await remembered("secret bytes");
    await putPolicy(bucket, publicReadPolicy(bucket));
    const read = readingAnonymously(target);
    await remember(read);
    await send("DELETE", `/${bucket}?policy`);
    const { early, cancelled, answer } = await observe(read, true);
    expect([answer.status, early, cancelled]).toEqual([403, 1, 1]);
    expect(answer.text).not.toContain("secret");
    expect(await observe(read, false)).toMatchObject({ early: 0, calls: 0 });
  });

  it.each([
    [
      "an access key that was deleted",
      async ({ name, credentials: { accessKeyId } }: { name: string; credentials: { accessKeyId: string } }) =>
        succeed("iam", "DeleteAccessKey", { UserName: name, AccessKeyId: accessKeyId }),
    ],
    [
      "a user who may not read any more",
      async (user: { name: string }) => allow(user, { Effect: "Deny", Action: "*", Resource: "*" }),
    ],
  ])("for %s sends none of its bytes, and happens once", async (_, revoke) => {
    const { bucket, target } = await remembered("secret bytes");
    const user = await freshUser({ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` });
    const read = reading(target, { credentials: user.credentials });
    await remember(read);
    await revoke(user);
    const { early, calls, cancelled, answer } = await observe(read, true);
    expect([answer.status, early, calls, cancelled]).toEqual([403, 1, 1, 1]);
    expect(answer.text).not.toContain("secret");
    expect(await observe(read, false)).toMatchObject({ early: 0, calls: 0 });
  });

  it("never happens to an object that changes between all reads of it", async () => {
    const bucket = await freshBucket();
    const read = reading(`/${bucket}/k`);
    for (let times = 0; times < 6; times += 1) {
      await send("PUT", `/${bucket}/k`, { body: `state ${times}` });
      const { calls, answer } = await observe(read, false);
      expect([calls, answer.text]).toEqual([1, `state ${times}`]);
    }
  });

  it("happens at most once for each two reads of an object that changes often", async () => {
    const bucket = await freshBucket();
    let calls = 0;
    for (let times = 0; times < 12; times += 1) {
      if (times % 2 === 0) await send("PUT", `/${bucket}/k`, { body: `state ${times}` });
      calls += (await observe(reading(`/${bucket}/k`), false)).calls;
    }
    expect(calls).toBe(12 + 5);
  });

  it("of a blob that is gone finds the new place of the bytes", async () => {
    const { target, read } = await remembered();
    const BLOBS = lostBlobs(target);
    expect((await read({ ...UNCACHED, BLOBS })).text).toBe("later");
  });
});

/** The blob store as if the first blob that is read was purged, because its object was overwritten meanwhile. */
function lostBlobs(target: string): R2Bucket {
  let lost: string | undefined;
  return r2With({
    get: async (key, options) => {
      if (lost === undefined) await send("PUT", target, { body: "later" });
      lost ??= key;
      return key === lost ? null : env.BLOBS.get(key, options);
    },
  });
}
