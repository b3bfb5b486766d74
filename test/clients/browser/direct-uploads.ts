// The example of a page that uploads straight to the bucket, and Uppy: pause, reload, resume, forms and a wrong origin.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
} from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { at } from "../at.ts";
import type { Check } from "../harness.ts";
import { installPackages } from "../install.ts";
import { newBucketName } from "../site.ts";
import { publishExample } from "./delivered-page.ts";
import { drivePage, type DrivenPage } from "./devtools.ts";
import { EXAMPLE, serveExample, startBackend } from "./example-page.ts";
import type { BrowserTools } from "./tools.ts";

const MEGABYTE = 1_000_000;
const LARGE_BYTES = 300 * MEGABYTE;
const UPLOAD_TIMEOUT_MS = 300_000;
const STATUS = `document.getElementById("status").textContent`;

/** The largest number of parts that resume must not send again; the example's parts have 8 MiB. */
const TOTAL_PARTS = Math.ceil(LARGE_BYTES / (8 * 1024 ** 2));

interface Uploads {
  readonly bucket: string;
  readonly pageUrl: string;
  readonly foreignUrl: string;
  readonly uppyUrl: string;
  close(): void;
}

export function directUploadChecks(tools: BrowserTools): Check[] {
  const { site, client } = tools;

  /** Runs an action with a page, a bucket of its own, and everything that it needs. */
  async function withPage(run: (page: DrivenPage, uploads: Uploads) => Promise<void>): Promise<void> {
    const uploads = await openUploads(tools);
    try {
      const page = await drivePage(site);
      try {
        await run(page, uploads);
      } finally {
        page.close();
      }
    } finally {
      uploads.close();
    }
  }

  async function hashOf(Bucket: string, Key: string): Promise<string> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    const hash = createHash("sha256");
    const reader = Body?.transformToWebStream().getReader();
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) hash.update(read.value);
    return hash.digest("hex");
  }

  async function onlyKey(Bucket: string): Promise<string> {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    assert.equal(Contents.length, 1, JSON.stringify(Contents));
    return Contents[0]?.Key ?? "";
  }

  return [
    {
      name: "the example's page uploads 300 MB in parts, through a pause and a reload, and sends no part twice",
      run: () =>
        withPage(async (page, { bucket, pageUrl }) => {
          const { file, hash } = makeFile(site.scratch, "large.bin", LARGE_BYTES);
          await page.open(pageUrl);
          await page.choose("#large", file);
          await page.until(`document.getElementById("progress").value > 0.2`, UPLOAD_TIMEOUT_MS);
          await page.evaluate(`document.getElementById("pause").click()`);
          assert.equal(await page.evaluate(STATUS), "paused");
          const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
          assert.equal(Uploads.length, 1);
          await page.open(`${pageUrl}&again`);
          await page.choose("#large", file);
          await page.until(`${STATUS}.startsWith("resumed after ")`);
          const resumed = Number(/\d+/.exec(String(await page.evaluate(STATUS)))?.[0]);
          assert.ok(resumed >= 4 && resumed < TOTAL_PARTS, `resumed after ${resumed} of ${TOTAL_PARTS} parts`);
          // A second pause, without a reload.
          await page.until(`document.getElementById("progress").value > 0.5`, UPLOAD_TIMEOUT_MS);
          await page.evaluate(`document.getElementById("pause").click()`);
          await page.evaluate(`document.getElementById("resume").click()`);
          await page.until(`/^(stored|failed)/.test(${STATUS})`, UPLOAD_TIMEOUT_MS);
          const status = String(await page.evaluate(STATUS));
          const key = await onlyKey(bucket);
          assert.equal(status, `stored as ${key}`);
          const sent = await page.evaluate(
            `performance.getEntriesByType("resource").filter(({ name }) => name.includes("partNumber=")).length`,
          );
          // Parts that a pause interrupts are sent again, three at most.
          assert.ok(Number(sent) <= TOTAL_PARTS - resumed + 6, `${String(sent)} requests for parts after ${resumed}`);
          assert.equal(await hashOf(bucket, key), hash);
          const { Uploads: left = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
          assert.equal(left.length, 0);
        }),
    },
    {
      name: "the example's page uploads a small file by POST form",
      run: () =>
        withPage(async (page, { bucket, pageUrl }) => {
          const { file, hash } = makeFile(site.scratch, "small ü.txt", 100_000);
          await page.open(pageUrl);
          await page.choose("#small", file);
          await page.evaluate(`document.querySelector("#form button").click()`);
          await page.until(`/^(stored|failed)/.test(${STATUS})`);
          const key = await onlyKey(bucket);
          assert.equal(await page.evaluate(STATUS), `stored as ${key}`);
          assert.match(key, /^uploads\/[0-9a-f-]{36}\/small ü\.txt$/);
          assert.equal(await hashOf(bucket, key), hash);
        }),
    },
    {
      name: "the example's backend signs no keys but those that it made",
      run: () =>
        withPage(async (page, { pageUrl }) => {
          await page.open(pageUrl);
          const id = "00000000-0000-0000-0000-000000000000";
          for (const key of ["other", `uploads/${id}/..`, `uploads/${id}/../../x`, "uploads/../other/x"]) {
            const body = JSON.stringify({ key, uploadId: "1" });
            const url = new URL(pageUrl).searchParams.get("backend") ?? "";
            const options = `{ method: "POST", body: ${JSON.stringify(body)} }`;
            assert.equal(await page.evaluate(`fetch("${url}/complete", ${options}).then(({ status }) => status)`), 400);
          }
        }),
    },
    {
      name: "the browser refuses uploads of a page whose origin the CORS rule does not name",
      run: () =>
        withPage(async (page, { bucket, foreignUrl }) => {
          const { file } = makeFile(site.scratch, "foreign.bin", 9 * MEGABYTE);
          await page.open(foreignUrl);
          await page.choose("#large", file);
          await page.until(`${STATUS}.startsWith("failed")`);
          assert.equal(await page.evaluate(STATUS), "failed: Failed to fetch");
          const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
          assert.equal(Contents.length, 0);
        }),
    },
    {
      name: "Uppy uploads 30 MB in parts, through a pause, and a small file by POST form",
      run: () =>
        withPage(async (page, { bucket, uppyUrl }) => {
          const [large, small] = [
            makeFile(site.scratch, "uppy.bin", 30 * MEGABYTE),
            makeFile(site.scratch, "uppy.txt", 1000),
          ];
          for (const { file, hash } of [large, small]) {
            await page.open(`${uppyUrl}&of=${hash}`);
            await page.choose("input", file);
            if (file === large.file) {
              await page.until("uppy.getState().totalProgress > 5", UPLOAD_TIMEOUT_MS);
              await page.evaluate("uppy.pauseAll()");
              await page.evaluate("uppy.resumeAll()");
            }
            await page.until("globalThis.outcome !== undefined", UPLOAD_TIMEOUT_MS);
            const outcome = await page.evaluate("outcome");
            assert.deepEqual(at(outcome, "errors"), []);
          }
          const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
          const hashes = await Promise.all(Contents.map(({ Key = "" }) => hashOf(bucket, Key)));
          assert.deepEqual(hashes.toSorted(), [large.hash, small.hash].toSorted());
        }),
    },
  ];
}

