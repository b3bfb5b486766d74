// Reads of several requests that share batches. Each read runs in the context of a Durable Object of its own, so that the
// runtime separates their promises as it separates those of requests.
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { Counts } from "../../src/state/d1/counts.ts";
import { Database, rowsOf, statement, type Statement } from "../../src/state/d1/database.ts";
import { signed } from "../support/client.ts";
import { connectionLost, d1With, type BatchFault } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { mockErrorLog } from "../support/error-log.ts";

mockErrorLog();

const ENDED = "the request has been ended";
let contexts = 0;

/** Runs an action in a request context of its own, which ends without a result once `end` is aborted. */
async function inContext<Result>(
  action: (keepAlive: (work: Promise<unknown>) => void) => Promise<Result>,
  end?: AbortController,
): Promise<Result | string> {
  contexts += 1;
  return runInDurableObject(env.COORDINATORS.getByName(`context-${contexts}`), async (_, state) => {
    if (end !== undefined) void abortWhen(end, state);
    return action((work) => state.waitUntil(work));
  }).catch((error: unknown) => {
    if (end === undefined) throw error;
    return String(error);
  });
}

/** The context itself must call `abort`, so it looks for the end. */
async function abortWhen(end: AbortController, state: DurableObjectState): Promise<void> {
  while (!end.signal.aborted) await pause(1);
  state.abort(ENDED);
}

/** A database whose batches can be held back and are counted. */
class Line {
  readonly batches: number[] = [];
  readonly counts: Counts[] = [];
  readonly d1: D1Database;
  #isHeld: boolean;

