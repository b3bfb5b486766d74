// Random histories of small and other bodies with jobs that die in between, beside a model of what each key must read as.
// After the windows have passed, nothing is left that no row references.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { compactPacks } from "../../src/jobs/compact-packs.ts";
import type { Job } from "../../src/jobs/job.ts";
import { packSmallBlobs } from "../../src/jobs/pack-small-blobs.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { connectionLost, d1With, r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { INLINE, smallBlobsOf } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { setVersioning } from "../support/versioning.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TURNS = 50;
const KEYS = 6;
const SHARE = { ORPHAN_SHARE_PERCENT: "100" };

/** Numbers below `bound`, the same for the same seed. */
function numbersOf(seed: number): (bound: number) => number {
  let state = seed * 7919;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Bindings of a job that dies at its n-th call, which is still executed or not. */
function dyingAt(call: number, isExecuted: boolean): RequestScope {
  let calls = 0;
  const pass = async <Answer>(execute: () => Promise<Answer>): Promise<Answer> => {
    calls += 1;
    if (calls > call || (calls === call && !isExecuted)) throw connectionLost();
    const answer = await execute();
    if (calls === call) throw connectionLost();
    return answer;
  };
  return {
    DB: d1With(async (_sql, run) => pass(run)),
    BLOBS: r2With({
      put: async (key, body, options) => pass(async () => env.BLOBS.put(key, body, options)),
      delete: async (keys) => pass(async () => env.BLOBS.delete(keys)),
    }),
  };
}

class History {
  readonly #bucket: string;
  readonly #isVersioned: boolean;
  readonly #next: (bound: number) => number;
  readonly #bodies = new Map<string, string>();
  /** The clock of the jobs: hours pass between them. */
  #now = Date.now();

  constructor(bucket: string, seed: number, isVersioned: boolean) {
    this.#bucket = bucket;
    // A rename would lose versions, so a versioned bucket refuses it.
    this.#isVersioned = isVersioned;
    this.#next = numbersOf(seed);
  }

  async turn(number: number): Promise<void> {
    const [key, other] = [this.#key(), this.#key()];
    const action = this.#next(12);
    if (action < 5) await this.#put(key, `body ${number} `.repeat(this.#next(60)));
    else if (action < 6) await this.#put(key, "x".repeat(5000 + number));
    else if (action < 8) await this.#delete(key);
    else if (action < 9) await this.#move("copy", key, other);
    else if (action < 10) await this.#move(this.#isVersioned ? "copy" : "rename", key, other);
    else await this.#runJob();
  }

  async expectBodies(): Promise<void> {
    for (let index = 0; index < KEYS; index += 1) {
      const key = `k${index}`;
      const response = await send("GET", `/${this.#bucket}/${key}`, {}, INLINE);
      const body = this.#bodies.get(key);
      expect(response.status, key).toBe(body === undefined ? 404 : 200);
      const text = await response.text();
      if (body !== undefined) expect(text === body, key).toBe(true);
    }
  }

  /** Lets all windows pass. */
  async end(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      for (const job of [packSmallBlobs, collectGarbage, compactPacks, scanOrphans]) {
        this.#now += 2 * DAY_MS;
        await runPass(job, this.#now, SHARE);
      }
      this.#now += 40 * DAY_MS;
    }
    await runPass(collectGarbage, this.#now, SHARE);
  }

  #key(): string {
    return `k${this.#next(KEYS)}`;
  }

  async #put(key: string, body: string): Promise<void> {
    expect((await send("PUT", `/${this.#bucket}/${key}`, { body }, INLINE)).status).toBe(200);
    this.#bodies.set(key, body);
  }

  async #delete(key: string): Promise<void> {
    expect((await send("DELETE", `/${this.#bucket}/${key}`, {}, INLINE)).status).toBe(204);
    this.#bodies.delete(key);
  }

  async #move(kind: "copy" | "rename", from: string, to: string): Promise<void> {
    if (from === to) return;
    const source = `/${this.#bucket}/${from}`;
    const answer =
      kind === "copy"
        ? await send("PUT", `/${this.#bucket}/${to}`, { headers: { "x-amz-copy-source": source } }, INLINE)
        : await send(
            "PUT",
            `/${this.#bucket}/${to}?renameObject`,
            { headers: { "x-amz-rename-source": source } },
            INLINE,
          );
    const body = this.#bodies.get(from);
    expect(answer.status).toBe(body === undefined ? 404 : 200);
    if (body === undefined) return;
    this.#bodies.set(to, body);
    if (kind === "rename") this.#bodies.delete(from);
  }

  async #runJob(): Promise<void> {
    const jobs: readonly Job[] = [packSmallBlobs, packSmallBlobs, compactPacks, collectGarbage, scanOrphans];
    const job = jobs[this.#next(jobs.length)] ?? packSmallBlobs;
    this.#now += this.#next(30) * HOUR_MS;
    const scope = this.#next(2) === 0 ? {} : dyingAt(this.#next(8) + 1, this.#next(2) === 0);
    await runPass(job, this.#now, { ...SHARE, ...scope }).catch(() => undefined);
    await this.expectBodies();
  }
}

describe("a history of small bodies", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => [seed, seed % 3 === 0] as const))(
    "by seed %i, versioned: %s, reads as its model, and leaves nothing that no row references",
    async (seed, isVersioned) => {
      const bucket = await freshBucket();
      if (isVersioned) await setVersioning(bucket, "Enabled");
      const history = new History(bucket, seed, isVersioned);
      for (let number = 1; number <= TURNS; number += 1) await history.turn(number);
      await history.expectBodies();
      await history.end();
      await history.expectBodies();
      await expectSoundReferences(bucket);
      expect((await smallBlobsOf(bucket)).filter(({ pack_id }) => pack_id === null)).toEqual([]);
    },
  );
});
