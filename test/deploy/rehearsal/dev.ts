// Rehearses `npx wrangler dev` in a fresh clone, where no migration was applied. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, it } from "node:test";
import { PROJECT_ROOT } from "../../../scripts/project/wrangler-toml.ts";
import { freePort } from "../../clients/free-port.ts";
import { Project, killGroup } from "../stand-in/harness.ts";

const PATIENCE_MS = 120_000;
const project = new Project();
const children: ReturnType<typeof spawn>[] = [];
after(async () => {
  for (const child of children) {
    killGroup(child);
    if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  }
  project.remove();
});

/** Asks until the server listens. */
async function firstAnswer(url: string): Promise<Response> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

void it("wrangler dev in a fresh clone makes its schema at the first request", async () => {
  const port = await freePort();
  const files = join(project.folder, "dist", "console");
  mkdirSync(join(files, "files"));
  writeFileSync(join(files, "index.html"), "<!doctype html><title>the console</title>");
  writeFileSync(join(files, "files", "main-1.js"), "export {};\n");
  const wrangler = join(PROJECT_ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const child = spawn(process.execPath, [wrangler, "dev", "--port", String(port), "--ip", "127.0.0.1"], {
    cwd: project.folder,
    stdio: "ignore",
    detached: true,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: project.folder,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      X_LOCAL_OBSERVABILITY: "false",
    },
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}/`;
  let answer = await firstAnswer(url);
  let text = await answer.text();
  for (let turn = 0; answer.status === 503 && turn < 20; turn += 1) {
    assert.match(text, /<Code>DatabaseSchemaMismatch<\/Code>.*npx wrangler d1 migrations apply DB .*--local/s);
    await new Promise((resolve) => setTimeout(resolve, 500));
    answer = await fetch(url);
    text = await answer.text();
  }
  // Wrangler's proxies may have sent the first request twice, so that 503 was not seen here.
  assert.match(text, /<Code>AccessDenied<\/Code>/);

  // Cloudflare's own asset server has the files now, and the Worker still gets every request.
  const page = await fetch(`${url}_/console/`);
  assert.equal(page.status, 200, await page.clone().text());
  assert.match(await page.text(), /the console/);
  assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
  const etag = page.headers.get("etag") ?? "";
  const again = await fetch(`${url}_/console/index.html`, { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);
  const file = await fetch(`${url}_/console/files/main-1.js`);
  assert.equal(file.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.equal(file.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal((await fetch(`${url}_/console/files/none.js`)).status, 404);
  for (const path of ["index.html", "files/main-1.js", "_/index.html"]) {
    assert.match(await (await fetch(url + path)).text(), /<Error>/, `${path} belongs to S3`);
  }
});
