// The timeline of a key's versions, and the list of deleted keys.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Locator, Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, newUser, s3, type Stage } from "../support/stage.ts";
import { objectPlace } from "./object.ts";

async function choose(page: Page, entry: Locator, action: string): Promise<void> {
  await entry.getByRole("button", { name: "Actions for the version" }).click();
  await page.locator(".menu:popover-open").getByText(action, { exact: true }).click();
}

export function objectVersionsSuite(stage: Stage): Suite {
  const write = async (bucket: string, key: string, body: string): Promise<string> =>
    (await s3(stage, "PUT", `/${bucket}/${key}`, body)).headers.get("x-amz-version-id") ?? "";
  return suiteOf("object versions", [
    {
      name: "the timeline says what each version is, when it goes by which rule, and until when it is locked",
      run: async () => {
        const bucket = await freshBucket(stage, { hasObjectLock: true });
        const rules =
          "<LifecycleConfiguration><Rule><ID>history</ID><Filter><Prefix>k</Prefix></Filter><Status>Enabled</Status><Expiration><Days>20</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>";
        await s3(stage, "PUT", `/${bucket}?lifecycle`, rules, {
          "content-md5": createHash("md5").update(rules).digest("base64"),
        });
        const first = await write(bucket, "k", "1");
        await write(bucket, "k", "2");
        await write(bucket, "k", "3");
        await write(bucket, "k", "4");
        await write(bucket, "k-other", "other");
        const lock =
          "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2031-05-06T00:00:00Z</RetainUntilDate></Retention>";
        await s3(stage, "PUT", `/${bucket}/k?retention&versionId=${first}`, lock, {
          "content-md5": createHash("md5").update(lock).digest("base64"),
        });
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "k", "versions"));
          await page.getByRole("heading", { name: "4 versions" }).waitFor();
          const entries = page.locator(".object-timeline > li");
          const [newest, kept, going, oldest] = [entries.nth(0), entries.nth(1), entries.nth(2), entries.nth(3)];
          await newest.getByText("Current", { exact: true }).waitFor();
          await newest.getByText(/^Goes on .*, by the rule history\.$/).waitFor();
          await kept.getByText("No rule removes it.").waitFor();
          await going.getByText(/^Goes on .*, by the rule history\.$/).waitFor();
          await oldest.getByText(/^Locked until .*2031/).waitFor();
          await oldest
            .getByText(/^No rule removes it while it is locked\. Goes on May [567], 2031, by the rule history\.$/)
            .waitFor();
          await assertAccessible(page);
        });
      },
    },
    {
      name: "a version that is locked for less time than its rule takes goes by the rule, and one with a legal hold stays",
      run: async () => {
        const bucket = await freshBucket(stage, { hasObjectLock: true });
        const rules =
          "<LifecycleConfiguration><Rule><ID>later</ID><Filter/><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>700</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>";
        const digestOf = (text: string) => ({ "content-md5": createHash("md5").update(text).digest("base64") });
        await s3(stage, "PUT", `/${bucket}?lifecycle`, rules, digestOf(rules));
        const until = new Date(Date.now() + 86_400_000 * 3).toISOString();
        await s3(stage, "PUT", `/${bucket}/k`, "1", {
          ...digestOf("1"),
          "x-amz-object-lock-mode": "GOVERNANCE",
          "x-amz-object-lock-retain-until-date": until,
        });
        await s3(stage, "PUT", `/${bucket}/k`, "2", { ...digestOf("2"), "x-amz-object-lock-legal-hold": "ON" });
        await write(bucket, "k", "3");
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "k", "versions"));
          const entries = page.locator(".object-timeline > li");
          await entries.nth(1).getByText("No rule removes it while it is locked.", { exact: true }).waitFor();
          const text = await entries.nth(2).getByText("Goes on").innerText();
          const day = Date.parse(/Goes on (.*), by the rule later\.$/.exec(text)?.[1] ?? "");
          assert.ok(Math.abs(day - Date.now() - 700 * 86_400_000) < 3 * 86_400_000, text);
        });
      },
    },
    {
      name: "without the permission to read the rules, the timeline says nothing about them",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        await write(bucket, "k", "1");
        await write(bucket, "k", "2");
        const Statement = [
          { Effect: "Allow", Action: ["s3:ListBucketVersions", "s3:GetObject*"], Resource: "*" },
          { Effect: "Deny", Action: "s3:GetLifecycleConfiguration", Resource: "*" },
        ];
        const user = await newUser(stage, { Version: "2012-10-17", Statement });
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "k", "versions"), user);
          await page.getByText("You may not read the lifecycle rules").waitFor();
          await page.getByRole("heading", { name: "2 versions" }).waitFor();
          assert.equal(await page.getByText("No rule removes it").count(), 0);
        });
      },
    },
    {
      name: "two images are shown side by side, with the headers, metadata and tags in which they differ",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        const square = (colour: string): string =>
          `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30" fill="${colour}"/></svg>`;
        const put = (colour: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
          s3(stage, "PUT", `/${bucket}/square.svg`, square(colour), { "content-type": "image/svg+xml", ...headers });
        await put("red", { "x-amz-tagging": "state=draft", "x-amz-meta-author": "ann", "cache-control": "no-cache" });
        await put("blue", { "x-amz-tagging": "state=final", "x-amz-meta-author": "ann" });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `${objectPlace(bucket, "square.svg")}&tab=versions`);
          const entries = page.locator(".object-timeline > li");
          await entries.nth(0).getByRole("checkbox").check();
          await entries.nth(1).getByRole("checkbox").check();
          await page.getByRole("button", { name: "Compare", exact: true }).click();
          const dialog = page.getByRole("dialog");
          const row = (name: string) => dialog.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
          await row("Tag state").waitFor();
          assert.match(await row("Tag state").innerText(), /draft[^]*final/);
          assert.match(await row("cache-control").innerText(), /no-cache[^]*none/);
          assert.equal(await row("x-amz-meta-author").count(), 0);
          await dialog.locator(".object-pair img").nth(1).waitFor();
          const widths = await dialog.locator(".object-pair img").evaluateAll((images) =>
            Promise.all(
              images.map(async (image) => {
                if (!(image instanceof HTMLImageElement)) return 0;
                await image.decode();
                return image.naturalWidth;
              }),
            ),
          );
          assert.deepEqual(widths, [40, 40]);
          await assertAccessible(page);
        });
      },
    },
    {
      name: "versions are compared, previewed, restored and deleted, and a delete marker is removed",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
        const first = await write(bucket, "k", lines.join("\n"));
        await write(bucket, "k", lines.with(20, "<b>changed</b>").toSpliced(30, 1).join("\n"));
        await s3(stage, "DELETE", `/${bucket}/k`);
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "k"));
          await page.getByRole("link", { name: "Show the versions" }).click();
          const entries = page.locator(".object-timeline > li");
          await entries.first().getByText("Delete marker", { exact: true }).waitFor();
          await entries.nth(1).getByRole("checkbox").check();
          await entries.nth(2).getByRole("checkbox").check();
          await page.getByRole("button", { name: "Compare", exact: true }).click();
          const dialog = page.getByRole("dialog");
          await dialog.getByText("1 line added, 2 lines removed").waitFor();
          await dialog.getByRole("row").filter({ hasText: "ETag" }).waitFor();
          assert.equal(await dialog.locator(".added").count(), 1);
          assert.match(await dialog.locator(".added").innerText(), /<b>changed<\/b>/);
          assert.deepEqual(
            (await dialog.locator(".removed").allInnerTexts()).map((text) => /line \d+/.exec(text)?.[0]),
            ["line 20", "line 30"],
          );
          await assertAccessible(page);
          await page.keyboard.press("Escape");
          await choose(page, entries.nth(2), "Restore");
          await page.getByText(/^The version was restored as \S+\.$/).waitFor();
          assert.equal(await (await s3(stage, "GET", `/${bucket}/k`)).text(), lines.join("\n"));
          await page.getByRole("heading", { name: "4 versions" }).waitFor();
          const marker = entries.filter({ hasText: "Delete marker" });
          await choose(page, marker, "Remove the delete marker");
          await dialog.getByRole("button", { name: "Remove the delete marker" }).click();
          await page.getByRole("heading", { name: "3 versions" }).waitFor();
          await choose(page, entries.first(), "Delete this version");
          await dialog.getByRole("button", { name: "Delete" }).click();
          await page.getByRole("heading", { name: "2 versions" }).waitFor();
          assert.match(await (await s3(stage, "GET", `/${bucket}/k`)).text(), /changed/);
          await choose(page, entries.filter({ hasText: first }), "Preview");
          await page.locator(".object-text").getByText("line 20").waitFor();
          assert.ok(page.url().includes(`versionId=${first}`));
        });
      },
    },
    {
      name: "deleted keys are listed by prefix, and restored under all of their delete markers",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        for (const key of ["a/1", "a/2", "b", "here"]) await write(bucket, key, key);
        for (const key of ["a/1", "a/2", "a/2", "b", "never"]) await s3(stage, "DELETE", `/${bucket}/${key}`);
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/deleted`);
            await page.getByRole("link", { name: "b", exact: true }).waitFor();
            assert.equal(await page.getByRole("link", { name: "here" }).count(), 0);
            await assertAccessible(page);
            await assertNoSidewaysScroll(page);
            await page.getByLabel("Keys that begin with").fill("a/");
            await page.getByRole("button", { name: "Show", exact: true }).click();
            await page.getByRole("link", { name: "b", exact: true }).waitFor({ state: "detached" });
            const row = page.getByRole("row").filter({ hasText: "a/2" });
            await row.getByRole("button", { name: "Restore" }).click();
            await page.getByText("a/2 is back.").waitFor();
            await row.waitFor({ state: "detached" });
            assert.deepEqual(await keysOf(stage, bucket), ["a/2", "here"]);
            await page.getByRole("link", { name: "a/1" }).click();
            await page.locator(".object-timeline > li").first().getByText("Delete marker", { exact: true }).waitFor();
            await assertNoSidewaysScroll(page);
          },
          { width: 360 },
        );
      },
    },
  ]);
}
