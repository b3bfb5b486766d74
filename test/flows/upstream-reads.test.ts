// Reads of objects that a bucket lacks and its upstream has: the response, the import, and what is never imported.
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { importObjects } from "../../src/jobs/import-objects.ts";
import { anonymous, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Hex } from "../support/digests.ts";
import { eventsOf, recordAll } from "../support/events.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { setQuota } from "../support/quotas.ts";
import {
  importingBucket,
  objectAnswer,
  readSent,
  readThrough,
  setUpstream,
  storedText,
  UPSTREAM_SCOPE,
  upstreamAnswers,
  upstreamDocument,
  upstreamWith,
} from "../support/upstream.ts";
import { setVersioning } from "../support/versioning.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const bodiesAsked = (received: readonly { readonly method: string; readonly query: string }[]): number =>
  received.filter(({ method, query }) => method === "GET" && !query.includes("tagging")).length;

describe("GET of an object that only the upstream has", () => {
  it("returns it with all of its properties, and imports them", async () => {
    const headers = {
      "content-type": "image/png",
      "cache-control": "max-age=60",
      "content-disposition": 'attachment; filename="x.png"',
      "content-language": "de",
      "x-amz-meta-plain": "value",
      "x-amz-meta-word": "=?UTF-8?B?w7w=?=",
    };
    const received = upstreamWith({ "/old-bucket/in/a b+ü": { text: "bytes", headers, tags: { team: "blue" } } });
    const bucket = await freshBucket();
    await setUpstream(bucket, upstreamDocument("old", "old-bucket", "in/"));
    const first = await readThrough("GET", `/${bucket}/a%20b%2B%C3%BC`);
    expect([first.status, first.text]).toEqual([200, "bytes"]);
    expect(first.headers.get("x-cairn-upstream")).toBe("served");
    const second = await readThrough("GET", `/${bucket}/a%20b%2B%C3%BC`);
    expect([second.status, second.text]).toEqual([200, "bytes"]);
    expect(second.headers.has("x-cairn-upstream")).toBe(false);
    for (const { headers: answered } of [first, second]) {
      expect(Object.fromEntries(answered)).toMatchObject({
        ...headers,
        etag: `"${md5Hex("bytes")}"`,
        "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT",
        "content-length": "5",
        "x-amz-tagging-count": "1",
      });
    }
    expect(bodiesAsked(received)).toBe(1);
    expect(received.every(({ redirect }) => redirect === "manual")).toBe(true);
    expect(received[0]?.headers.get("authorization")).toContain("UPSTREAMKEY");
    expect(received[0]?.headers.get("x-cairn-upstream")).toBe("none");
    const tagging = await send("GET", `/${bucket}/a%20b%2B%C3%BC?tagging`);
    expect(await tagging.text()).toContain("<Key>team</Key><Value>blue</Value>");
  });

  it.each(["", "x"])("imports an object of the text '%s'", async (text) => {
    upstreamWith({ "/old-bucket/k": { text } });
    const bucket = await importingBucket();
    expect(await readThrough("GET", `/${bucket}/k`)).toMatchObject({ status: 200, text });
    const stored = await send("GET", `/${bucket}/k`);
    expect([stored.status, await stored.text()]).toEqual([200, text]);
  });

  it("keeps the ETag of a multipart object, which then has one part", async () => {
    const etag = `"${md5Hex("parts")}-3"`;
    upstreamWith({ "/old-bucket/k": { text: "bytes", headers: { etag } } });
    const bucket = await importingBucket();
    expect((await readThrough("GET", `/${bucket}/k`)).headers.get("etag")).toBe(etag);
    const part = await send("GET", `/${bucket}/k?partNumber=1`);
    expect([part.status, await part.text(), part.headers.get("etag")]).toEqual([206, "bytes", etag]);
    expect(part.headers.has("x-amz-mp-parts-count")).toBe(false);
    expect((await send("GET", `/${bucket}/k?partNumber=2`)).status).toBe(416);
  });

  it("imports once while many read it", async () => {
    const received = upstreamWith({ "/old-bucket/k": { text: "bytes" } });
    const bucket = await importingBucket();
    await recordAll(bucket);
    let puts = 0;
    const counting = new Proxy(env.BLOBS, {
      get(blobs, name) {
        if (name === "put") puts += 1;
        const member: unknown = Reflect.get(blobs, name);
        return typeof member === "function" ? member.bind(blobs) : member;
      },
    });
    const scope = { ...UPSTREAM_SCOPE, BLOBS: counting };
    const all = await Promise.all(Array.from({ length: 8 }, () => readThrough("GET", `/${bucket}/k`, {}, scope)));
    expect(puts).toBe(1);
    expect(all.map(({ status, text }) => `${status} ${text}`)).toEqual(Array.from({ length: 8 }, () => "200 bytes"));
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Copy k"]);
    const before = received.length;
    await readThrough("GET", `/${bucket}/k`);
    expect(received).toHaveLength(before);
  });

  it("returns a range and imports the whole", async () => {
    const received = upstreamWith({ "/old-bucket/k": { text: "0123456789" } });
    const bucket = await importingBucket();
    const part = await readThrough("GET", `/${bucket}/k`, { headers: { range: "bytes=2-4" } });
    expect([part.status, part.text, part.headers.get("content-range")]).toEqual([206, "234", "bytes 2-4/10"]);
    expect(received.map(({ headers }) => headers.get("range"))).toContain("bytes=2-4");
    expect(await storedText(bucket, "k")).toBe("0123456789");
  });

  it.each([
    [{ "if-none-match": `"${md5Hex("bytes")}"` }, 304],
    [{ "if-match": '"other"' }, 412],
    [{ range: "bytes=99-" }, 416],
  ])("evaluates the conditions %j and imports nothing", async (headers, status) => {
    upstreamWith({ "/old-bucket/k": { text: "bytes" } });
    const bucket = await importingBucket();
    expect((await readThrough("GET", `/${bucket}/k`, { headers })).status).toBe(status);
    expect(await storedText(bucket, "k")).toBeUndefined();
  });
});

