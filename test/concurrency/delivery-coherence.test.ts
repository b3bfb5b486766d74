// Visits of a delivery host in several locations over one database and one blob store: no answer is older than its bound, none
// is a mix of two blobs, and nothing private is served longer than the bound after it was made private.
import { array, assert, asyncProperty, boolean, constant, constantFrom, nat, oneof, record } from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { aclBucket } from "../support/acl.ts";
import { send, type RequestScope } from "../support/client.ts";
import { siteOf, visit, type Site } from "../support/delivery.ts";
import { freshLocation, readAnswer } from "../support/edge-cache.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";

const LOCATIONS = 3;
const RUNS = 25;
const MIN_COMMANDS = 20;
const MAX_COMMANDS = 60;
/** The bound of the bucket, and of objects that say nothing. */
const BOUND_MS = 10_000;
/** The time after which a purge counts in the location that executes it. */
const PURGE_MS = 1000;
const KEYS = ["a", "b"] as const;
/** In bytes: read in memory, as a stream, and in two pieces. */
const SIZES = [20, 20, 20, 80_000, 1_200_000] as const;

/** Values of Cache-Control with the time for which a location may use the object, in milliseconds. */
const LIFETIMES: readonly (readonly [cacheControl: string | undefined, totalMs: number])[] = [
  [undefined, BOUND_MS],
  ["max-age=60", 60_000],
  ["max-age=31536000, immutable", 31_536_000_000],
  ["s-maxage=2, max-age=60, stale-while-revalidate=3", 5000],
  ["no-store", 0],
  ["private, max-age=60", 0],
];

const key = constantFrom(...KEYS);
const location = nat({ max: LOCATIONS - 1 });
const visiting = record({
  op: constant("visit" as const),
  key,
  location,
  range: oneof({ weight: 3, arbitrary: constant(undefined) }, nat({ max: 99 })),
});
const write = oneof(
  record({
    op: constant("put" as const),
    key,
    size: constantFrom(...SIZES),
    lifetime: nat({ max: LIFETIMES.length - 1 }),
    isPublic: boolean(),
  }),
  record({ op: constant("delete" as const), key }),
  record({ op: constant("access" as const), key, isPublic: boolean() }),
  record({ op: constant("purge" as const), location }),
);
const pause = record({ op: constant("pause" as const), ms: constantFrom(500, 1500, 4000, 6000, 11_000) });
const race = record({ op: constant("race" as const), write, visiting });
const commands = array(
  oneof({ weight: 6, arbitrary: visiting }, { weight: 3, arbitrary: write }, { weight: 3, arbitrary: pause }, race),
  { minLength: MIN_COMMANDS, maxLength: MAX_COMMANDS, size: "max" },
);

type Of<Source> = Source extends { generate: (...parameters: never[]) => { value: infer Value } } ? Value : never;
type Visit = Of<typeof visiting>;
type Write = Of<typeof write>;

/** A fact of the past and when it ended, in milliseconds since the epoch; Infinity if it still holds. */
interface Span<Fact> {
  readonly fact: Fact;
  endedAt: number;
}

interface KeyFact {
  /** Undefined: the key has no object. */
  readonly text: string | undefined;
  readonly isPublic: boolean;
  /** How long a location may use the fact. */
  readonly totalMs: number;
}

class History<Fact> {
  readonly #spans: Span<Fact>[];

  constructor(first: Fact) {
    this.#spans = [{ fact: first, endedAt: Infinity }];
  }

  get current(): Fact {
    const last = this.#spans.at(-1);
    if (last === undefined) throw new Error("a history without facts");
    return last.fact;
  }

  add(fact: Fact): void {
    const last = this.#spans.at(-1);
    if (last !== undefined) last.endedAt = Date.now();
    this.#spans.push({ fact, endedAt: Infinity });
  }

  /** The facts that may still be used: those that held less than their time ago. */
  usable(totalMs: (fact: Fact) => number, since: number): Fact[] {
    const now = Date.now();
    return this.#spans
      .filter(({ fact, endedAt }) => endedAt >= now || (endedAt > since && now - endedAt < totalMs(fact)))
      .map(({ fact }) => fact);
  }
}

/** Time passes with every command, so that what follows a write in time follows it by the clock. */
function tick(ms = 1): void {
  vi.setSystemTime(Date.now() + ms);
}

