// The requests whose calls are counted, each with what it needs to exist first.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { DELIVERY_OPERATIONS } from "./delivery-operations.ts";
import { KIB, PART, type CountedOperation, type Site } from "./site.ts";

export const PARTS = 10;
const PAGE = 1000;
const FILL_MS = 50;

/** An operation on an object that exists. */
function onObject(send: (site: Site, key: string) => Promise<unknown>): CountedOperation["prepare"] {
  return async (site) => {
    await site.put("existing");
    return async () => void (await send(site, "existing"));
  };
}

function reading(id: string, title: string, parts: number): CountedOperation {
  return {
    id,
    title,
    r2: "read",
    s3: "read",
    prepare: async (site) => {
      if (parts === 0) await site.put("existing");
      else await (await site.upload("existing", parts))();
      return async () => void (await site.send("GET", "/existing"));
    },
  };
}

function completing(id: string, title: string, parts: number): CountedOperation {
  return { id, title, r2: "write", s3: "write", prepare: (site) => site.upload("completed", parts) };
}

/** Directory buckets of AWS have appends, and other prices. */
function appending(id: string, title: string, store: (site: Site) => Promise<void>, stored: number): CountedOperation {
  return {
    id,
    title,
    r2: "none",
    s3: "none",
    bytes: KIB.length,
    prepare: async (site) => {
      await store(site);
      const headers = { "x-amz-write-offset-bytes": String(stored) };
      return async () => void (await site.send("PUT", "/log", { body: KIB, headers }));
    },
  };
}

/** Bodies of this length stay in the database. */
const INLINE = { INLINE_MAX_BYTES: String(KIB.length) };

export const OPERATIONS: readonly CountedOperation[] = [
  reading("get", "GetObject", 0),
  reading("get-parts", `GetObject of ${PARTS} parts`, PARTS),
  {
    id: "get-cached",
    title: "GetObject from the edge cache",
    r2: "read",
    s3: "read",
    settings: { EDGE_CACHE: "cache-api" },
    prepare: async (site) => {
      await site.put("existing");
      // The first read fills the cache in the background.
      while ((await site.send("GET", "/existing")).cache !== "HIT") await sleep(FILL_MS);
      return async () => assert.equal((await site.send("GET", "/existing")).cache, "HIT");
    },
  },
  {
    id: "head",
    title: "HeadObject",
    r2: "read",
    s3: "read",
    prepare: onObject((site, key) => site.send("HEAD", `/${key}`)),
  },
  {
    id: "put",
    title: "PutObject, a new key",
    r2: "write",
    s3: "write",
    bytes: KIB.length,
    prepare: async (site) => async () => site.put("new"),
  },
  {
    id: "put-over",
    title: "PutObject over another",
    r2: "write",
    s3: "write",
    bytes: KIB.length,
    prepare: onObject((site, key) => site.put(key)),
  },
  appending("append", "PutObject that appends to a short object", async (site) => site.put("log"), KIB.length),
  {
    id: "put-inline",
    title: "PutObject into the database, a new key",
    r2: "write",
    s3: "write",
    bytes: KIB.length,
    settings: INLINE,
    prepare: async (site) => async () => site.put("new"),
  },
  {
    id: "put-over-inline",
    title: "PutObject into the database over another",
    r2: "write",
    s3: "write",
    bytes: KIB.length,
    settings: INLINE,
    prepare: onObject((site, key) => site.put(key)),
  },
  { ...reading("get-inline", "GetObject from the database", 0), settings: INLINE },
  {
    id: "delete",
    title: "DeleteObject",
    r2: "free",
    s3: "free",
    prepare: onObject((site, key) => site.send("DELETE", `/${key}`)),
  },
  {
    id: "copy",
    title: "CopyObject, of any size",
    r2: "write",
    s3: "write",
    prepare: async (site) => {
      await site.put("existing");
      return async () => void (await site.send("PUT", "/copy", { headers: { "x-amz-copy-source": "costs/existing" } }));
    },
  },
  {
    id: "rename",
    title: "RenameObject, of any size",
    r2: "none",
    s3: "none",
    prepare: async (site) => {
      await site.put("existing");
      const headers = { "x-amz-rename-source": "existing" };
      return async () => void (await site.send("PUT", "/renamed?renameObject", { headers }));
    },
  },
  {
    id: "list",
    title: `ListObjectsV2 of ${PAGE} keys`,
    r2: "write",
    s3: "write",
    prepare: async (site) => {
      await site.put("listed");
      for (let key = 1; key < PAGE; key++) {
        const headers = { "x-amz-copy-source": "costs/listed" };
        await site.send("PUT", `/listed-${key}`, { headers });
      }
      return async () => void (await site.send("GET", "?list-type=2"));
    },
  },
  {
    id: "create",
    title: "CreateMultipartUpload",
    r2: "write",
    s3: "write",
    prepare: async (site) => async () => void (await site.send("POST", "/parts?uploads")),
  },
  {
    id: "part",
    title: "UploadPart of 5 MiB",
    r2: "write",
    s3: "write",
    bytes: PART.length,
    prepare: async (site) => {
      const { text } = await site.send("POST", "/parts?uploads");
      const upload = `/parts?partNumber=1&uploadId=${/<UploadId>(.*?)</.exec(text)?.[1] ?? ""}`;
      return async () => void (await site.send("PUT", upload, { body: PART }));
    },
  },
  completing("complete-1", "CompleteMultipartUpload of 1 part", 1),
  completing("complete", `CompleteMultipartUpload of ${PARTS} parts`, PARTS),
  {
    id: "tag",
    title: "PutObjectTagging",
    r2: "none",
    s3: "write",
    prepare: onObject((site, key) =>
      site.send("PUT", `/${key}?tagging`, {
        body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
      }),
    ),
  },
  ...DELIVERY_OPERATIONS,
];