describe("HEAD of an object that only the upstream has", () => {
  it("returns its headers and imports nothing", async () => {
    const received = upstreamWith({ "/old-bucket/k": { text: "bytes" } });
    const bucket = await importingBucket();
    const head = await readThrough("HEAD", `/${bucket}/k`);
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "5"]);
    expect(bodiesAsked(received)).toBe(0);
    expect(await storedText(bucket, "k")).toBeUndefined();
  });
});

describe("an object is not imported", () => {
  it.each(["DELETE", "batch", "DELETE once it was imported", "rename"])("after its deletion by %s", async (way) => {
    const received = upstreamWith({ "/old-bucket/k": { text: "old" } });
    const bucket = await importingBucket();
    if (way !== "DELETE") await readThrough("GET", `/${bucket}/k`);
    if (way === "batch") {
      const body = "<Delete><Object><Key>k</Key></Object></Delete>";
      expect((await send("POST", `/${bucket}?delete`, { body }, UPSTREAM_SCOPE)).status).toBe(200);
    } else if (way === "rename") {
      const headers = { "x-amz-rename-source": `/${bucket}/k` };
      expect((await send("PUT", `/${bucket}/moved?renameObject`, { headers }, UPSTREAM_SCOPE)).status).toBe(200);
    } else {
      expect((await send("DELETE", `/${bucket}/k`, {}, UPSTREAM_SCOPE)).status).toBe(204);
    }
    const before = received.length;
    expect((await readThrough("GET", `/${bucket}/k`)).status).toBe(404);
    expect(received).toHaveLength(before);
  });

  it("after a batch deletion of a key that the bucket never had", async () => {
    upstreamWith({ "/old-bucket/k": { text: "old" } });
    const bucket = await importingBucket();
    const body = "<Delete><Object><Key>k</Key></Object></Delete>";
    expect((await send("POST", `/${bucket}?delete`, { body }, UPSTREAM_SCOPE)).status).toBe(200);
    expect((await readThrough("GET", `/${bucket}/k`)).status).toBe(404);
  });

  it("after its versions and its delete marker are purged", async () => {
    upstreamWith({ "/old-bucket/k": { text: "old" } });
    const bucket = await importingBucket();
    await setVersioning(bucket, "Enabled");
    const marker = (await send("DELETE", `/${bucket}/k`)).headers.get("x-amz-version-id");
    expect((await readThrough("GET", `/${bucket}/k`)).status).toBe(404);
    expect((await send("DELETE", `/${bucket}/k?versionId=${marker}`)).status).toBe(204);
    expect((await readThrough("GET", `/${bucket}/k`)).status).toBe(404);
  });

  it.each<readonly [string, (bucket: string) => Promise<unknown>, string | undefined]>([
    ["a write", async (bucket) => send("PUT", `/${bucket}/k`, { body: "new" }), "new"],
    ["a deletion", async (bucket) => send("DELETE", `/${bucket}/k`), undefined],
    [
      "a delete marker",
      async (bucket) => setVersioning(bucket, "Enabled").then(() => send("DELETE", `/${bucket}/k`)),
      undefined,
    ],
  ])("over %s that comes before the import's commit", async (_, write, expected) => {
    for (const isClaimed of [false, true]) {
      const bucket = await importingBucket();
      upstreamAnswers(async (request) => {
        const answer = objectAnswer(request, { text: "old" });
        if (!isClaimed) await write(bucket);
        const body = new ReadableStream<Uint8Array>(
          {
            // The bytes are asked for once the import is claimed.
            async pull(controller) {
              if (isClaimed) await write(bucket);
              controller.enqueue(new TextEncoder().encode("old"));
              controller.close();
            },
          },
          { highWaterMark: 0 },
        );
        return new Response(body, answer);
      });
      expect((await readThrough("GET", `/${bucket}/k`)).text).toBe("old");
      vi.restoreAllMocks();
      expect(await storedText(bucket, "k")).toBe(expected);
      expect((await readThrough("GET", `/${bucket}/k`)).status).toBe(expected === undefined ? 404 : 200);
    }
  });

  it("when the quota is used up, but is returned", async () => {
    upstreamWith({ "/old-bucket/k": { text: "bytes" } });
    const bucket = await importingBucket();
    await setQuota(bucket, "<MaxBytes>3</MaxBytes>");
    expect((await readThrough("GET", `/${bucket}/k`)).text).toBe("bytes");
    expect(await storedText(bucket, "k")).toBeUndefined();
  });

  it.each(["<MaxBytes>4</MaxBytes>", "<MaxObjects>0</MaxObjects>"])(
    "nor copied when %s leaves no room",
    async (limit) => {
      const received = upstreamWith({ "/old-bucket/k": { text: "bytes" } });
      const bucket = await importingBucket();
      await setQuota(bucket, limit);
      const part = { headers: { range: "bytes=0-1" } };
      expect((await readThrough("GET", `/${bucket}/k`, part)).text).toBe("by");
      expect(bodiesAsked(received)).toBe(1);
      await setQuota(bucket, "<MaxBytes>5</MaxBytes><MaxObjects>1</MaxObjects>");
      expect((await readThrough("GET", `/${bucket}/k`, part)).text).toBe("by");
      expect(await storedText(bucket, "k")).toBe("bytes");
    },
  );

  it("by a version id, nor by a request that asks for no upstream", async () => {
    const received = upstreamWith({ "/old-bucket/k": { text: "bytes" } });
    const bucket = await importingBucket();
    expect((await readThrough("GET", `/${bucket}/k?versionId=null`)).status).toBe(404);
    const none = { headers: { "x-cairn-upstream": "none" } };
    expect((await readThrough("GET", `/${bucket}/k`, none)).status).toBe(404);
    expect(received).toHaveLength(0);
  });

  it.each(["../other/secret", "a/../../other/secret", "./k"])("if a URL resolves its key %s", async (key) => {
    const received = upstreamWith({});
    const bucket = await importingBucket();
    await setUpstream(bucket, upstreamDocument("old", "old-bucket", key.slice(0, key.indexOf("/") + 1)));
    const target = `/${bucket}/${encodeURIComponent(key.slice(key.indexOf("/") + 1))}`;
    expect((await readThrough("GET", target)).status).toBe(404);
    expect(received).toHaveLength(0);
  });
});

