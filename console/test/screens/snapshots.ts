// Snapshots and uploads in progress: what the screens do matches what the server then returns.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, newUser, s3, type Stage } from "../support/stage.ts";

export function snapshotsSuite(stage: Stage): Suite {
  return suiteOf("snapshots", [
    {
      name: "a snapshot is created, compared, browsed, restored by prefix and deleted, at 360 px",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        for (const key of ["a/kept", "a/changed", "b/gone"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/snapshots`);
            await page.getByText("The bucket has no snapshots").waitFor();
            await page.getByLabel("Name").fill("before");
            await page.keyboard.press("Enter");
            await page.getByRole("link", { name: "before", exact: true }).waitFor();
            await s3(stage, "PUT", `/${bucket}/a/changed`, "22");
            await s3(stage, "PUT", `/${bucket}/a/new`, "1");
            await s3(stage, "DELETE", `/${bucket}/b/gone`);
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
            const choose = async (action: string): Promise<void> => {
              await page.getByRole("button", { name: "Actions for before" }).click();
              await page.locator(".menu:popover-open").getByText(action, { exact: true }).click();
            };
            await choose("Compare with now");
            await page.getByText("3 keys differ.").waitFor();
            for (const [key, kind] of [
              ["a/changed", "changed"],
              ["a/new", "added"],
              ["b/gone", "deleted"],
            ] as const)
              await page.getByRole("row").filter({ hasText: key }).getByText(kind, { exact: true }).last().waitFor();
            await assertAccessible(page);
            await page.keyboard.press("Escape");
            await choose("Restore");
            await page.getByLabel("Key or prefix").fill("a/");
            await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
            await page.getByText("Restored: 1. Deleted: 1.").waitFor();
            assert.deepEqual(await keysOf(stage, bucket), ["a/changed", "a/kept"]);
            assert.equal(await (await s3(stage, "GET", `/${bucket}/a/changed`)).text(), "1");
            await page.getByRole("link", { name: "before", exact: true }).click();
            await page.getByRole("heading", { name: `${bucket}_before`, level: 1 }).waitFor();
            await page
              .locator("main")
              .getByText(/^b\/?$/)
              .first()
              .waitFor();
            assert.deepEqual(await writeButtons(page), []);
            await page.goBack();
            await choose("Delete");
            await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
            await page.getByText("The bucket has no snapshots").waitFor();
            assert.doesNotMatch(await (await s3(stage, "GET", `/${bucket}?snapshots`)).text(), /before/);
          },
          { width: 360 },
        );
      },
    },
    {
      name: "a snapshot is browsed without any write, and exactly one object of it is restored, and undone",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        // A restoration by prefix would take the longer key too.
        for (const key of ["a/file", "a/file.txt", "b"]) await s3(stage, "PUT", `/${bucket}/${key}`, "then");
        await s3(stage, "PUT", `/${bucket}?snapshot=then`);
        for (const key of ["a/file", "a/file.txt", "b", "a/new"]) await s3(stage, "PUT", `/${bucket}/${key}`, "now");
        const read = async (key: string): Promise<string> => (await s3(stage, "GET", `/${bucket}/${key}`)).text();
        await withPage(stage, async (page) => {
          const requests: string[] = [];
          page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).search}`));
          await signIn(stage, page, `#/buckets/${bucket}_then/objects?prefix=a%2F`);
          await page.getByRole("link", { name: "file", exact: true }).waitFor();
          await page.getByText("Nothing in it changes").waitFor();
          assert.deepEqual(await writeButtons(page), []);
          assert.equal(await page.getByRole("navigation", { name: "Parts of the bucket" }).count(), 0);
          await assertAccessible(page);
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          await page.getByText("2 selected").waitFor();
          assert.deepEqual(await writeButtons(page), []);
          // Keys that would change a bucket do nothing here, and files that are dropped stay where they are.
          for (const key of ["Delete", "m", "F2"]) await page.keyboard.press(key);
          assert.equal(await page.getByRole("dialog").count(), 0);
          await dropFile(page);
          await page.getByRole("button", { name: "Clear the selection" }).click();
          await page.keyboard.press("?");
          await page.getByRole("dialog").getByText("Restore what is selected").waitFor();
          assert.equal(await page.getByRole("dialog").getByText("Delete").count(), 0);
          await page.keyboard.press("Escape");

          await page.getByRole("button", { name: "Actions for file", exact: true }).click();
          await page.locator(".menu:popover-open").getByText("Restore", { exact: true }).click();
          await page.getByRole("dialog", { name: "Restore file" }).getByRole("button", { name: "Restore" }).click();
          await page.getByText("1 object copied").last().waitFor();
          const restored = await Promise.all(["a/file", "a/file.txt", "b", "a/new"].map(read));
          assert.deepEqual(restored, ["then", "now", "now", "now"]);
          await page.getByRole("button", { name: "Undo" }).click();
          await page.getByText("1 copy removed").waitFor();
          assert.equal(await read("a/file"), "now");

          await page.getByRole("link", { name: "file.txt", exact: true }).click();
          await page.getByText("Read-only").waitFor();
          assert.equal(await page.getByRole("link", { name: "Versions", exact: true }).count(), 0);
          await page.getByRole("heading", { name: "Tags" }).waitFor();
          assert.deepEqual(await writeButtons(page), []);
          await assertAccessible(page);
          await page.getByRole("button", { name: "More actions", exact: true }).click();
          await page.locator(".menu:popover-open").getByText(`Restore to ${bucket}`).click();
          await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
          await page.getByRole("heading", { name: "file.txt", level: 1 }).waitFor();
          await page.waitForURL(`**/buckets/${bucket}/object?**`);
          assert.equal(await read("a/file.txt"), "then");
          assert.equal(await read("b"), "now");
          const deletions = requests.filter((request) => request.startsWith("DELETE"));
          assert.equal(deletions.length, 1, "only the undo has deleted something");
        });
      },
    },
    {
      name: "a bucket without versions, and a caller without permission, read the server's explanation",
      run: async () => {
        const bucket = await freshBucket(stage);
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/snapshots`);
          await page.getByLabel("Name").fill("before");
          await page.getByRole("button", { name: "Create snapshot" }).click();
          await page
            .locator(".error-panel")
            .getByText(/[Vv]ersioning/)
            .first()
            .waitFor();
        });
        const Statement = [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }];
        const keys = await newUser(stage, { Version: "2012-10-17", Statement });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/snapshots`, keys);
          await page.locator(".error-panel .sentence").waitFor();
        });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/uploads`, keys);
          await page.locator(".error-panel .sentence").waitFor();
        });
      },
    },
    {
      name: "an upload in progress shows the size of its parts, and is aborted",
      run: async () => {
        const bucket = await freshBucket(stage);
        const started = await (await s3(stage, "POST", `/${bucket}/big?uploads`)).text();
        const uploadId = /<UploadId>([^<]+)</.exec(started)?.[1] ?? "";
        for (const part of [1, 2]) {
          const target = `/${bucket}/big?partNumber=${part}&uploadId=${encodeURIComponent(uploadId)}`;
          await s3(stage, "PUT", target, new Uint8Array(1024));
        }
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/uploads`);
            await page.getByText("2 KiB").waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
            await page.getByRole("button", { name: "Abort big" }).press("Enter");
            await page.getByRole("dialog").getByRole("button", { name: "Abort", exact: true }).press("Enter");
            await page.getByText("No upload is in progress").waitFor();
            assert.doesNotMatch(await (await s3(stage, "GET", `/${bucket}?uploads`)).text(), /<Upload>/);
          },
          { width: 360 },
        );
      },
    },
  ]);
}

/** The names of buttons and links of the page that would change something; menus are read too. */
async function writeButtons(page: Page): Promise<string[]> {
  const names = await page.locator("main").locator("button, a, label.button, .button").allTextContents();
  return names.filter((name) => /upload|delete|rename|move|create|edit|save|search/i.test(name));
}

/** Drops a file onto the list. */
async function dropFile(page: Page): Promise<void> {
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["1"], "dropped.txt"));
    return data;
  });
  for (const type of ["dragover", "drop"])
    await page.locator(".drop-zone").dispatchEvent(type, { dataTransfer: transfer });
  assert.equal(await page.getByText("dropped.txt").count(), 0);
}