class Play {
  readonly #site: Site;
  readonly #decidesByAcl: boolean;
  readonly #places: readonly RequestScope[] = Array.from({ length: LOCATIONS }, () => freshLocation());
  readonly #keys = new Map<string, History<KeyFact>>(
    KEYS.map((name) => [name, new History<KeyFact>({ text: undefined, isPublic: false, totalMs: BOUND_MS })]),
  );
  /** Whether the policy opens the bucket. */
  readonly #isOpen = new History(false);
  readonly #purges: { readonly at: number; readonly place: number }[] = [];
  #bodies = 0;

  constructor(bucket: string, decidesByAcl: boolean) {
    this.#site = siteOf(bucket);
    this.#decidesByAcl = decidesByAcl;
  }

  async write(one: Write): Promise<void> {
    const { bucket } = this.#site;
    if (one.op === "purge") {
      expect((await send("POST", `/${bucket}?purge`, {}, this.#scope(one.location))).status).toBe(200);
      this.#purges.push({ at: Date.now(), place: one.location });
      return;
    }
    const history = this.#history(one.key);
    switch (one.op) {
      case "put": {
        const [cacheControl, ownMs] = LIFETIMES[one.lifetime] ?? [undefined, BOUND_MS];
        const headers = {
          ...(cacheControl === undefined ? {} : { "cache-control": cacheControl }),
          ...(this.#decidesByAcl && one.isPublic ? { "x-amz-acl": "public-read" } : {}),
        };
        const text = this.#body(one.size);
        expect((await send("PUT", `/${bucket}/${one.key}`, { body: text, headers })).status).toBe(200);
        const totalMs = this.#decidesByAcl ? Math.min(ownMs, BOUND_MS) : ownMs;
        history.add({ text, isPublic: one.isPublic, totalMs });
        return;
      }
      case "delete":
        expect((await send("DELETE", `/${bucket}/${one.key}`)).status).toBe(204);
        history.add({ text: undefined, isPublic: false, totalMs: BOUND_MS });
        return;
      case "access":
        if (this.#decidesByAcl) await this.#setAcl(one.key, one.isPublic);
        else await this.#setPolicy(one.isPublic);
    }
  }

  async visit(one: Visit): Promise<void> {
    expect(this.#expected(one)).toContain(await this.#shown(one));
  }

  /** A visit that overlaps a write has an answer from before or after it. */
  async race(changing: Write, one: Visit): Promise<void> {
    const [answer] = await Promise.all([this.#shown(one), this.write(changing)]);
    expect(this.#expected(one)).toContain(answer);
  }

  async #setAcl(name: string, isPublic: boolean): Promise<void> {
    const history = this.#history(name);
    if (history.current.text === undefined) return;
    const headers = { "x-amz-acl": isPublic ? "public-read" : "private" };
    expect((await send("PUT", `/${this.#site.bucket}/${name}?acl`, { headers })).status).toBe(200);
    history.add({ ...history.current, isPublic });
  }

  async #setPolicy(isPublic: boolean): Promise<void> {
    const { bucket } = this.#site;
    const changed = isPublic
      ? await putPolicy(bucket, publicReadPolicy(bucket))
      : await send("DELETE", `/${bucket}?policy`);
    expect(changed.status).toBe(204);
    this.#isOpen.add(isPublic);
  }

  async #shown({ key: name, location: place, range }: Visit): Promise<string> {
    const headers = range === undefined ? {} : { range: `bytes=${range}-${range + 7}` };
    const response = await visit(this.#site, `/${name}`, { headers, scope: this.#scope(place) });
    const { status, bytes } = await readAnswer(response);
    return status < 300 ? `${status} ${summary(new TextDecoder().decode(bytes))}` : String(status);
  }

  /** Every answer that the location may give now. */
  #expected({ key: name, location: place, range }: Visit): string[] {
    const now = Date.now();
    const purgedAt = this.#purges
      .filter((purge) => now - purge.at >= (purge.place === place ? PURGE_MS : BOUND_MS))
      .map(({ at }) => at);
    const facts = this.#history(name).usable(({ totalMs }) => totalMs, Math.max(...purgedAt, 0));
    const policies = this.#isOpen.usable(() => BOUND_MS, 0);
    return facts.flatMap(({ text, isPublic }) =>
      policies.map((isOpen) => {
        const mayRead = this.#decidesByAcl ? isPublic && text !== undefined : isOpen;
        if (!mayRead) return "403";
        if (text === undefined) return "404";
        if (range === undefined) return `200 ${summary(text)}`;
        return range < text.length ? `206 ${summary(text.slice(range, range + 8))}` : "416";
      }),
    );
  }

  #history(name: string): History<KeyFact> {
    const history = this.#keys.get(name);
    if (history === undefined) throw new Error(`no key ${name}`);
    return history;
  }

  #scope(place: number): RequestScope {
    return { ...this.#places[place], EDGE_CACHE_PIECE_MEBIBYTES: "1" };
  }

  /** A body that no other has, not even in part. */
  #body(size: number): string {
    this.#bodies += 1;
    return `${this.#bodies}.`.repeat(size).slice(0, size);
  }
}

/** Long texts are compared by their length and their parts. */
function summary(text: string): string {
  return `${text.length} ${Array.from(new Set(text.split(".")))
    .slice(0, 5)
    .join("|")}`;
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ["a bucket that its policy opens", freshBucket, false],
  ["a bucket whose objects ACLs open", aclBucket, true],
] as const)("any sequence of writes, changes of access, purges and visits of %s", (_, newBucket, decidesByAcl) => {
  it("has no answer older than its bound, no mix of two blobs, and nothing that was private for longer than the bound", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await assert(
      asyncProperty(commands, async (sequence) => {
        const play = new Play(await newBucket(), decidesByAcl);
        for (const one of sequence) {
          tick();
          if (one.op === "visit") await play.visit(one);
          else if (one.op === "pause") tick(one.ms);
          else if (one.op === "race") await play.race(one.write, one.visiting);
          else await play.write(one);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
