// Acknowledged writes survive a stop and a kill of the server. Runs on a separate server.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type CairnProcess, startCairn } from "./cairn-process.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { hashBytes } from "./hashes.ts";
import { type JavaScriptTools, listKeys, newClient } from "./javascript/tools.ts";
import { endpointAt, newFolder, type Site } from "./site.ts";

const WRITERS = 8;
const WRITING_MS = 1500;
const OBJECT_BYTES = 20_000;
const BUCKET = "restarts";

/** Starts and ends servers over one state folder. */
export function restarts(site: Site): Suite {
  const state = join(newFolder(site, "restarts"), "state");
  const start = () => startCairn({ state, credentials: site.root });
  return suiteOf("restarts", [
    {
      name: "objects, their metadata and their order are the same after a stop and a start",
      run: () => stopAndStart(site, start),
    },
    ...["first", "second"].map((turn): Check => ({
      name: `every PUT acknowledged before a SIGKILL is readable after it (${turn} time)`,
      run: () => killAndStart(site, start),
    })),
  ]);
}

async function stopAndStart(site: Site, start: () => Promise<CairnProcess>): Promise<void> {
  const bodies = [...site.bodies, site.mebibyte];
  await during(start, "stop", async (cairn) => {
    const { client } = toolsAt(site, cairn);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    for (const { file, size } of bodies) {
      const Body = readFileSync(file);
      await client.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: `body-${size} é`, Body, Metadata: { size: String(size) } }),
      );
    }
  });
  await during(start, "stop", async (cairn) => {
    const tools = toolsAt(site, cairn);
    assert.equal((await listKeys(tools)).length, bodies.length);
    for (const { md5, sha256, size } of bodies) {
      const got = await tools.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: `body-${size} é` }));
      assert.equal(got.ETag, `"${md5}"`);
      assert.deepEqual({ ...got.Metadata }, { size: String(size) });
      const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
      assert.equal(hashBytes("sha256", bytes), sha256);
    }
  });
}

async function killAndStart(site: Site, start: () => Promise<CairnProcess>): Promise<void> {
  const round = randomBytes(4).toString("hex");
  // Key to the hash of what was acknowledged last, and to those of what was sent since.
  const acknowledged = new Map<string, string>();
  const inFlight = new Map<string, string>();
  await during(start, "kill", async (cairn) => {
    const { client } = toolsAt(site, cairn);
    const until = performance.now() + WRITING_MS;
    const write = async (writer: number): Promise<void> => {
      // Every other put overwrites the writer's own key.
      for (let turn = 0; performance.now() < until + WRITING_MS; turn += 1) {
        const key = turn % 2 === 0 ? `${round}/${writer}/${turn}` : `${round}/${writer}/own`;
        const body = randomBytes(OBJECT_BYTES);
        inFlight.set(key, hashBytes("sha256", body));
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
        acknowledged.set(key, hashBytes("sha256", body));
      }
    };
    // They end when the server does.
    for (let writer = 0; writer < WRITERS; writer += 1) write(writer).catch(() => undefined);
    await sleep(WRITING_MS);
  });
  assert.ok(acknowledged.size > WRITERS, `only ${acknowledged.size} puts were acknowledged`);
  await during(start, "stop", async (cairn) => {
    const tools = toolsAt(site, cairn);
    const listed = await listKeys(tools, `${round}/`);
    const missing = [...acknowledged.keys()].filter((key) => !listed.includes(key));
    assert.deepEqual(missing, [], "acknowledged, and gone");
    for (const key of listed) {
      const { Body } = await tools.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      const hash = hashBytes("sha256", (await Body?.transformToByteArray()) ?? new Uint8Array());
      assert.ok(hash === acknowledged.get(key) || hash === inFlight.get(key), `${key} is neither of what was put`);
    }
  });
}

/** Starts a server, runs `use` with it and ends it, also if `use` fails. */
async function during(
  start: () => Promise<CairnProcess>,
  ending: "stop" | "kill",
  use: (cairn: CairnProcess) => Promise<void>,
): Promise<void> {
  const cairn = await start();
  try {
    await use(cairn);
  } finally {
    await cairn[ending]();
  }
}

function toolsAt(site: Site, { url }: CairnProcess): JavaScriptTools {
  const endpoint = endpointAt(url);
  return { site, endpoint, client: newClient(site, endpoint, site.root), bucket: BUCKET };
}
