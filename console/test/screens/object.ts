// The page of one object: its metadata, its download, and its changes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

export function objectPlace(bucket: string, key: string, tab = "overview"): string {
  return `#/buckets/${bucket}/object?key=${encodeURIComponent(key)}&tab=${tab}`;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("base64");
}

async function choose(page: Page, action: string): Promise<void> {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.locator(".menu:popover-open").getByText(action, { exact: true }).click();
}

export function objectSuite(stage: Stage): Suite {
  return suiteOf("object", [
    {
      name: "an object's facts are shown, and it is downloaded under its own name",
      run: async () => {
        const bucket = await freshBucket(stage);
        const lifecycle =
          "<LifecycleConfiguration><Rule><ID>tidy</ID><Filter/><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>";
        await s3(stage, "PUT", `/${bucket}?lifecycle`, lifecycle, { "content-md5": md5(lifecycle) });
        await s3(stage, "PUT", `/${bucket}/a/b/n%C3%A9w%20%22x%22.txt`, "hello", {
          "content-type": "text/plain",
          "x-amz-meta-colour": "blue",
          "x-amz-storage-class": "STANDARD_IA",
        });
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, 'a/b/néw "x".txt'));
          await page.getByRole("heading", { level: 1, name: 'néw "x".txt' }).waitFor();
          const facts = page.locator(".object-facts").first();
          await facts.waitFor();
          const text = await facts.innerText();
          for (const part of [
            "5 B",
            "text/plain",
            "5d41402abc4b2a76b9719d911017c592",
            "STANDARD_IA",
            "CRC64NVME",
            "tidy",
          ])
            assert.ok(text.includes(part), `${part} is not in ${text}`);
          await page.getByText("x-amz-meta-colour").waitFor();
          const folder = page.getByRole("navigation", { name: "You are here" });
          await folder.getByRole("link", { name: "b", exact: true }).waitFor();
          await assertAccessible(page);
          const waiting = page.waitForEvent("download");
          await page.getByRole("button", { name: "Download" }).click();
          const download = await waiting;
          assert.match(download.suggestedFilename(), /^néw .x.\.txt$/);
          assert.equal(readFileSync(await download.path(), "utf8"), "hello");
          await folder.getByRole("link", { name: "b", exact: true }).click();
          await page.getByRole("heading", { level: 1, name: bucket }).waitFor();
          assert.ok(page.url().endsWith(`#/buckets/${bucket}/objects?prefix=a%2Fb%2F`));
        });
      },
    },
    {
      name: "headers, metadata and class are edited as a new version, unless the object was replaced meanwhile",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        await s3(stage, "PUT", `/${bucket}/k`, "1", { "content-type": "text/plain", "x-amz-meta-old": "1" });
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "k"));
          const dialog = page.getByRole("dialog");
          const open = () => page.getByRole("button", { name: "Edit headers and metadata" }).click();
          await open();
          await dialog.getByLabel("content-type").fill("text/css");
          await dialog.getByLabel("cache-control").fill("max-age=60");
          await dialog.getByLabel("Storage class").selectOption("STANDARD_IA");
          await dialog.getByRole("button", { name: "Add metadata" }).click();
          await dialog.getByLabel("Name").last().fill("farbe");
          await dialog.getByLabel("Value").last().fill("grün 绿");
          await assertAccessible(page);
          await dialog.getByRole("button", { name: "Save" }).click();
          await page.getByText(/^The headers were saved as version \S+\.$/).waitFor();
          await page.getByText("grün 绿").waitFor();
          const { headers } = await s3(stage, "HEAD", `/${bucket}/k`);
          assert.equal(headers.get("content-type"), "text/css");
          // Cairn adds no-transform to what it answers.
          assert.equal(headers.get("cache-control"), "max-age=60, no-transform");
          assert.equal(headers.get("x-amz-storage-class"), "STANDARD_IA");
          assert.equal(headers.get("x-amz-meta-old"), "1");
          await open();
          await s3(stage, "PUT", `/${bucket}/k`, "replaced");
          await dialog.getByLabel("content-type").fill("text/html");
          await dialog.getByRole("button", { name: "Save" }).click();
          await dialog.getByRole("alert").waitFor();
          assert.equal(await (await s3(stage, "GET", `/${bucket}/k`)).text(), "replaced");
          assert.notEqual((await s3(stage, "HEAD", `/${bucket}/k`)).headers.get("content-type"), "text/html");
        });
      },
    },
    {
      name: "an object is renamed, moved between buckets and copied, and replaces nothing unasked",
      run: async () => {
        const [one, other] = [await freshBucket(stage), await freshBucket(stage, { isVersioned: true })];
        await s3(stage, "PUT", `/${one}/a%20%2B`, "1", { "x-amz-storage-class": "STANDARD_IA" });
        await s3(stage, "PUT", `/${one}/taken`, "2");
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(one, "a +"));
          const dialog = page.getByRole("dialog");
          await choose(page, "Move or rename");
          await dialog.getByLabel("Key", { exact: true }).fill("taken");
          await dialog.getByRole("button", { name: "Move" }).click();
          await dialog.getByRole("alert").waitFor();
          await dialog.getByLabel("Key", { exact: true }).fill("b/é 2");
          await dialog.getByRole("button", { name: "Move" }).click();
          await page.getByText("The object is at b/é 2 now.").waitFor();
          assert.deepEqual(await keysOf(stage, one), ["b/é 2", "taken"]);
          await choose(page, "Copy");
          await dialog.getByLabel("Key", { exact: true }).fill("c");
          await dialog.getByRole("button", { name: "Copy" }).click();
          await page.getByText("The object was copied to c.").waitFor();
          assert.deepEqual(await keysOf(stage, one), ["b/é 2", "c", "taken"]);
          await page.reload();
          await signIn(stage, page, objectPlace(one, "c"));
          await page.locator(".object-facts").first().waitFor();
          await s3(stage, "PUT", `/${one}/c`, "newer than the page", { "x-amz-storage-class": "STANDARD_IA" });
          await choose(page, "Move or rename");
          await dialog.getByLabel("Bucket").fill(other);
          await dialog.getByRole("button", { name: "Move" }).click();
          await dialog.getByRole("alert").waitFor();
          assert.deepEqual(await keysOf(stage, one), ["b/é 2", "c", "taken"]);
          await page.reload();
          await signIn(stage, page, objectPlace(one, "c"));
          await choose(page, "Move or rename");
          await dialog.getByLabel("Bucket").fill(other);
          await dialog.getByRole("button", { name: "Move" }).click();
          await page.getByText("The object is at c now.").waitFor();
          assert.deepEqual(await keysOf(stage, one), ["b/é 2", "taken"]);
          assert.equal((await s3(stage, "HEAD", `/${other}/c`)).headers.get("x-amz-storage-class"), "STANDARD_IA");
        });
      },
    },
    {
      name: "tags, retention and legal hold are set, and a deletion is undone",
      run: async () => {
        const bucket = await freshBucket(stage, { hasObjectLock: true });
        await s3(stage, "PUT", `/${bucket}/dir/k`, "1");
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "dir/k"));
          await page
            .getByRole("button", { name: "Add tag" })
            .or(page.getByRole("button", { name: "Add a tag" }))
            .click();
          await page.getByLabel("Name").fill("stage");
          await page.getByLabel("Value").fill("draft");
          await page.getByRole("button", { name: "Save tags" }).click();
          await page.getByText("The tags were saved.").waitFor();
          assert.match(await (await s3(stage, "GET", `/${bucket}/dir/k?tagging`)).text(), /stage.*draft/);
          await page.getByLabel("Mode", { exact: true }).selectOption("GOVERNANCE");
          await page.getByLabel("Retain until").fill("2099-01-01T10:00");
          await page.getByRole("button", { name: "Save retention" }).click();
          await page.getByText(/Locked until .*2099/).waitFor();
          await page.getByRole("button", { name: "Set a legal hold" }).click();
          await page.getByRole("button", { name: "Remove the legal hold" }).waitFor();
          await assertAccessible(page);
          const { headers } = await s3(stage, "HEAD", `/${bucket}/dir/k`);
          assert.equal(headers.get("x-amz-object-lock-mode"), "GOVERNANCE");
          assert.equal(headers.get("x-amz-object-lock-legal-hold"), "ON");
          await page.getByLabel("Mode", { exact: true }).selectOption("none");
          await page.getByLabel("Override a retention").check();
          await page.getByRole("button", { name: "Save retention" }).click();
          await page.getByText("No retention protects this version.").waitFor();
          await choose(page, "Delete");
          await page.getByRole("dialog").getByText("can be undone").waitFor();
          await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
          await page.getByText("1 object deleted").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), []);
          await page.getByRole("button", { name: "Undo" }).click();
          await page.getByRole("heading", { level: 1, name: "k" }).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["dir/k"]);
        });
      },
    },
    {
      name: "the page fits a phone, speaks Chinese, and explains an object that is gone",
      run: async () => {
        const bucket = await freshBucket(stage);
        const key = "x".repeat(900);
        await s3(stage, "PUT", `/${bucket}/${key}`, "1", { "x-amz-meta-long": "y".repeat(900) });
        const onPhone = async (page: Page): Promise<void> => {
          await signIn(stage, page, objectPlace(bucket, key));
          await page.getByRole("heading", { name: "基本信息" }).waitFor();
          await assertNoSidewaysScroll(page);
          await assertAccessible(page);
        };
        await withPage(stage, onPhone, { width: 360, language: "zh-CN" });
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "missing"));
          await page.getByRole("alert").waitFor();
        });
      },
    },
  ]);
}
