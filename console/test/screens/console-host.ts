// The console on a host of its own: its page, its requests on that origin, and links that name the endpoint's host.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCairn } from "../../../test/clients/cairn-process.ts";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { fillCredentials, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, s3, type Stage } from "../support/stage.ts";
import { objectPlace } from "./object.ts";

export function consoleHostSuite(stage: Stage): Suite {
  return suiteOf("console host", [
    {
      name: "its root is the console, whose requests stay on it, and whose links name the endpoint",
      run: () =>
        withOwnHost(stage, async (own, origin) => {
          const bucket = await freshBucket(own);
          await s3(own, "PUT", `/${bucket}/k.txt`, "shared", { "content-type": "text/plain" });
          await withPage(own, async (page) => {
            const origins = new Set<string>();
            page.on("request", (request) => void origins.add(new URL(request.url()).origin));
            await page.goto(`${origin}/${objectPlace(bucket, "k.txt", "share")}`);
            await fillCredentials(page, CREDENTIALS);
            await page.locator('button[type="submit"]').click();
            await page.getByRole("button", { name: "Make a link" }).first().click();
            const link = await page
              .getByText(/^It ends on /)
              .locator("xpath=ancestor::section")
              .getByRole("textbox")
              .inputValue();
            assert.equal(new URL(link).origin, own.url);
            assert.equal(await (await fetch(link)).text(), "shared");
            await page.getByRole("button", { name: "Make an upload link" }).click();
            const upload = await page.getByRole("textbox", { name: "Upload link" }).inputValue();
            assert.ok(upload.startsWith(`${own.url}/_/console/#/drop?`), upload);
            await page.reload();
            assert.equal(new URL(page.url()).origin, origin);
            assert.deepEqual([...origins], [origin]);
          });
        }),
    },
    {
      name: "a bucket that is named like a folder of the console's files can be used",
      run: () =>
        withOwnHost(stage, async (own, origin) => {
          await s3(own, "PUT", "/files");
          await s3(own, "PUT", "/files/index.html", "a key");
          await withPage(own, async (page) => {
            await page.goto(`${origin}/#/buckets/files/objects`);
            await fillCredentials(page, CREDENTIALS);
            await page.locator('button[type="submit"]').click();
            await page.getByText("index.html").first().waitFor();
          });
        }),
    },
  ]);
}

/** Serves a Cairn whose endpoint is an address, and whose console has the name of the same machine. */
async function withOwnHost(stage: Stage, check: (own: Stage, consoleOrigin: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-console-host-"));
  const settings = { DOMAINS: "127.0.0.1", CONSOLE_HOST: "localhost" };
  const cairn = await startCairn({ state: join(folder, "state"), credentials: CREDENTIALS, settings });
  try {
    const { port } = new URL(cairn.url);
    await check({ ...stage, url: `http://127.0.0.1:${port}` }, `http://localhost:${port}`);
  } finally {
    await cairn.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