describe("authorization", () => {
  const anonymously = async (target: string): Promise<string> => {
    const { status, text } = await readSent(anonymous("GET", target));
    return `${status} ${text}`;
  };

  it("keeps the upstream from those who may not read the key", async () => {
    const received = upstreamWith({ "/old-bucket/open/k": { text: "open" }, "/old-bucket/k": { text: "secret" } });
    const bucket = await importingBucket();
    const Resource = `arn:aws:s3:::${bucket}/open/*`;
    await putPolicy(bucket, policyText({ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource }));
    expect(await anonymously(`/${bucket}/k`)).toMatch(/^403 .*AccessDenied/s);
    expect(received).toHaveLength(0);
    expect(await anonymously(`/${bucket}/open/k`)).toBe("200 open");
    // A missing key looks like a forbidden one to those who may not list.
    expect(await anonymously(`/${bucket}/open/missing`)).toMatch(/^403 .*AccessDenied/s);
  });

  it("obeys a Deny by the tags that the upstream has", async () => {
    upstreamWith({ "/old-bucket/k": { text: "secret", tags: { class: "secret" } } });
    const bucket = await importingBucket();
    const on = { Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` };
    const Condition = { StringEquals: { "s3:ExistingObjectTag/class": "secret" } };
    await putPolicy(bucket, policyText({ Effect: "Allow", ...on }, { Effect: "Deny", ...on, Condition }));
    expect(await anonymously(`/${bucket}/k`)).toMatch(/^403 .*AccessDenied/s);
  });

  it("keeps private objects from those who may only list a bucket with a public list", async () => {
    const received = upstreamWith({ "/old-bucket/k": { text: "secret" } });
    const bucket = await importingBucket();
    await send("PUT", `/${bucket}?publicAccessBlock`, {
      body: "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>",
    });
    const body = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    expect((await send("PUT", `/${bucket}?ownershipControls`, { body })).status).toBe(200);
    expect((await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "public-read" } })).status).toBe(200);
    expect(await anonymously(`/${bucket}/k`)).toMatch(/^404 .*NoSuchKey/s);
    expect(received).toHaveLength(0);
  });
});

describe("a bucket with an upstream", () => {
  it("lists what it has imported, and marks the list as partial", async () => {
    upstreamWith({ "/old-bucket/k": { text: "bytes" } });
    const bucket = await importingBucket();
    for (const query of ["list-type=2", "", "versions"]) {
      const listed = await send("GET", `/${bucket}?${query}`);
      expect(listed.headers.get("x-cairn-upstream")).toBe("not-listed");
      expect(await listed.text()).not.toContain("<Key>k</Key>");
    }
    await readThrough("GET", `/${bucket}/k`);
    expect(await (await send("GET", `/${bucket}?list-type=2`)).text()).toContain("<Key>k</Key>");
  });

  it("costs nothing more for objects that it has, and a bucket without one nothing at all", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x" });
    const costs = async (key: string) => costOf(await send("HEAD", `/${bucket}/${key}`, {}, UPSTREAM_SCOPE));
    const [present, missing] = [await costs("k"), await costs("missing")];
    expect(missing).toMatchObject({ ...present, rowsRead: expect.any(Number) });
    await setUpstream(bucket);
    expect(await costs("k")).toEqual(present);
  });

  it("answers 503 for missing objects once the setting no longer declares its upstream", async () => {
    const bucket = await importingBucket();
    expect((await readThrough("GET", `/${bucket}/k`, {}, {})).status).toBe(503);
    expect((await runPass(importObjects, Date.now())).report).toEqual({});
  });
});
