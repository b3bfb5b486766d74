// Strict reads through warm caches of several locations over one database and one blob store. The three named faults are
// known from a globally cached S3 store; the property test looks for others.
import { env } from "cloudflare:workers";
import { array, assert, asyncProperty, boolean, constantFrom, nat, oneof, record, constant } from "fast-check";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, type RequestScope } from "../support/client.ts";
import { freshLocation, get, readAnswer, type ReadAnswer } from "../support/edge-cache.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { versionedBucket } from "../support/versioning.ts";

storeBodiesInBlobs();

const LOCATIONS = 2;
/** A location whose reads are all of the blob store, so that repeated ones begin before D1 answers. */
const UNCACHED = { EDGE_CACHE: "off" };
const RUNS = 25;
const MIN_COMMANDS = 20;
const MAX_COMMANDS = 60;

function locations(): RequestScope[] {
  return Array.from({ length: LOCATIONS }, () => freshLocation());
}

/** Reads a key twice in every location, so that its bytes are cached there. */
async function warm(target: string, places: readonly RequestScope[]): Promise<void> {
  for (const place of places) {
    await get(target, {}, place);
    expect((await get(target, {}, place)).cache).toBe("HIT");
  }
}

async function expectEverywhere(target: string, places: readonly RequestScope[], text: string | undefined) {
  for (const place of places) {
    for (let times = 0; times < 2; times += 1) {
      const read = await get(target, {}, place);
      expect([read.status, text === undefined ? undefined : read.text]).toEqual([text === undefined ? 404 : 200, text]);
    }
  }
}

describe("delete then read", () => {
  it.each([
    ["in an unversioned bucket", freshBucket],
    ["behind a delete marker", versionedBucket],
  ])("%s: the object is gone in every location that had it", async (_, newBucket) => {
    const bucket = await newBucket();
    const places = locations();
    await send("PUT", `/${bucket}/k`, { body: "bytes" });
    await warm(`/${bucket}/k`, places);
    await send("DELETE", `/${bucket}/k`, {}, places[0]);
    await expectEverywhere(`/${bucket}/k`, places, undefined);
  });

  it("by version id: the version is gone in every location that had it", async () => {
    const bucket = await versionedBucket();
    const places = locations();
    const id = (await send("PUT", `/${bucket}/k`, { body: "bytes" })).headers.get("x-amz-version-id");
    await warm(`/${bucket}/k?versionId=${id}`, places);
    await send("DELETE", `/${bucket}/k?versionId=${id}`);
    await expectEverywhere(`/${bucket}/k?versionId=${id}`, places, undefined);
    await expectEverywhere(`/${bucket}/k`, places, undefined);
  });
});

describe("a rename whose invalidation fails", () => {
  it("has nothing to invalidate: each location serves both keys as the database has them", async () => {
    const bucket = await freshBucket();
    const places = locations();
    await send("PUT", `/${bucket}/old`, { body: "bytes" });
    await send("PUT", `/${bucket}/new`, { body: "other" });
    for (const key of ["old", "new"]) await warm(`/${bucket}/${key}`, places);
    // No cache hears of the rename: it is sent where nothing is cached.
    const rename = { headers: { "x-amz-rename-source": "old" } };
    const renamed = await send("PUT", `/${bucket}/new?renameObject`, rename, { EDGE_CACHE: "off" });
    expect(renamed.status).toBe(200);
    await expectEverywhere(`/${bucket}/old`, places, undefined);
    await expectEverywhere(`/${bucket}/new`, places, "bytes");
    await send("PUT", `/${bucket}/old`, { body: "later" }, { EDGE_CACHE: "off" });
    await expectEverywhere(`/${bucket}/old`, places, "later");
  });
});

describe("a deleted object that comes back", () => {
  it("does not, although a reader fills the cache after the deletion", async () => {
    const bucket = await freshBucket();
    const place = freshLocation();
    await send("PUT", `/${bucket}/k`, { body: "bytes" });
    // The reader has its decision, and its read of the blob lasts until the object is deleted.
    const BLOBS = r2With({
      get: async (key, options) => {
        const found = await env.BLOBS.get(key, options);
        expect((await send("DELETE", `/${bucket}/k`)).status).toBe(204);
        return found;
      },
    });
    const late = await get(`/${bucket}/k`, {}, { ...place, BLOBS });
    expect([late.status, late.text]).toEqual([200, "bytes"]);
    await expectEverywhere(`/${bucket}/k`, [place], undefined);
    await send("PUT", `/${bucket}/k`, { body: "others" });
    await expectEverywhere(`/${bucket}/k`, [place], "others");
    await send("DELETE", `/${bucket}/k`);
    await expectEverywhere(`/${bucket}/k`, [place], undefined);
  });
});