  constructor(fault: BatchFault = async (_, send) => send(), isHeld = true) {
    this.#isHeld = isHeld;
    this.d1 = d1With(async (sql, ...rest) => {
      this.batches.push(sql.length);
      // A promise of the test's own context would continue this one there.
      if (this.batches.length === 1) while (this.#isHeld) await pause(1);
      return fault(sql, ...rest);
    });
  }

  /** Lets the first batch continue. */
  release(): void {
    this.#isHeld = false;
  }

  /** Reads in a context of its own. */
  async read(statements: readonly Statement[]): Promise<unknown> {
    return inContext(async (keepAlive) => this.readIn(keepAlive, statements));
  }

  async readIn(keepAlive: (work: Promise<unknown>) => void, statements: readonly Statement[]): Promise<unknown> {
    const counts = new Counts();
    this.counts.push(counts);
    const results = await new Database(this.d1, counts, "DB", keepAlive).read(statements);
    return results.flatMap((_, index) => rowsOf<{ value: unknown }>(results, index).map(({ value }) => value));
  }

  get roundTrips(): number {
    return this.counts.reduce((sum, counts) => sum + counts.snapshot().d1RoundTrips, 0);
  }
}

function value(of: string | number): Statement {
  return statement("SELECT ? AS value", of);
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe("reads of concurrent requests", () => {
  // Two statements of each of 20 fit into one batch, so none sends a batch without its own, however slow the machine is.
  it.each([1, 2, 20])(
    "%i at a time get their own results, and one after another cost a round trip each",
    async (at) => {
      const line = new Line(undefined, false);
      for (let round = 0; round < 3; round += 1) {
        const reads = Array.from({ length: at }, (_, index) => [`${round}/${index}`, index]);
        expect(await Promise.all(reads.map(async (read) => line.read(read.map(value))))).toEqual(reads);
      }
      expect(line.roundTrips).toBe(line.batches.length);
      if (at === 1) expect(line.batches).toEqual([2, 2, 2]);
      else expect(line.batches.length).toBeLessThanOrEqual(3 * at);
      for (const counts of line.counts) expect(counts.snapshot().d1RoundTrips).toBeLessThanOrEqual(1);
    },
  );

  it("that wait for a batch leave together, at most 40 statements at once", async () => {
    const line = new Line();
    const first = line.read([value("first")]);
    await pause(1);
    const others = Array.from({ length: 90 }, async (_, index) => line.read([value(index)]));
    line.release();
    expect(await first).toEqual(["first"]);
    expect(await Promise.all(others)).toEqual(Array.from({ length: 90 }, (_, index) => [index]));
    expect(Math.max(...line.batches)).toBeLessThanOrEqual(40);
    expect(line.batches.length).toBeLessThan(60);
    expect(line.batches.reduce((sum, count) => sum + count, 0)).toBe(91);
  });

  it("that are larger than a batch are sent whole", async () => {
    const line = new Line(undefined, false);
    expect(await line.read(Array.from({ length: 60 }, (_, index) => value(index)))).toHaveLength(60);
    expect(line.batches).toEqual([60]);
  });

  it("see what was written before they began, though an earlier batch has not returned", async () => {
    const bucket = await freshBucket();
    const line = new Line(async (_, send) => {
      const results = await send();
      await pause(20);
      return results;
    });
    const keys = statement(
      "SELECT count(*) AS value FROM objects WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?)",
      bucket,
    );
    const early = line.read([keys]);
    await pause(1);
    line.release();
    for (let written = 1; written <= 5; written += 1) {
      await putAll(bucket, { [`k${written}`]: "" });
      expect(await line.read([keys])).toEqual([written]);
    }
    await early;
  });
});

describe("reads whose batch fails", () => {
  it("because of one statement fail alone", async () => {
    const line = new Line();
    const first = line.read([value("first")]);
    await pause(1);
    const others = Array.from({ length: 12 }, async (_, index) =>
      line.read([index === 5 ? statement("SELECT value FROM no_table") : value(index)]),
    );
    const outcomesOfAll = Promise.allSettled(others);
    line.release();
    await first;
    const outcomes = await outcomesOfAll;
    for (const [index, outcome] of outcomes.entries()) {
      if (index !== 5) expect(outcome).toEqual({ status: "fulfilled", value: [index] });
      else expect(String(Reflect.get(outcome, "reason"))).toContain("no such table: no_table");
    }
  });

  it("because the connection broke are sent again, each alone", async () => {
    let isBroken = false;
    const line = new Line(async (sql, send) => {
      if (sql.length > 1 && !isBroken) {
        isBroken = true;
        throw connectionLost();
      }
      return send();
    });
    const first = line.read([value("first")]);
    await pause(1);
    const others = Array.from({ length: 6 }, async (_, index) => line.read([value(index)]));
    line.release();
    await first;
    expect(await Promise.all(others)).toEqual(Array.from({ length: 6 }, (_, index) => [index]));
    expect(isBroken).toBe(true);
  });

  it("by itself, with D1's error", async () => {
    const line = new Line(async () => Promise.reject(connectionLost()), false);
    await expect(line.read([value(1)])).rejects.toThrow("Network connection lost");
    expect(line.batches).toHaveLength(1);
  });
});

describe("a request that is ended while others wait for it", () => {
  it.each([1, 12])("with %i waiting, delays and fails none of them", async (count) => {
    const line = new Line();
    const end = new AbortController();
    const sender = inContext(async (keepAlive) => line.readIn(keepAlive, [value("sender")]), end);
    while (line.batches.length === 0) await pause(1);
    const others = Array.from({ length: count }, async (_, index) => line.read([value(index)]));
    end.abort();
    expect(await sender).toContain(ENDED);
    expect(await Promise.all(others)).toEqual(Array.from({ length: count }, (_, index) => [index]));
    // Later reads do not wait for the lost batch either.
    expect(await line.read([value("later")])).toEqual(["later"]);
  });

  it("after it sent the lookups of others, or whose batch does not return, makes them send their own", async () => {
    let lost = 0;
    const line = new Line(async (sql, send) => {
      if (sql.length === 1) return send();
      lost += 1;
      return new Promise(() => undefined);
    });
    const first = line.read([value("first")]);
    while (line.batches.length === 0) await pause(1);
    const answered: unknown[] = [];
    for (let index = 0; index < 4; index += 1) {
      const work: Promise<unknown>[] = [];
      void line.readIn((each) => work.push(each), [value(index)]).then((results) => answered.push(results));
    }
    line.release();
    expect(await first).toEqual(["first"]);
    // The one that sent them all waits for D1 itself.
    while (answered.length < 3) await pause(10);
    expect(lost).toBe(1);
    expect(line.batches.slice(1).toSorted((a, b) => a - b)).toEqual([1, 1, 1, 4]);
  });
});

// Unlike a call of the handler, a request to this gets a context of its own, which ends when its client goes away.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const self = Reflect.get(exports, "default") as Fetcher;

describe("clients that go away", () => {
  it.each([2, 40])("%i at a time, leave the others their answers", async (count) => {
    const bucket = await freshBucket();
    await putAll(
      bucket,
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, `body ${index}`])),
    );
    for (let round = 0; round < 4; round += 1) {
      const answers = Array.from({ length: count }, async (_, index) => {
        const client = new AbortController();
        const request = await signed("GET", `/${bucket}/k${index}`);
        request.headers.set("host", "localhost:9000");
        const answer = self.fetch(request, { signal: client.signal }).then(async (response) => response.text());
        if (index % 2 === round % 2) {
          setTimeout(() => client.abort(), (index + round) % 5);
          return answer.catch(() => `body ${index}`);
        }
        return answer;
      });
      expect(await Promise.all(answers)).toEqual(Array.from({ length: count }, (_, index) => `body ${index}`));
    }
  });
});
