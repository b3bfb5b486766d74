// What requests cost with several databases, counted; and that lookups in two databases run at the same time.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { discardLocation } from "../../src/state/metadata/bucket-locations.ts";
import { send } from "../support/client.ts";
import { costOf, type Cost } from "../support/cost.ts";
import { BINDINGS, bucketIn } from "../support/databases.ts";
import { d1With } from "../support/faults.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { freshUser } from "../support/users.ts";

storeBodiesInBlobs();

const NAMES = BINDINGS.map(({ name }) => name);

async function cost(method: string, target: string, options: Parameters<typeof send>[2] = {}): Promise<Cost> {
  const response = await send(method, target, options);
  await response.arrayBuffer();
  expect(response.ok, `${method} ${target}: ${response.status}`).toBe(true);
  return costOf(response);
}

describe("with several databases", () => {
  it.each(NAMES)("reads and writes of a bucket in %s cost what they cost with one", async (database) => {
    const bucket = await bucketIn(database);
    const write = await cost("PUT", `/${bucket}/k`, { body: "v" });
    expect(write).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 1, blobCalls: 1 });
    for (const method of ["GET", "HEAD"]) {
      expect(await cost(method, `/${bucket}/k`)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0 });
    }
    expect(await cost("GET", `/${bucket}?list-type=2`)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
    expect(await cost("DELETE", `/${bucket}/k`)).toMatchObject({ roundTrips: 2, rowsWritten: 2, coordinatorCalls: 1 });
  });

  it("a bucket that the isolate has not seen costs one more round trip, once", async () => {
    const bucket = await bucketIn("META_1");
    await putAll(bucket, { k: "v" });
    discardLocation(bucket);
    expect((await cost("GET", `/${bucket}/k`)).roundTrips).toBe(2);
    expect((await cost("GET", `/${bucket}/k`)).roundTrips).toBe(1);
  });

  it("a missing bucket costs one round trip", async () => {
    const response = await send("GET", `/no-bucket-${crypto.randomUUID()}/k`);
    expect(response.status).toBe(404);
    expect(costOf(response).roundTrips).toBe(1);
  });

  it("a user's GET looks up the access key and the object at the same time", async () => {
    const bucket = await bucketIn("META_2");
    await putAll(bucket, { k: "v" });
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    await (await send("GET", `/${bucket}/k`, { credentials })).arrayBuffer();
    // Each database answers only once the other one was asked, too.
    const { promise: both, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    const meeting = (d1: D1Database): D1Database =>
      d1With(async (sql, sendBatch) => {
        if (!sql.some((text) => text.includes("SELECT"))) return sendBatch();
        asked += 1;
        if (asked === 2) resolve();
        await both;
        return sendBatch();
      }, d1);
    const further = BINDINGS.find(({ name }) => name === "META_2")?.d1 ?? env.DB;
    const scope = { DB: meeting(env.DB), META_2: meeting(further) };
    const response = await send("GET", `/${bucket}/k`, { credentials }, scope);
    expect(response.status).toBe(200);
    expect(costOf(response).roundTrips).toBe(2);
  });

  it("ListBuckets asks each database once", async () => {
    expect((await cost("GET", "/")).roundTrips).toBe(NAMES.length);
  });
});
