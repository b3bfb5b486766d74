// The platform's rate limiter in a served Cairn: as wrangler.toml declares it, it refuses requests without credentials.
// `npm run test:serve` runs it.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Requests } from "../crash/requests.ts";
import { ACCESS_KEY_ID, makeCredentials, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { PROJECT_ROOT, readWranglerToml } from "../../scripts/project/wrangler-toml.ts";
import { serveCairn, type ServedCairn } from "../../scripts/serve/runtime.ts";

const LIMIT = 3;
const credentials = makeCredentials();
const folder = mkdtempSync(join(tmpdir(), "cairn-rate-limit-"));
let cairn: ServedCairn;

/** The project's wrangler.toml with more lines. */
function declared(lines: string): string {
  const toml = readFileSync(join(PROJECT_ROOT, "wrangler.toml"), "utf8");
  return `${toml}\n${lines}`;
}

const DECLARATION = `[[ratelimits]]
name = "ANONYMOUS_RATE_LIMIT"
namespace_id = "1001"
simple = { limit = ${LIMIT}, period = 60 }
`;

before(async () => {
  writeFileSync(join(folder, "wrangler.toml"), declared(DECLARATION));
  cairn = await serveCairn({
    state: join(folder, "state"),
    host: "127.0.0.1",
    port: 0,
    bindings: {
      [ACCESS_KEY_ID]: credentials.accessKeyId,
      [SECRET_ACCESS_KEY]: credentials.secretAccessKey,
      LOG_REQUESTS: "false",
    },
    rateLimits: readWranglerToml(folder).rateLimits,
  });
});

after(async () => {
  await cairn.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

void describe("the platform's rate limiter in a served Cairn", () => {
  void it("refuses requests without credentials beyond its limit, and none with credentials", async () => {
    const requests = new Requests(cairn.url, credentials);
    assert.equal((await requests.send("PUT", "/photos")).status, 200);
    // Twice the limit and more, because a new minute may begin in between.
    const answers: Response[] = [];
    for (let sent = 0; sent < 3 * LIMIT + 1; sent += 1) answers.push(await fetch(`${cairn.url}/photos/a`));
    const refused = answers.find(({ status }) => status === 503);
    assert.equal(refused?.headers.get("retry-after"), "10");
    assert.match((await refused?.text()) ?? "", /<Code>SlowDown</);
    assert.equal(answers[0]?.status, 403);
    assert.equal((await requests.send("PUT", "/photos/a", {}, "1")).status, 200);
  });
});

void describe("a declaration of a rate limiter in wrangler.toml", () => {
  void it("is refused with another period than the platform has", () => {
    writeFileSync(join(folder, "wrangler.toml"), declared(DECLARATION.replace("= 60", "= 30")));
    assert.throws(() => readWranglerToml(folder), /period of 10 or 60/);
  });
});
