// Appends that meet: exactly one wins each offset, none is lost or doubled, and what changes beside them stays.
import { describe, expect, it } from "vitest";

import { OFFSET, sendAppend } from "../support/appends.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, streamOf } from "../support/client.ts";
import { noise, utf8 } from "../support/digests.ts";
import { mockErrorLog } from "../support/error-log.ts";
import {
  callLost,
  coordinatorOf,
  coordinatorsWith,
  failingCommits,
  ONE_SHARD,
  withCoordinatorD1,
} from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { versionedBucket } from "../support/versioning.ts";

mockErrorLog();

const APPENDERS = 16;
const ROUNDS = 5;

async function textOf(bucket: string): Promise<string> {
  return new TextDecoder().decode(await (await send("GET", `/${bucket}/k`)).bytes());
}

describe.each([
  ["unversioned", freshBucket],
  ["versioned", versionedBucket],
] as const)("16 appenders of one key of an %s bucket", (_, create) => {
  it.each([
    ["short", (text: string) => text],
    ["long", (text: string) => text + "-".repeat(70_000)],
  ] as const)(
    "that race for each offset with %s pieces have one winner each, whose bytes follow the last winner's",
    async (_length, piece) => {
      const bucket = await create();
      let content = "";
      for (let round = 0; round < ROUNDS; round += 1) {
        const offset = content.length;
        const answers = await Promise.all(
          Array.from({ length: APPENDERS }, async (__, appender) => {
            const body = piece(`<${round}:${appender}>`);
            const response = await sendAppend(bucket, "k", offset, body);
            return { body, status: response.status, text: await response.text() };
          }),
        );
        const [winner, ...others] = answers.filter(({ status }) => status === 200);
        expect(others).toEqual([]);
        for (const { status, text } of answers.filter((answer) => answer.status !== 200)) {
          expect({ status, code: /<Code>(\w+)</.exec(text)?.[1] }).toEqual({ status: 400, code: "InvalidWriteOffset" });
        }
        content += winner?.body ?? "";
      }
      expect(await textOf(bucket)).toBe(content);
      await expectSoundReferences(bucket);
    },
  );

  it("that each append until they succeed leave every piece once", async () => {
    const bucket = await create();
    await putAll(bucket, { k: "" });
    const pieces = Array.from({ length: APPENDERS }, (_piece, index) => `[${String(index).padStart(2, "0")}]`);
    await Promise.all(
      pieces.map(async (piece) => {
        for (;;) {
          const size = Number((await send("HEAD", `/${bucket}/k`)).headers.get("content-length"));
          const { status } = await sendAppend(bucket, "k", size, piece);
          if (status === 200) return;
          expect([400, 503]).toContain(status);
        }
      }),
    );
    const found = (await textOf(bucket)).match(/\[\d\d\]/g) ?? [];
    expect(found.toSorted()).toEqual(pieces);
    await expectSoundReferences(bucket);
  });
});

describe("an append whose commit is not answered", () => {
  it.each(["before", "after"] as const)(
    "%s it was applied is found again, and repeated is InvalidWriteOffset",
    async (when) => {
      for (const size of [5, 200_000]) {
        const bucket = await freshBucket();
        const first = new TextDecoder("latin1").decode(noise(size)).replaceAll(/[^a-z]/g, "-");
        await putAll(bucket, { k: first });
        await coordinatorOf(bucket);
        const response = await withCoordinatorD1(bucket, failingCommits(when, 1), () =>
          sendAppend(bucket, "k", size, "more", {}, ONE_SHARD),
        );
        expect(response.status).toBe(200);
        expect((await sendAppend(bucket, "k", size, "more")).status).toBe(400);
        expect(await textOf(bucket)).toBe(`${first}more`);
        await expectSoundReferences(bucket);
      }
    },
  );

  it.each(["before", "after"] as const)("because the coordinator's call was lost %s it, is made once", async (when) => {
    for (const size of [5, 200_000]) {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "-".repeat(size) });
      let left = 1;
      const COORDINATORS = coordinatorsWith(async (_method, call) => {
        if (left === 0) return call();
        left -= 1;
        if (when === "after") await call();
        throw callLost({ retryable: true });
      });
      expect((await sendAppend(bucket, "k", size, "more", {}, { COORDINATORS })).status).toBe(200);
      expect(await textOf(bucket)).toBe(`${"-".repeat(size)}more`);
      await expectSoundReferences(bucket);
    }
  });
});

describe("an append", () => {
  it.each([
    ["is cut off", [utf8("mo")], new Error("connection reset")],
    ["ends early", [utf8("mo")], undefined],
    ["is too long", [utf8("more and more")], undefined],
  ])("whose body %s changes nothing", async (_, pieces, failure) => {
    for (const size of [5, 200_000]) {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "-".repeat(size) });
      await expectNoTrace(bucket, async () => {
        const headers = { [OFFSET]: String(size), "content-length": "4" };
        const response = await send("PUT", `/${bucket}/k`, { body: streamOf(pieces, failure), headers });
        expect(response.status).toBe(400);
      });
    }
  });

  it.each([
    ["tags", "?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"],
    ["bytes of the same length", "", "54321"],
  ])("during which the object gets other %s is refused rather than losing them", async (_, query, body) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    const COORDINATORS = coordinatorsWith(async (_method, call) => {
      expect((await send("PUT", `/${bucket}/k${query}`, { body })).status).toBe(200);
      return call();
    });
    const response = await sendAppend(bucket, "k", 5, "6", {}, { COORDINATORS });
    expect(response.status).toBe(503);
    expect((await sendAppend(bucket, "k", 5, "6")).status).toBe(200);
    expect(await textOf(bucket)).toBe(query === "" ? "543216" : "123456");
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("x-amz-tagging-count")).toBe(query === "" ? null : "1");
    await expectSoundReferences(bucket);
  });

  it("during which the bucket becomes versioned is refused, so that no version loses blobs", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "-".repeat(200_000) });
    await sendAppend(bucket, "k", 200_000, "one");
    const COORDINATORS = coordinatorsWith(async (_method, call) => {
      const status = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
      expect((await send("PUT", `/${bucket}?versioning`, { body: status })).status).toBe(200);
      return call();
    });
    expect((await sendAppend(bucket, "k", 200_003, "two", {}, { COORDINATORS })).status).toBe(503);
    expect((await sendAppend(bucket, "k", 200_003, "two")).status).toBe(200);
    await expectSoundReferences(bucket);
    expect(await textOf(bucket)).toBe(`${"-".repeat(200_000)}onetwo`);
    const old = await send("GET", `/${bucket}/k?versionId=null`);
    expect(await old.text()).toBe(`${"-".repeat(200_000)}one`);
  });
});
