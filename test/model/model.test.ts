// Random sequences of requests against the Worker and a model of S3, which must answer alike. A failure is shrunk and
// printed as the list of its requests; `npm run test:model -- --runs N --seed S` runs more of them, or the same again.
import { env } from "cloudflare:workers";
import { assert, asyncProperty } from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { expectSoundHoldings } from "../support/check-holdings.ts";
import { send } from "../support/client.ts";
import { noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { KEYS, sequence, type Sequence } from "./commands.ts";
import { Play, type BigSource } from "./play.ts";
import { PART_MIN_BYTES } from "./s3-model.ts";

const RUNS = numberFrom("MODEL_RUNS") ?? 40;
const SEED = numberFrom("MODEL_SEED");
const MAX_COMMANDS = 60;
const SECONDS_PER_RUN = 5;

let big: BigSource;

beforeAll(async () => {
  const bytes = noise(PART_MIN_BYTES + 10);
  big = { bucket: await freshBucket(), bytes };
  expect((await send("PUT", `/${big.bucket}/${KEYS[0]}`, { body: bytes })).status).toBe(200);
});

describe("any sequence of requests", () => {
  it(
    "is answered as the model answers it, and leaves the holdings sound",
    { timeout: Math.max(600, RUNS * SECONDS_PER_RUN) * 1000 },
    async () => {
      const settings = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) };
      await assert(asyncProperty(sequence(MAX_COMMANDS), playAll), settings);
      await expectSoundHoldings(big.bucket);
    },
  );
});

async function playAll({ commands, ...versionings }: Sequence): Promise<void> {
  const play = await Play.begin(big);
  try {
    for (const bucket of ["one", "two"] as const) {
      const versioning = versionings[bucket];
      if (versioning !== undefined) await play.perform({ op: "setVersioning", bucket, versioning });
    }
    for (const one of commands) await play.perform(one);
    await play.finish();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${play.transcript.join("\n")}\n\n${reason}`, { cause: error });
  }
}

function numberFrom(binding: string): number | undefined {
  const value: unknown = Reflect.get(env, binding);
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : undefined;
}