const KEYS = ["a", "b"] as const;
/** In bytes: read in memory, in one piece, and in two pieces. */
const SIZES = [20, 20, 20, 80_000, 2_200_000] as const;

const key = constantFrom(...KEYS);
const location = nat({ max: LOCATIONS });
const read = record({
  op: constant("read" as const),
  key,
  location,
  isAnonymous: constantFrom(false, false, true),
  version: oneof({ weight: 3, arbitrary: constant(undefined) }, nat({ max: 5 })),
  range: oneof({ weight: 3, arbitrary: constant(undefined) }, nat({ max: 99 })),
  directive: constantFrom(undefined, undefined, undefined, undefined, "no-cache", "no-store"),
});
const write = oneof(
  record({ op: constant("put" as const), key, size: constantFrom(...SIZES) }),
  record({ op: constant("delete" as const), key }),
  record({ op: constant("purge" as const), key, version: nat({ max: 5 }) }),
  record({ op: constant("copy" as const), key, to: key }),
  record({ op: constant("rename" as const), key, to: key }),
  record({ op: constant("policy" as const), isPublic: boolean() }),
);
const race = record({ op: constant("race" as const), write, read });
const commands = array(oneof({ weight: 4, arbitrary: read }, { weight: 3, arbitrary: write }, race), {
  minLength: MIN_COMMANDS,
  maxLength: MAX_COMMANDS,
  size: "max",
});

type Read = typeof read extends { generate: (...parameters: never[]) => { value: infer Value } } ? Value : never;
type Write = typeof write extends { generate: (...parameters: never[]) => { value: infer Value } } ? Value : never;

/** What the bucket must show. */
interface State {
  readonly objects: Readonly<Record<string, string>>;
  readonly versions: readonly { readonly key: string; readonly id: string; readonly text: string }[];
  readonly isPublic: boolean;
}

class Play {
  readonly #bucket: string;
  readonly #isVersioned: boolean;
  readonly #places = [...locations(), UNCACHED];
  #state: State = { objects: {}, versions: [], isPublic: false };
  #bodies = 0;

  constructor(bucket: string, isVersioned: boolean) {
    this.#bucket = bucket;
    this.#isVersioned = isVersioned;
  }

