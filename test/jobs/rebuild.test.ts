// The rebuild creates a second database from blobs alone, next to the tests' own. These tests only read from it,
// because coordinators know only the first one. The tests of the scripts cover writes after a rebuild.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { toBase64 } from "../../src/bytes/hex-base64.ts";
import { SCHEDULE } from "../../src/jobs/schedule.ts";
import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { rebuild } from "../../src/jobs/rebuild/rebuild.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { R2BlobStore } from "../../src/state/blobs/r2-blob-store.ts";
import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import { storeProof } from "../../src/state/metadata/completion-proofs.ts";
import { send, type SendOptions, type RequestScope } from "../support/client.ts";
import { expectBytes, md5Base64, noise } from "../support/digests.ts";
import { connectionLost, d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { clearRules, midnight, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, joined, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { referencesIn, loseDatabase, onlyBucket, REBUILT, rebuilt } from "../support/rebuilding.ts";
import { setVersioning } from "../support/versioning.ts";

storeBodiesInBlobs();

beforeEach(loseDatabase);

/** What a client sees of an object that a rebuild can restore. */
async function seen(target: string, world: RequestScope = {}, options: SendOptions = {}): Promise<object> {
  const response = await send("GET", target, options, world);
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    if (/^(etag|content-|cache-control|x-amz-meta-|x-amz-tagging-count|x-amz-server-side)/.test(name))
      headers[name] = value;
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers, md5: md5Base64(bytes) };
}

const METADATA = {
  "content-type": "text/css",
  "cache-control": "max-age=60",
  "x-amz-meta-colour": "blue",
  "x-amz-tagging": "a=1&b=2",
};

describe("a rebuild", () => {
  it("lists and serves objects as they were put", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "one", "dir/b": "two", "odd \u{1f600} key": "", replaced: "old" });
    await putAll(bucket, { replaced: "new" });
    await send("PUT", `/${bucket}/described`, { body: "described", headers: METADATA });
    await uploadInParts(bucket, "parted", [largePart(1), "2"], METADATA);
    await uploadInParts(bucket, "one-part", ["1"]);
    const { world, pass } = await rebuilt(bucket);
    expect(pass.report).toMatchObject({ blobs: 11, strange: 0, objects: 7, earlier: 1, uncertain: 0, open: 0 });
    for (const key of ["a", "dir/b", "odd%20%F0%9F%98%80%20key", "replaced", "described", "parted", "one-part"]) {
      expect(await seen(`/${bucket}/${key}`, world), key).toEqual(await seen(`/${bucket}/${key}`));
    }
    const list = async (there: RequestScope): Promise<string> =>
      (await (await send("GET", `/${bucket}?list-type=2`, {}, there)).text())
        .replaceAll(/<LastModified>[^<]*<\/LastModified>/g, "")
        .replaceAll(/<ChecksumAlgorithm>.*?<\/ChecksumType>/g, "");
    expect(await list(world)).toBe(await list({}));
    const { findings, orphans } = await referencesIn(world);
    expect(findings).toEqual([]);
    expect(orphans).toHaveLength(1);
  });

  it("serves SSE-C objects to callers with the key", async () => {
    const bucket = await freshBucket();
    const key = noise(32);
    const headers = {
      "x-amz-server-side-encryption-customer-algorithm": "AES256",
      "x-amz-server-side-encryption-customer-key": toBase64(key),
      "x-amz-server-side-encryption-customer-key-md5": md5Base64(key),
    };
    const bytes = noise(200_000);
    expect((await send("PUT", `/${bucket}/k`, { body: bytes, headers })).status).toBe(200);
    const uploadId = await createUpload(bucket, "parted", headers);
    const parts = [
      await putPart(bucket, "parted", uploadId, 1, largePart(1), headers),
      await putPart(bucket, "parted", uploadId, 2, bytes, headers),
    ];
    expect((await sendCompletion(bucket, "parted", uploadId, parts, headers)).status).toBe(200);
    const { world } = await rebuilt(bucket);
    await expectBytes(await send("GET", `/${bucket}/k`, { headers }, world), bytes);
    await expectBytes(await send("GET", `/${bucket}/parted`, { headers }, world), joined([largePart(1), bytes]));
    const range = { ...headers, range: "bytes=5242870-5242889" };
    const across = joined([largePart(1), bytes]).subarray(5_242_870, 5_242_890);
    await expectBytes(await send("GET", `/${bucket}/parted`, { headers: range }, world), across);
    expect((await send("GET", `/${bucket}/k`, {}, world)).status).toBe(400);
    expect(await referencesIn(world)).toEqual({ findings: [], orphans: [] });
  });

  it("leaves an upload open when a part is missing", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 2, "two");
    const { world, pass } = await rebuilt(bucket);
    expect(pass.report).toMatchObject({ objects: 0, open: 1 });
    expect((await send("GET", `/${bucket}/k`, {}, world)).status).toBe(404);
    const listed = await (await send("GET", `/${bucket}/k?uploadId=${uploadId}`, {}, world)).text();
    expect(listed).toContain("<PartNumber>2</PartNumber>");
    expect((await referencesIn(world)).findings).toEqual([]);
  });

  it("restores the newest of single and multipart objects, and the last upload of each part", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "old" });
    await uploadInParts(bucket, "a", [largePart(1), "new"]);
    await uploadInParts(bucket, "b", [largePart(2), "old"]);
    await uploadInParts(bucket, "b", [largePart(3), "new"]);
    await uploadInParts(bucket, "c", ["old"]);
    await putAll(bucket, { c: "new" });
    const uploadId = await createUpload(bucket, "d");
    await putPart(bucket, "d", uploadId, 1, "sent first");
    const part = await putPart(bucket, "d", uploadId, 1, "sent last");
    await sendCompletion(bucket, "d", uploadId, [part]);
    const { world } = await rebuilt(bucket);
    await expectBytes(
      await send("GET", `/${bucket}/a`, {}, world),
      joined([largePart(1), new TextEncoder().encode("new")]),
    );
    for (const key of ["a", "b", "c", "d"]) {
      expect(await seen(`/${bucket}/${key}`, world), key).toEqual(await seen(`/${bucket}/${key}`));
    }
    expect((await referencesIn(world)).findings).toEqual([]);
  });

  it("restores the newest version although an earlier one changed its storage class later", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    for (const body of ["old", "new"]) {
      await putAll(bucket, { one: body });
      await uploadInParts(bucket, "parts", [largePart(1), body]);
    }
    const current = await Promise.all(["one", "parts"].map((key) => seen(`/${bucket}/${key}`)));
    await clearRules();
    await putLifecycle(
      bucket,
      rule(
        "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER_IR</StorageClass></NoncurrentVersionTransition>",
        { filter: "<Filter><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></Filter>" },
      ),
    );
    expect((await runPass(lifecycle, midnight(3))).report).toMatchObject({ moved: 2 });
    const { world } = await rebuilt(bucket);
    expect(await Promise.all(["one", "parts"].map((key) => seen(`/${bucket}/${key}`, world)))).toEqual(current);
    expect((await referencesIn(world)).findings).toEqual([]);
  });

  it("restores no object from an incomplete transition", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", [largePart(1), largePart(2), "3"]);
    const before = await seen(`/${bucket}/parts`);
    await clearRules();
    await putLifecycle(
      bucket,
      rule("<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>"),
    );
    let copies = 0;
    const BLOBS = r2With({
      async put(key, body, options) {
        if (++copies > 2) throw new Error("R2 is out of reach");
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await runPass(lifecycle, midnight(31), { BLOBS })).report).toMatchObject({ failed: 1 });
    const { world } = await rebuilt(bucket);
    expect(await seen(`/${bucket}/parts`, world)).toEqual(before);
    expect((await referencesIn(world)).findings).toEqual([]);
  });

  it("restores nothing that was deleted or replaced while it ran", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { kept: "kept", removed: "removed" });
    const uploadId = await uploadInParts(bucket, "parts", ["1"]).then(() => createUpload(bucket, "open"));
    await putPart(bucket, "open", uploadId, 1, "aborted");
    const storedAlone = async (key: string): Promise<string> => {
      const { objects } = await env.BLOBS.list({ include: ["customMetadata"], prefix: `${await bucketId(bucket)}/` });
      return objects.find(({ customMetadata }) => customMetadata?.["key"] === JSON.stringify(key))?.key ?? "";
    };
    const insert = REBUILT.prepare("INSERT INTO garbage SELECT value, 0 FROM json_each(?)");
    await insert.bind(JSON.stringify([await storedAlone("removed"), await storedAlone("open")])).run();
    const { world } = await rebuilt(bucket);
    for (const [key, status] of [
      ["kept", 200],
      ["parts", 200],
      ["removed", 404],
      ["open", 404],
    ] as const) {
      expect(await seen(`/${bucket}/${key}`, world), key).toMatchObject({ status });
    }
    expect(await referencesIn(world)).toEqual({ findings: [], orphans: [] });
  });

  it("can die at any step and continue, also with a repeated step", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`k${index}`, String(index)])));
    await uploadInParts(bucket, "parted", ["1"]);
    const world = { DB: REBUILT, BLOBS: onlyBucket(await bucketId(bucket)) };
    const dead = { ...world, DB: d1With(() => Promise.reject(connectionLost())) };
    let cursor: string | null = null;
    do {
      await expect(rebuild.step(jobContext(Date.now(), dead), cursor)).rejects.toThrow("Network connection lost");
      await rebuild.step(jobContext(Date.now(), world), cursor);
      ({ cursor } = await rebuild.step(jobContext(Date.now(), world), cursor));
    } while (cursor !== null);
    const { objects } =
      (await REBUILT.prepare("SELECT count(*) AS objects FROM objects").first<{ objects: number }>()) ?? {};
    expect(objects).toBe(121);
    expect(await referencesIn(world)).toEqual({ findings: [], orphans: [] });
  });

  it("restores an object with more slices than an upload has parts", async () => {
    await REBUILT.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)
       INSERT INTO recovered_blobs (bucket_id, key, blob_id, role, upload_id, part_number, size, etag, stored_at, facts)
       SELECT 'many', 'k', 'many/u-' || i, 'slice', 'u', i, 1, '', 1, '{}' FROM n`,
    ).run();
    const slices = Array.from({ length: 20_001 }, (_, start) => ({
      start,
      blobId: `many/u-${start + 1}`,
      offset: 0,
      length: 1,
    }));
    const object = {
      key: "k",
      versionId: nextVersionId(1, undefined),
      isNullVersion: false,
      size: 20_001,
      etag: "e",
      modifiedAt: 1,
      ownerId: "o",
      blobId: undefined,
      manifestId: "many/u",
      storageClass: "STANDARD",
      checksum: undefined,
      tags: [],
      acl: undefined,
      encryption: undefined,
      retention: undefined,
      legalHold: undefined,
      contentType: undefined,
      systemMetadata: {},
      userMetadata: {},
    };
    await storeProof(
      new R2BlobStore(env.BLOBS, new Counts()),
      { id: "many", name: "b" },
      { object, slices, parts: [] },
    );
    const { report } = await runPass(rebuild, Date.now(), { DB: REBUILT, BLOBS: onlyBucket("many") });
    expect(report).toMatchObject({ objects: 1, incomplete: 0 });
    expect(await REBUILT.prepare("SELECT size FROM objects").first("size")).toBe(20_001);
    expect(await REBUILT.prepare("SELECT count(*) AS count FROM recovered_blobs").first("count")).toBe(0);
  });

  it("does not change a database that is not empty", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await REBUILT.prepare(
      "INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES ('b', 'i', 'o', 'r', 0)",
    ).run();
    const { pass } = await rebuilt(bucket);
    expect(pass).toMatchObject({ steps: 1, report: { refused: 1 } });
    expect((await REBUILT.prepare("SELECT 1 FROM objects").all()).results).toEqual([]);
  });

  it("names a bucket by its id when another bucket has its name", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "first" });
    const [first] = [await bucketId(bucket)];
    await send("DELETE", `/${bucket}/k`);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    expect((await send("PUT", `/${bucket}`)).status).toBe(200);
    await putAll(bucket, { k: "second" });
    const second = await bucketId(bucket);
    const ids = [first, second].toSorted();
    for (const id of ids) {
      const page = await env.BLOBS.list({ prefix: `${id}/`, include: ["customMetadata"] });
      for (const { key, customMetadata } of page.objects) {
        expect(customMetadata, key).toMatchObject({ bucket: id, name: bucket });
      }
    }
    const both = new Proxy(env.BLOBS, {
      get(target, property) {
        if (property === "get") return async (name: string) => target.get(name);
        if (property !== "list") return Reflect.get(target, property) as unknown;
        return async (options: R2ListOptions) => {
          const pages = await Promise.all(ids.map((id) => target.list({ ...options, prefix: `${id}/` })));
          return { objects: pages.flatMap(({ objects }) => objects), truncated: false, delimitedPrefixes: [] };
        };
      },
    });
    await runPass(rebuild, Date.now(), { DB: REBUILT, BLOBS: both });
    const { results } = await REBUILT.prepare("SELECT name, id FROM buckets ORDER BY id").all();
    expect(results).toEqual([
      { name: bucket, id: ids[0] },
      { name: ids[1], id: ids[1] },
    ]);
  });

  it("is enabled only by its setting, and until it is disabled the schedule deletes nothing", () => {
    const running = (scope: RequestScope): string[] =>
      SCHEDULE.filter(({ periodMs }) => periodMs(jobContext(0, scope).settings) !== undefined).map(
        ({ job }) => job.name,
      );
    expect(running({})).not.toContain("rebuild");
    expect(running({})).toContain("collect-garbage");
    expect(running({ REBUILD: "true" })).toEqual(["scrub", "count-quotas", "build-query-indexes", "rebuild"]);
  });
});
