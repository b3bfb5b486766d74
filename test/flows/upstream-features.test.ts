// Imports beside Cairn's other features: default retention, events, indexes of queries, appends, annotations.
import { afterEach, describe, expect, it, vi } from "vitest";

import { annotate, namesOf } from "../support/annotations.ts";
import { appendAll } from "../support/appends.ts";
import { send } from "../support/client.ts";
import { createIn } from "../support/databases.ts";
import { ALGORITHMS, checksum, checksumHeader, utf8 } from "../support/digests.ts";
import { eventsOf, recordAll } from "../support/events.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { deleteVersion, lockedBucket, setDefaultRetention } from "../support/object-lock.ts";
import { EVERY_KIND, setIndexes } from "../support/query-indexes.ts";
import { tagUser } from "../support/quotas.ts";
import { readThrough, setUpstream, storedText, upstreamWith } from "../support/upstream.ts";
import { freshUser } from "../support/users.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const OBJECT = { text: "old", headers: { "x-amz-meta-team": "red" }, tags: { colour: "blue" } };

describe("a missing object of a bucket whose creator has a quota", () => {
  it.each([{ "cairn:max-bytes": "7" }, { "cairn:max-objects": "1" }])(
    "is served and not copied while %j leaves no room, and imported once it does",
    async (limits) => {
      const received = upstreamWith({ "/old-bucket/k": { text: "bytes" } });
      const { name, credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
      const [full, bucket] = [freshBucketName(), freshBucketName()];
      // Each database has its share of a quota.
      for (const name of [full, bucket]) expect((await createIn("DB", name, { credentials })).status).toBe(200);
      await tagUser(name, limits);
      await setUpstream(bucket);
      expect((await send("PUT", `/${full}/k`, { credentials, body: "123" })).status).toBe(200);
      const part = { headers: { range: "bytes=0-1" } };
      expect((await readThrough("GET", `/${bucket}/k`, part)).text).toBe("by");
      expect(received.filter(({ method }) => method === "GET").length).toBe(1);
      expect(await storedText(bucket, "k")).toBeUndefined();
      expect((await send("DELETE", `/${full}/k`)).status).toBe(204);
      expect((await readThrough("GET", `/${bucket}/k`, part)).text).toBe("by");
      expect(await storedText(bucket, "k")).toBe("bytes");
    },
  );
});

describe("an imported object", () => {
  it.each(ALGORITHMS)("keeps the upstream's %s, and is not stored with bytes of another one", async (algorithm) => {
    vi.spyOn(console, "warn").mockReturnValue();
    const header = checksumHeader(algorithm);
    const objectWith = (value: string) => ({
      text: "old",
      headers: { [header]: value, "x-amz-checksum-type": "FULL_OBJECT" },
    });
    const value = checksum(algorithm, utf8("old"));
    upstreamWith({
      "/old-bucket/right": objectWith(value),
      "/old-bucket/wrong": objectWith(checksum(algorithm, utf8("other"))),
    });
    const bucket = await freshBucket();
    await setUpstream(bucket);
    for (const key of ["right", "wrong"]) await readThrough("GET", `/${bucket}/${key}`);
    expect(await storedText(bucket, "wrong")).toBeUndefined();
    const { headers } = await send("HEAD", `/${bucket}/right`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(headers.get(header)).toBe(value);
  });

  it("has the default retention of a bucket with Object Lock", async () => {
    upstreamWith({ "/old-bucket/k": OBJECT });
    const bucket = await lockedBucket();
    await setDefaultRetention(bucket, "<Mode>COMPLIANCE</Mode><Days>3</Days>");
    await setUpstream(bucket);
    expect((await readThrough("GET", `/${bucket}/k`)).text).toBe("old");
    const { headers } = await send("HEAD", `/${bucket}/k`);
    expect(headers.get("x-amz-object-lock-mode")).toBe("COMPLIANCE");
    const versionId = headers.get("x-amz-version-id") ?? "";
    expect(await deleteVersion(bucket, "k", versionId)).toBe(403);
  });

  it("is reported once, and found by tag and metadata", async () => {
    upstreamWith({ "/old-bucket/k": OBJECT });
    const bucket = await freshBucket();
    await recordAll(bucket);
    await setIndexes(bucket, EVERY_KIND);
    await setUpstream(bucket);
    for (let read = 0; read < 2; read += 1) expect((await readThrough("GET", `/${bucket}/k`)).text).toBe("old");
    expect(await eventsOf(bucket)).toEqual([expect.stringContaining("ObjectCreated:Copy")]);
    for (const condition of ["tag.colour=blue", "meta.team=red"]) {
      expect(await (await send("GET", `/${bucket}?query&${condition}`)).text()).toContain("<Key>k</Key>");
    }
  });

  it("can be annotated and appended to, once it is imported", async () => {
    upstreamWith({ "/old-bucket/k": OBJECT });
    const bucket = await freshBucket();
    await setUpstream(bucket);
    expect((await send("PUT", `/${bucket}/k?annotation&annotationName=note`, { body: "text" })).status).toBe(404);
    expect((await readThrough("GET", `/${bucket}/k`)).text).toBe("old");
    expect((await annotate(`${bucket}/k`, "note", "text")).status).toBe(200);
    await appendAll(bucket, "k", ["er"], {}, 3);
    expect(await storedText(bucket, "k")).toBe("older");
    expect((await namesOf(`${bucket}/k`)).names).toEqual(["note"]);
  });
});