  async write(one: Write): Promise<void> {
    const { objects, versions } = this.#state;
    switch (one.op) {
      case "put": {
        const body = this.#body(one.size);
        const response = await send("PUT", this.#target(one.key), { body });
        this.#set(one.key, body, response.headers.get("x-amz-version-id"));
        return;
      }
      case "delete":
        expect((await send("DELETE", this.#target(one.key))).status).toBe(204);
        this.#state = { ...this.#state, objects: without(objects, one.key) };
        return;
      case "purge": {
        const ofKey = versions.filter(({ key: name }) => name === one.key);
        const purged = ofKey[one.version % Math.max(ofKey.length, 1)];
        if (purged === undefined || ofKey.at(-1) === purged) return;
        expect((await send("DELETE", `${this.#target(one.key)}?versionId=${purged.id}`)).status).toBe(204);
        this.#state = { ...this.#state, versions: versions.filter((version) => version !== purged) };
        return;
      }
      case "copy":
      case "rename": {
        const text = objects[one.key];
        if (one.key === one.to || text === undefined || (one.op === "rename" && this.#isVersioned)) return;
        const headers =
          one.op === "copy" ? { "x-amz-copy-source": this.#target(one.key) } : { "x-amz-rename-source": one.key };
        const target = one.op === "copy" ? this.#target(one.to) : `${this.#target(one.to)}?renameObject`;
        const response = await send("PUT", target, { headers });
        expect(response.status).toBe(200);
        if (one.op === "rename") this.#state = { ...this.#state, objects: without(objects, one.key) };
        this.#set(one.to, text, response.headers.get("x-amz-version-id"));
        return;
      }
      case "policy": {
        const changed = one.isPublic
          ? await putPolicy(this.#bucket, publicReadPolicy(this.#bucket))
          : await send("DELETE", `/${this.#bucket}?policy`);
        expect(changed.status).toBe(204);
        this.#state = { ...this.#state, isPublic: one.isPublic };
      }
    }
  }

  async read(one: Read): Promise<void> {
    const { answer, expectedOf } = this.#begin(one);
    expect(shown(await answer)).toBe(expectedOf(this.#state));
  }

  /** A read that overlaps a write has the bytes from before or after it, never a mix. */
  async race(changing: Write, one: Read): Promise<void> {
    const before = this.#state;
    const { answer, expectedOf } = this.#begin(one);
    const [read_] = await Promise.all([answer, this.write(changing)]);
    expect([expectedOf(before), expectedOf(this.#state)]).toContain(shown(read_));
  }

  /** The request on its way, and what it must return in a state. */
  #begin({ key: name, location: place, isAnonymous, version, range, directive }: Read): {
    readonly answer: Promise<ReadAnswer>;
    readonly expectedOf: (state: State) => string;
  } {
    const ofKey = this.#state.versions.filter((one) => one.key === name);
    const chosen = isAnonymous || version === undefined ? undefined : ofKey[version % Math.max(ofKey.length, 1)];
    const headers = {
      ...(range === undefined ? {} : { range: `bytes=${range}-${range + 7}` }),
      ...(directive === undefined ? {} : { "cache-control": directive }),
    };
    const target = `${this.#target(name)}${chosen === undefined ? "" : `?versionId=${chosen.id}`}`;
    const scope = this.#places[place] ?? {};
    const answer = isAnonymous
      ? deliver(anonymous("GET", target, { headers }), scope).then(readAnswer)
      : get(target, { headers }, scope);
    const expectedOf = ({ objects, versions, isPublic }: State): string => {
      if (isAnonymous && !isPublic) return "403";
      const text = chosen === undefined ? objects[name] : versions.find(({ id }) => id === chosen.id)?.text;
      // A reader who may not list does not learn that the key does not exist.
      if (text === undefined) return isAnonymous ? "403" : "404";
      if (range === undefined) return `200 ${summary(text)}`;
      return range < text.length ? `206 ${summary(text.slice(range, range + 8))}` : "416";
    };
    return { answer, expectedOf };
  }

  #set(name: string, text: string, id: string | null): void {
    const { objects, versions } = this.#state;
    this.#state = {
      ...this.#state,
      objects: { ...objects, [name]: text },
      versions: id === null ? versions : [...versions, { key: name, id, text }],
    };
  }

  /** A body that no other has, not even in part. */
  #body(size: number): string {
    this.#bodies += 1;
    return `${this.#bodies}.`.repeat(size).slice(0, size);
  }

  #target(name: string): string {
    return `/${this.#bucket}/${name}`;
  }
}

function shown({ status, bytes }: ReadAnswer): string {
  return status < 300 ? `${status} ${summary(new TextDecoder().decode(bytes))}` : String(status);
}

/** Long texts are compared by their length and their parts. */
function summary(text: string): string {
  return `${text.length} ${Array.from(new Set(text.split(".")))
    .slice(0, 5)
    .join("|")}`;
}

function without<Value>(values: Readonly<Record<string, Value>>, name: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter(([other]) => other !== name));
}

describe.each([
  ["an unversioned bucket", freshBucket, false],
  ["a versioned bucket", versionedBucket, true],
] as const)(
  "any sequence of writes, policy changes and reads of %s through warm caches",
  (_, newBucket, isVersioned) => {
    it("has no stale read, no mix of two blobs, and no byte for a reader who may not have it", async () => {
      await assert(
        asyncProperty(commands, async (sequence) => {
          const play = new Play(await newBucket(), isVersioned);
          for (const one of sequence) {
            if (one.op === "read") await play.read(one);
            else if (one.op === "race") await play.race(one.write, one.read);
            else await play.write(one);
          }
        }),
        { numRuns: RUNS },
      );
    });
  },
);
