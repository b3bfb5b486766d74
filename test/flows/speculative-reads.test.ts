// Reads that begin before D1 answers: only for a caller whom D1 has authorised for the same bytes twice.
import { describe, expect, it } from "vitest";

import { deliver, ROOT, send, signed, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectSame, noise } from "../support/digests.ts";
import { get, readAnswer, type ReadAnswer } from "../support/edge-cache.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { INLINE, storeBodiesInBlobs } from "../support/inline.ts";
import { uploadInParts } from "../support/multipart.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import {
  NOTHING_EARLY,
  observe,
  reading,
  readingAnonymously,
  remember,
  remembered,
  UNCACHED,
  type Send,
} from "../support/speculation.ts";
import { freshUser } from "../support/users.ts";
import { versionedBucket } from "../support/versioning.ts";

storeBodiesInBlobs();

/** The credentials of a user of a bucket who has read an object twice. */
async function readerOf(bucket: string, target: string) {
  const { credentials } = await freshUser({
    Effect: "Allow",
    Action: "s3:*",
    Resource: `arn:aws:s3:::${bucket}/*`,
  });
  await remember(reading(target, { credentials }));
  return credentials;
}

describe("a read that the caller has done twice", () => {
  it.each([
    ["one byte", 1],
    ["a small object", 1000],
    ["a large object", 9_000_000],
  ])("of %s asks the blob store before D1 has answered, once", async (_, size) => {
    const bytes = noise(size);
    const { read } = await remembered(bytes);
    const { early, calls, cancelled, answer } = await observe(read, true);
    expect({ early, calls, cancelled }).toEqual({ early: 1, calls: 1, cancelled: 0 });
    expectSame(answer.bytes, bytes);
    expect(answer.status).toBe(200);
    expect(costOf(answer.response)).toMatchObject({ roundTrips: 1, blobCalls: 1, rowsWritten: 0 });
  });

  it("does so for ranges, and for one object in any of them", async () => {
    const { target } = await remembered("0123456789");
    for (const [range, text] of [
      ["bytes=2-4", "234"],
      ["bytes=-3", "789"],
      ["bytes=8-99", "89"],
      ["lines=1-2", "0123456789"],
    ] as const) {
      const { early, calls, answer } = await observe(reading(target, { headers: { range } }), true);
      expect([early, calls, answer.text]).toEqual([1, 1, text]);
    }
  });

  it("does so with conditions that the remembered object fulfils, and for a version by its id", async () => {
    const bucket = await versionedBucket();
    const put = await send("PUT", `/${bucket}/k`, { body: "bytes" });
    const etag = put.headers.get("etag") ?? "";
    const target = `/${bucket}/k?versionId=${put.headers.get("x-amz-version-id")}`;
    await remember(reading(target));
    for (const headers of [
      { "if-match": etag },
      { "if-none-match": '"other"' },
      { "if-range": etag, range: "bytes=0-1" },
    ]) {
      const { early, calls } = await observe(reading(target, { headers }), true);
      expect([early, calls], JSON.stringify(headers)).toEqual([1, 1]);
    }
  });

  it("does so for users, sessions of the day and anonymous readers of public objects", async () => {
    const { bucket, target } = await remembered();
    const user = await freshUser({ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` });
    await putPolicy(bucket, publicReadPolicy(bucket));
    for (const read of [reading(target, { credentials: user.credentials }), readingAnonymously(target)]) {
      await remember(read);
      const { early, calls, answer } = await observe(read, true);
      expect([early, calls, answer.status, answer.text]).toEqual([1, 1, 200, "bytes"]);
    }
  });

  it("does so for a rename's new key only after reads of it, and serves the same bytes", async () => {
    const { bucket } = await remembered();
    await send("PUT", `/${bucket}/new?renameObject`, { headers: { "x-amz-rename-source": "k" } });
    const read = reading(`/${bucket}/new`);
    expect(await observe(read, false)).toMatchObject({ early: 0, calls: 1 });
    await read(UNCACHED);
    expect(await observe(read, true)).toMatchObject({ early: 1, calls: 1 });
  });

  it("takes cached bytes without a call of the blob store", async () => {
    const { target } = await remembered();
    await remember(reading(target), {});
    const { calls, answer } = await observe(reading(target), false, {});
    expect([calls, answer.cache, answer.text]).toEqual([0, "HIT", "bytes"]);
  });
});

describe("nothing is read before D1 has answered", () => {
  it.each([
    [
      "for a first and a second read",
      async () => {
        const bucket = await freshBucket();
        await putAll(bucket, { k: "bytes" });
        const read = reading(`/${bucket}/k`);
        expect(await observe(read, false)).toMatchObject({ early: 0, calls: 1 });
        return { read, status: 200 };
      },
    ],
    [
      "if the setting forbids it",
      async () => {
        const { target } = await remembered();
        return { read: reading(target), status: 200, scope: { SPECULATIVE_READS: "false" } };
      },
    ],
    [
      "for a forged signature of root",
      async () => {
        const { target } = await remembered();
        return { read: reading(target, { credentials: { ...ROOT, secretAccessKey: "forged" } }), status: 403 };
      },
    ],
    [
      "for a forged signature of a user who has read it",
      async () => {
        const { bucket, target } = await remembered();
        const credentials = await readerOf(bucket, target);
        return { read: reading(target, { credentials: { ...credentials, secretAccessKey: "forged" } }), status: 403 };
      },
    ],
    [
      "for a user whose signature has not been verified for this region",
      async () => {
        const { bucket, target } = await remembered();
        const credentials = await readerOf(bucket, target);
        return { read: reading(target, { credentials, region: "eu-west-1" }), status: 200 };
      },
    ],
    [
      "for anonymous readers of a private object that its owner reads",
      async () => {
        const { target } = await remembered();
        return { read: readingAnonymously(target), status: 403 };
      },
    ],
    [
      "for a user who may not read it",
      async () => {
        const { target } = await remembered();
        const { credentials } = await freshUser();
        return { read: reading(target, { credentials }), status: 403 };
      },
    ],
    [
      "for an answer of 304",
      async () => {
        const { target } = await remembered();
        const etag = (await get(target)).response.headers.get("etag") ?? "";
        return { read: reading(target, { headers: { "if-none-match": etag } }), status: 304 };
      },
    ],
    [
      "for an answer of 412",
      async () => {
        const { target } = await remembered();
        return { read: reading(target, { headers: { "if-match": '"other"' } }), status: 412 };
      },
    ],
    [
      "for a range outside of the object",
      async () => {
        const { target } = await remembered();
        return { read: reading(target, { headers: { range: "bytes=99-" } }), status: 416 };
      },
    ],
    [
      "for response overrides of an anonymous reader",
      async () => {
        const { bucket, target } = await remembered();
        await putPolicy(bucket, publicReadPolicy(bucket));
        await remember(readingAnonymously(target));
        return { read: readingAnonymously(`${target}?response-content-type=text/html`), status: 400 };
      },
    ],
    [
      "for HEAD",
      async () => {
        const { target } = await remembered();
        const read: Send = async (scope) => readAnswer(await send("HEAD", target, {}, scope));
        return { read, status: 200 };
      },
    ],
    [
      "for a customer's key",
      async () => {
        const bucket = await freshBucket();
        const headers = keyHeaders(customerKey(1));
        await send("PUT", `/${bucket}/k`, { body: "bytes", headers, endpoint: "https://localhost" });
        const read = reading(`/${bucket}/k`, { headers, endpoint: "https://localhost" });
        await remember(read);
        return { read, status: 200 };
      },
    ],
    [
      "for an object in several blobs",
      async () => {
        const bucket = await freshBucket();
        await uploadInParts(bucket, "k", [new Uint8Array(5 * 1024 ** 2), new Uint8Array(1)]);
        await remember(reading(`/${bucket}/k`));
        return { read: reading(`/${bucket}/k`), status: 200 };
      },
    ],
    [
      "for a body in the database",
      async () => {
        const bucket = await freshBucket();
        await send("PUT", `/${bucket}/k`, { body: "bytes" }, INLINE);
        await remember(reading(`/${bucket}/k`), { ...INLINE, ...UNCACHED });
        return { read: reading(`/${bucket}/k`), status: 200 };
      },
    ],
    [
      "for an object of a snapshot",
      async () => {
        const bucket = await versionedBucket();
        await putAll(bucket, { k: "bytes" });
        const address = await takeSnapshot(bucket, "s");
        const read = reading(`/${address}/k`);
        await remember(read);
        return { read, status: 200 };
      },
    ],
  ] as const)("%s", async (_, prepare) => {
    const { read, status, scope }: { read: Send; status: number; scope?: RequestScope } = await prepare();
    const seen = await observe(read, false, { ...UNCACHED, ...scope });
    expect(seen).toMatchObject(NOTHING_EARLY);
    expect(seen.answer.status).toBe(status);
  });
});

describe("a forged signature under a remembered access key", () => {
  it("is refused with the same error as without the memory", async () => {
    const { bucket, target } = await remembered();
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: `arn:aws:s3:::${bucket}/*` });
    const forged = await signed("GET", target, { credentials: { ...credentials, secretAccessKey: "forged" } });
    const before = await readAnswer(await deliver(forged.clone()));
    await remember(reading(target, { credentials }));
    const after = await readAnswer(await deliver(forged));
    const withoutIds = ({ text }: ReadAnswer): string => text.replaceAll(/<(RequestId|HostId)>[^<]*/g, "");
    expect([after.status, withoutIds(after)]).toEqual([403, withoutIds(before)]);
    expect(after.text).toContain("SignatureDoesNotMatch");
  });
});
