// The schedule of a local server. `npm run test:serve` runs it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cron } from "croner";
import { readWranglerToml } from "../../scripts/project/wrangler-toml.ts";
import { localCrons } from "../../scripts/serve/schedule.ts";

const MINUTE_MS = 60_000;

void describe("the schedule of a local server", () => {
  const deployed = readWranglerToml().crons;

  void it("has the deployment's patterns, and fires every minute, so that failed deliveries are repeated soon", () => {
    const crons = localCrons(deployed);
    for (const pattern of deployed) assert.ok(crons.includes(pattern));
    const times = crons.flatMap((pattern) => new Cron(pattern, { paused: true }).nextRuns(3).map(Number));
    const [first = 0, second = 0, third = 0] = [...new Set(times)].sort((one, other) => one - other);
    assert.deepEqual([second - first, third - second], [MINUTE_MS, MINUTE_MS]);
  });
});