/** A bucket with the example's CORS rule, its page on a delivery host, a copy on another origin, and the backend. */
async function openUploads({ site, endpoint, client }: BrowserTools): Promise<Uploads> {
  const bucket = newBucketName("uploads");
  const pageOrigin = await publishExample(site, client, {
    "uppy.html": `<!doctype html><input type="file"><script type="module" src="uppy-bundle.js"></script>`,
    "uppy-bundle.js": await uppyBundle(site.scratch),
  });
  const foreign = await serveExample("127.0.0.1");
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const text = readFileSync(join(EXAMPLE, "cors.json"), "utf8").replace("https://www.example.com", pageOrigin);
  await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: JSON.parse(text) }));
  const backend = await startBackend(site, endpoint, bucket, pageOrigin);
  // The foreign page gets its signatures, so that only the bucket's rule refuses it.
  const foreignBackend = await startBackend(site, endpoint, bucket, foreign.origin);
  return {
    bucket,
    pageUrl: `${pageOrigin}/?backend=${backend.url}`,
    foreignUrl: `${foreign.origin}/?backend=${foreignBackend.url}`,
    uppyUrl: `${pageOrigin}/uppy.html?backend=${backend.url}`,
    close() {
      for (const it of [foreign, backend, foreignBackend]) it.close();
    },
  };
}

let bundle: Promise<string> | undefined;

/** Uppy and the example that uses it, as one script. */
function uppyBundle(scratch: string): Promise<string> {
  bundle ??= (async () => {
    const modules = await installPackages(join(scratch, "uppy"), ["@uppy/core@6.3.1", "@uppy/aws-s3@6.3.1"]);
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "uppy-page.js")],
      bundle: true,
      write: false,
      format: "esm",
      nodePaths: [modules],
    });
    return outputFiles[0]?.text ?? "";
  })();
  return bundle;
}

function makeFile(folder: string, name: string, size: number): { readonly file: string; readonly hash: string } {
  const file = join(folder, name);
  const hash = createHash("sha256");
  writeFileSync(file, "");
  for (let left = size; left > 0; left -= MEGABYTE) {
    const piece = randomBytes(Math.min(left, MEGABYTE));
    appendFileSync(file, piece);
    hash.update(piece);
  }
  return { file, hash: hash.digest("hex") };
}
