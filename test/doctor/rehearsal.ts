// `npm run doctor` against a served Cairn: without faults, and behind a proxy that injects each fault. Run by
// `npm run test:serve`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CairnProcess, endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { Requests } from "../crash/requests.ts";
import { makeCredentials } from "../../scripts/project/credentials.ts";
import { reportLines, type Finding } from "../../scripts/doctor/findings.ts";
import { blocksFor } from "../project/guide-blocks.ts";
import { FAULTS, type FaultyProxy, startProxy } from "./faulty-proxy.ts";

const credentials = makeCredentials();
const folder = mkdtempSync(join(tmpdir(), "cairn-doctor-"));
let cairn: CairnProcess;
let proxy: FaultyProxy;
/** What the doctor printed about all faults. */
const printed: string[] = [];

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function doctor(options: readonly string[], given: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const path = resolve(import.meta.dirname, "..", "..", "scripts", "doctor.ts");
  const env = {
    PATH: process.env["PATH"] ?? "",
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...given,
  };
  return new Promise((done) => {
    execFile(process.execPath, [path, ...options], { env, maxBuffer: 10_000_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function findingsIn({ stdout, stderr }: Outcome): Finding[] {
  assert.ok(stdout.startsWith("["), stdout + stderr);
  // What the script prints with --json.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(stdout) as Finding[];
}

void describe("npm run doctor", () => {
  before(async () => {
    const state = join(folder, "state");
    mkdirSync(state);
    cairn = await startCairn({ state, credentials, settings: { DELIVERY: "localhost=delivered" } });
    proxy = await startProxy(cairn.url);
  });

  after(async () => {
    await proxy.stop();
    await cairn.stop();
    endRunningCairns();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  void it("finds nothing wrong with a sound endpoint, directly or through a proxy, and leaves nothing behind", async () => {
    for (const url of [cairn.url, proxy.url]) {
      const outcome = await doctor([url, "--json"]);
      const wrong = findingsIn(outcome).filter(({ check, level }) => level !== "good" && check !== "schedule");
      assert.deepEqual(wrong, []);
      assert.equal(outcome.code, 0);
      assert.ok(findingsIn(outcome).length >= 22);
    }
    const { body } = await new Requests(cairn.url, credentials).send("GET", "/");
    assert.doesNotMatch(body.toString(), /cairn-doctor/);
  });

  for (const [name, check, level, fault] of FAULTS) {
    void it(`says what is wrong and what to do where ${name}`, async () => {
      proxy.fault = fault;
      const outcome = await doctor([proxy.url, "--json"]);
      proxy.fault = {};
      printed.push(...reportLines(findingsIn(outcome)));
      const found = findingsIn(outcome).find((finding) => finding.check === check);
      assert.equal(found?.level, level, outcome.stdout);
      assert.ok((found.remedy ?? "").length > 20);
      assert.equal(outcome.code, findingsIn(outcome).some((finding) => finding.level === "bad") ? 1 : 0);
    });
  }

  void it("prints every line that docs/zone-settings.md quotes", () => {
    const quoted = blocksFor("zone-settings", "doctor").flatMap(({ text }) => text.trim().split("\n"));
    assert.ok(quoted.length >= 7);
    const isPrinted = (line: string): boolean => {
      const [start = "", end = ""] = line.split("…");
      return printed.some((one) => (line.includes("…") ? one.startsWith(start) && one.endsWith(end) : one === line));
    };
    assert.deepEqual(
      quoted.filter((line) => !isPrinted(line)),
      [],
      printed.filter((line) => !line.startsWith("good")).join("\n"),
    );
  });

  void it("finds delivery hosts that deliver, have no bucket, do not reach Cairn, or do not know a signer", async () => {
    const { port } = new URL(cairn.url);
    const delivery = `http://localhost:${port}`;
    const check = async (url: string, secret = credentials.secretAccessKey): Promise<(string | undefined)[][]> => {
      const outcome = await doctor([cairn.url, "--delivery", url, "--json"], { AWS_SECRET_ACCESS_KEY: secret });
      return findingsIn(outcome)
        .filter((finding) => finding.check === "delivery" || finding.check === "presigned URLs")
        .map(({ check: name, level, found }) => [name, level, found.split(" ").slice(1, 4).join(" ")]);
    };
    assert.deepEqual(await check(delivery), [["delivery", "bad", "has no bucket"]]);
    await new Requests(cairn.url, credentials).send("PUT", "/delivered");
    // The host remembers for a few seconds that there was no bucket.
    while ((await check(delivery))[0]?.[1] === "bad") await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.deepEqual(await check(delivery), [
      ["delivery", "good", "delivers a bucket"],
      ["presigned URLs", "good", "accepts the signature"],
    ]);
    assert.deepEqual(await check(delivery, "of-no-user"), [
      ["delivery", "good", "delivers a bucket"],
      ["presigned URLs", "bad", "answers a presigned"],
    ]);
    assert.deepEqual(await check(cairn.url), [["delivery", "bad", "answers 404 without"]]);
    assert.equal((await doctor([cairn.url, "--delivery", "cdn.example.com"])).code, 2);
    assert.deepEqual(await check("http://127.0.0.1:1"), [["delivery", "bad", "cannot be reached"]]);
  });

  void it("reports wrong credentials, runs the checks that need none without any, and prints no secret", async () => {
    const wrong = await doctor([cairn.url], { AWS_SECRET_ACCESS_KEY: "of-no-user" });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /^bad +permissions: CreateBucket is answered 403 with SignatureDoesNotMatch$/m);
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /of-no-user/);
    const none = await doctor([cairn.url], {
      AWS_ACCESS_KEY_ID: "",
      AWS_SECRET_ACCESS_KEY: "",
      CAIRN_PROJECT_ROOT: process.cwd(),
    });
    assert.equal(none.code, 0, none.stdout + none.stderr);
    assert.match(none.stdout, /^good +bindings/m);
    assert.equal((await doctor(["http://127.0.0.1:1"])).code, 2);
    assert.equal((await doctor(["nowhere"])).code, 2);
  });
});
