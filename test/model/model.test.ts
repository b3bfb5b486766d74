// Random sequences of requests against the Worker and a model of S3, which must respond alike. A failure is shrunk and
// printed as the list of its requests; `npm run test:model -- --runs N --seed S` runs more of them, or the same again.
import { env } from "cloudflare:workers";
import { assert, asyncProperty } from "fast-check";
import { describe, it } from "vitest";

import { noise } from "../support/digests.ts";
import { BIG_BUCKET, sequence, type Sequence } from "./commands.ts";
import { ModelRunner } from "./model-runner.ts";
import { PART_MIN_BYTES } from "./uploads-model.ts";

const RUNS = numberFrom("MODEL_RUNS") ?? 70;
const SEED = numberFrom("MODEL_SEED");
const MAX_COMMANDS = 60;
const SECONDS_PER_RUN = 5;

const BIG = noise(PART_MIN_BYTES + 10);

describe("any sequence of requests", () => {
  it(
    "has the model's responses, and leaves consistent references",
    { timeout: Math.max(600, RUNS * SECONDS_PER_RUN) * 1000 },
    async () => {
      const settings = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) };
      await assert(asyncProperty(sequence(MAX_COMMANDS), runAll), settings);
    },
  );
});

async function runAll({ commands, ...versionings }: Sequence): Promise<void> {
  const runner = await ModelRunner.start(JSON.stringify(commands).includes(`"${BIG_BUCKET}"`) ? BIG : undefined);
  try {
    for (const bucket of ["one", "two"] as const) {
      const versioning = versionings[bucket];
      if (versioning !== undefined) await runner.perform({ op: "setVersioning", bucket, versioning });
    }
    for (const one of commands) await runner.perform(one);
    await runner.finish();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${runner.transcript.join("\n")}\n\n${reason}`, { cause: error });
  }
}

function numberFrom(binding: string): number | undefined {
  const value: unknown = Reflect.get(env, binding);
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : undefined;
}
