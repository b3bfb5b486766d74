// Uploads: files, folders, drops, existing objects, pause, reload and resume of 300 MB, and a failing network.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

const BIG_BYTES = 300 * 1000 * 1000;
/** A page that sends 300 MB needs longer than one that shows a list. */
const SEND_MS = 180_000;

async function withFiles(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-console-"));
  try {
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function choose(page: Page, label: string, paths: string | string[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: label }).click();
  await (await chooser).setFiles(paths);
}

/** Waits until some of a file was sent, and less than all. */
async function someSent(page: Page, share = 0.1): Promise<void> {
  const bar = page.getByRole("progressbar", { name: "Progress of big.bin" });
  const handle = await bar.elementHandle();
  await page.waitForFunction(
    ([element, least]) => element instanceof HTMLProgressElement && element.value > least,
    [handle, share] as const,
    { timeout: SEND_MS },
  );
}

export function uploadsSuite(stage: Stage): Suite {
  return suiteOf("uploads", [
    {
      name: "files and a folder are stored with their types and paths",
      run: () =>
        withFiles(async (folder) => {
          const bucket = await freshBucket(stage);
          mkdirSync(join(folder, "site", "css"), { recursive: true });
          writeFileSync(join(folder, "site", "index.html"), "<p>");
          writeFileSync(join(folder, "site", "css", "a.css"), "p{}");
          writeFileSync(join(folder, "empty"), "");
          writeFileSync(join(folder, "née & #1?.txt"), "text");
          await withPage(stage, async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects?prefix=in%2F`);
            await choose(page, "Upload files", [join(folder, "empty"), join(folder, "née & #1?.txt")]);
            await page.getByRole("link", { name: "née & #1?.txt" }).waitFor();
            await choose(page, "Upload a folder", join(folder, "site"));
            await page.getByRole("link", { name: "site/" }).waitFor();
            await page.getByText("All uploads are done").waitFor();
            await assertAccessible(page);
          });
          assert.deepEqual(await keysOf(stage, bucket), [
            "in/empty",
            "in/née &amp; #1?.txt",
            "in/site/css/a.css",
            "in/site/index.html",
          ]);
          const page = await s3(stage, "GET", `/${bucket}/in/site/index.html`);
          assert.equal(page.headers.get("content-type"), "text/html");
          assert.equal(await page.text(), "<p>");
        }),
    },
    {
      name: "a second tab neither offers to end what the first one sends, nor sends into it",
      run: () =>
        withFiles(async (folder) => {
          const bucket = await freshBucket(stage);
          const file = join(folder, "big.bin");
          writeFileSync(file, Buffer.alloc(40 * 1024 * 1024, "tabs"));
          await withPage(stage, async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects`);
            await page.getByText("No objects here").waitFor();
            await page.route("**/big.bin?*partNumber=3*", () => undefined);
            await choose(page, "Upload files", file);
            await someSent(page, 0.5);
            const second = await page.context().newPage();
            await signIn(stage, second, `#/buckets/${bucket}/objects`);
            await second.getByText("No objects here").waitFor();
            assert.equal(await second.locator(".upload-panel").count(), 0);
            await choose(second, "Upload files", file);
            await second.getByText("All uploads are done").waitFor();
            // The first one learns that the key exists now.
            await page.unroute("**/big.bin?*partNumber=3*");
            await page.getByRole("button", { name: "Pause" }).click();
            await page.getByRole("button", { name: "Resume" }).click();
            await page.getByRole("button", { name: "Skip" }).waitFor();
            await second.close();
            await page.getByRole("button", { name: "Skip" }).click();
            await page.locator(".upload-panel").waitFor({ state: "detached" });
          });
          assert.deepEqual(await keysOf(stage, bucket), ["big.bin"]);
          const left = await (await s3(stage, "GET", `/${bucket}?uploads`)).text();
          assert.ok(!left.includes("<Upload>"), left);
        }),
    },
    {
      name: "on a phone, the list of uploads folds, and what is behind it can be scrolled above it",
      run: () =>
        withFiles(async (folder) => {
          const bucket = await freshBucket(stage);
          const files = Array.from({ length: 9 }, (_, index) => join(folder, `${"name".repeat(20)}-${index}.txt`));
          for (const file of files) writeFileSync(file, "x");
          await withPage(
            stage,
            async (page) => {
              await signIn(stage, page, `#/buckets/${bucket}/objects`);
              await choose(page, "Upload files", files);
              await page.getByText("All uploads are done").waitFor();
              await assertNoSidewaysScroll(page);
              await page.getByRole("button", { name: "Actions for" }).last().click();
              await page.locator(".menu:popover-open").getByText("Rename").click();
              await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
              await page.getByRole("button", { name: "Hide the list of uploads" }).click();
              assert.equal(await page.locator(".upload").count(), 0);
              await assertAccessible(page);
              await page.getByRole("button", { name: "Show the list of uploads" }).click();
              assert.equal(await page.locator(".upload").count(), 9);
            },
            { width: 360, height: 640 },
          );
        }),
    },
    {
      name: "a file that is dropped is stored in the shown folder",
      run: async () => {
        const bucket = await freshBucket(stage);
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByText("No objects here").waitFor();
          const transfer = await page.evaluateHandle(() => {
            const made = new DataTransfer();
            made.items.add(new File(["dropped"], "drop.txt", { type: "text/plain" }));
            return made;
          });
          await page.dispatchEvent(".drop-zone", "dragover", { dataTransfer: transfer });
          await page.getByText("Drop to upload into /").waitFor();
          await page.dispatchEvent(".drop-zone", "drop", { dataTransfer: transfer });
          await page.getByRole("link", { name: "drop.txt" }).waitFor();
        });
        assert.equal(await (await s3(stage, "GET", `/${bucket}/drop.txt`)).text(), "dropped");
      },
    },
    {
      name: "an existing object is replaced only after the question, small or large",
      run: () =>
        withFiles(async (folder) => {
          const bucket = await freshBucket(stage);
          const [small, large] = [join(folder, "small"), join(folder, "large")];
          writeFileSync(small, "new");
          writeFileSync(large, Buffer.alloc(17 * 1024 * 1024, "n"));
          for (const key of ["small", "large"]) await s3(stage, "PUT", `/${bucket}/${key}`, "old");
          await withPage(stage, async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects`);
            await choose(page, "Upload files", [small, large]);
            await page.getByRole("button", { name: "Replace all" }).waitFor();
            for (const key of ["small", "large"]) {
              assert.equal(await (await s3(stage, "GET", `/${bucket}/${key}`)).text(), "old");
            }
            await page.getByRole("button", { name: "Skip", exact: true }).first().click();
            await page.getByRole("button", { name: "Replace", exact: true }).click();
            await page.getByText("All uploads are done").waitFor({ timeout: SEND_MS });
          });
          const texts = await Promise.all(
            ["small", "large"].map(async (key) => (await s3(stage, "GET", `/${bucket}/${key}`)).text()),
          );
          assert.deepEqual(texts.map((text) => text.slice(0, 3)).toSorted(), ["nnn", "old"]);
          assert.match(await (await s3(stage, "GET", `/${bucket}?uploads`)).text(), /<\/ListMultipartUploadsResult>/);
        }),
    },
    {
      name: "300 MB survive a pause, a lost network and a reload",
      run: () =>
        withFiles(async (folder) => {
          const bucket = await freshBucket(stage);
          const path = join(folder, "big.bin");
          const bytes = Buffer.alloc(BIG_BYTES);
          for (let at = 0; at < BIG_BYTES; at += 4096) bytes.writeUInt32LE(at, at);
          writeFileSync(path, bytes);
          await withPage(stage, async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects`);
            await choose(page, "Upload files", path);
            await someSent(page);
            await page.getByRole("button", { name: "Pause" }).click();
            await page.getByText(/^Paused/).waitFor();
            await page.getByRole("button", { name: "Resume" }).click();
            await page.context().setOffline(true);
            await page.waitForTimeout(1500);
            await page.context().setOffline(false);
            // Three parts are sent at a time, so some of them are whole by now.
            await someSent(page, 0.4);
            // A page that sends asks before it closes.
            page.on("dialog", (dialog) => void dialog.accept());
            await page.reload();
            await signIn(stage, page, `#/buckets/${bucket}/objects`);
            await page.getByText("Choose the file again to go on").waitFor();
            await assertAccessible(page);
            const xml = await (await s3(stage, "GET", `/${bucket}?uploads`)).text();
            const uploadId = /<UploadId>([^<]+)/.exec(xml)?.[1] ?? "";
            const before = await (await s3(stage, "GET", `/${bucket}/big.bin?uploadId=${uploadId}`)).text();
            assert.match(before, /<Part>/);
            await choose(page, "Choose the file", path);
            await page.getByText("All uploads are done").waitFor({ timeout: SEND_MS });
            await page.getByRole("button", { name: "Hide what is done" }).click();
          });
          const stored = Buffer.from(await (await s3(stage, "GET", `/${bucket}/big.bin`)).arrayBuffer());
          const digest = (of: Buffer): string => createHash("sha256").update(of).digest("hex");
          assert.equal(digest(stored), digest(bytes));
          assert.ok(!(await (await s3(stage, "GET", `/${bucket}?uploads`)).text()).includes("<UploadId>"));
        }),
    },
    {
      name: "a cancelled upload leaves no parts, and a refused one says why",
      run: () =>
        withFiles(async (folder) => {
          const bucket = await freshBucket(stage);
          const path = join(folder, "big.bin");
          writeFileSync(path, Buffer.alloc(100_000_000));
          await withPage(
            stage,
            async (page) => {
              await signIn(stage, page, `#/buckets/${bucket}/objects`);
              await choose(page, "Upload files", path);
              await someSent(page);
              await page.getByRole("button", { name: "Cancel" }).click();
              await page.getByRole("complementary", { name: "Uploads" }).waitFor({ state: "detached" });
              await page.waitForTimeout(500);
              assert.ok(!(await (await s3(stage, "GET", `/${bucket}?uploads`)).text()).includes("<UploadId>"));
              const Resource = `arn:aws:s3:::${bucket}/*`;
              const Statement = [{ Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource }];
              await s3(stage, "PUT", `/${bucket}?policy`, JSON.stringify({ Version: "2012-10-17", Statement }));
              writeFileSync(join(folder, "small"), "1");
              await choose(page, "Upload files", join(folder, "small"));
              await page.getByText("not allowed", { exact: false }).waitFor();
              await page.setViewportSize({ width: 360, height: 700 });
              await assertNoSidewaysScroll(page);
            },
            { expectedErrors: ["403"] },
          );
        }),
    },
  ]);
}
