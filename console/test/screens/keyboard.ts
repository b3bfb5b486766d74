// The main work with the keyboard alone, from the sign-in to the sign-out: no step uses the mouse or sets a value by script.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, consoleUrl, signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

export function keyboardSuite(stage: Stage): Suite {
  return suiteOf("keyboard", [
    {
      name: "a bucket is created, filled, searched, emptied of an object and left, from sign-in to sign-out",
      run: async () => {
        const bucket = `console-keys-${process.pid}`;
        await withPage(stage, async (page) => {
          const { keyboard } = page;
          const files = ["one.txt", "two.txt"].map((name) => ({
            name,
            mimeType: "text/plain",
            buffer: Buffer.from(name),
          }));
          page.on("filechooser", (chooser) => void chooser.setFiles(files));
          await page.goto(consoleUrl(stage));
          await tabTo(page, /^Access key/);
          await keyboard.type(CREDENTIALS.accessKeyId);
          await keyboard.press("Tab");
          await keyboard.type(CREDENTIALS.secretAccessKey);
          await keyboard.press("Enter");
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();

          await tabTo(page, /^Create bucket$/);
          await keyboard.press("Enter");
          await page.getByRole("dialog").waitFor();
          await tabTo(page, /^Name/);
          await keyboard.type(bucket);
          await keyboard.press("Enter");
          await page.getByRole("dialog").waitFor({ state: "detached" });
          await page.getByRole("link", { name: bucket, exact: true }).waitFor();
          // Other tests have made many buckets.
          await tabTo(page, /^Filter by name/);
          await keyboard.type(bucket);
          await tabTo(page, new RegExp(`^${bucket}$`));
          await keyboard.press("Enter");
          await page.getByText("No objects here").waitFor();

          await tabTo(page, /^Create folder$/);
          await keyboard.press("Enter");
          await page.getByRole("dialog", { name: "Create folder" }).waitFor();
          await keyboard.type("papers");
          await keyboard.press("Enter");
          await page.getByRole("link", { name: "papers/" }).waitFor();
          await keyboard.press("j");
          await keyboard.press("Enter");
          await page.getByText("No objects here").waitFor();
          await tabTo(page, /^Upload files$/);
          await keyboard.press("Enter");
          await page.getByRole("link", { name: "two.txt", exact: true }).waitFor();

          // Whatever has the focus, the list has its keys.
          await keyboard.press("j");
          const download = page.waitForEvent("download");
          await keyboard.press("d");
          assert.equal((await download).suggestedFilename(), "one.txt");
          await keyboard.press("r");
          await page.getByRole("dialog", { name: "Rename one.txt" }).waitFor();
          await assertAccessible(page);
          await keyboard.press("ControlOrMeta+a");
          await keyboard.type("first.txt");
          await keyboard.press("Enter");
          await page.getByRole("link", { name: "first.txt", exact: true }).waitFor();
          await keyboard.press("a");
          await page.getByText("2 selected").waitFor();
          await keyboard.press("m");
          await page.getByRole("dialog", { name: "Move 2 entries" }).waitFor();
          await keyboard.press("ControlOrMeta+a");
          await keyboard.type("moved");
          await keyboard.press("Enter");
          await page.getByText("2 objects moved").last().waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["moved/first.txt", "moved/two.txt", "papers/"]);

          await keyboard.press("u");
          await page.getByRole("link", { name: "moved/" }).waitFor();
          await tabTo(page, /^Search the bucket$/);
          await keyboard.press("Enter");
          await page.getByLabel("Text in the key").waitFor();
          // The field has the focus.
          await keyboard.type("two");
          await keyboard.press("Enter");
          await page.getByRole("link", { name: "moved/two.txt" }).waitFor();
          await keyboard.press("Escape");
          await keyboard.press("j");
          await keyboard.press("Delete");
          await page.getByRole("dialog", { name: "Delete moved/two.txt?" }).waitFor();
          await tabTo(page, /^Delete$/);
          await keyboard.press("Enter");
          await page.getByText("1 object deleted").last().waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["moved/first.txt", "papers/"]);

          await tabTo(page, /^Account/);
          await keyboard.press("Enter");
          await tabTo(page, /^Sign out$/);
          await keyboard.press("Enter");
          await page.getByRole("heading", { name: "Sign in" }).waitFor();
        });
      },
    },
    {
      name: "what a search finds is walked through, opened, selected and renamed by keys, and ? lists them",
      run: async () => {
        const bucket = await freshBucket(stage);
        for (const key of ["a/1.txt", "b/2.txt", "c/3.txt"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
        await withPage(stage, async (page) => {
          const { keyboard } = page;
          await signIn(stage, page, `#/buckets/${bucket}/search?text=.txt`);
          await page.getByText("3 objects found").waitFor();
          await keyboard.press("?");
          const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
          for (const key of ["j", "k", "x", "a", "d", "m", "c", "r", "/", "?", "Enter", "Delete"])
            await help.getByText(key, { exact: true }).first().waitFor();
          await keyboard.press("Escape");
          // A closed dialog has no role any more, and the list takes keys once it is gone.
          await page.locator("dialog").waitFor({ state: "detached" });
          await keyboard.press("End");
          await keyboard.press("k");
          await keyboard.press("Enter");
          await page.getByRole("heading", { name: "2.txt", level: 1 }).waitFor();
          await page.goBack();
          await page.getByText("3 objects found").waitFor();
          for (const key of ["j", "j", "x"]) await keyboard.press(key);
          await page.getByText("1 selected").waitFor();
          await keyboard.press("F2");
          await page.getByRole("dialog", { name: "Rename b/2.txt" }).waitFor();
          await keyboard.press("ControlOrMeta+a");
          await keyboard.type("b/two.txt");
          await keyboard.press("Enter");
          await page.getByRole("link", { name: "b/two.txt" }).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["a/1.txt", "b/two.txt", "c/3.txt"]);
          await keyboard.press("/");
          await keyboard.press("End");
          await keyboard.type("x");
          await keyboard.press("Enter");
          await page.getByText("No object meets all the conditions.").waitFor();
          await keyboard.press("Escape");
          await keyboard.press("u");
          await page.getByRole("link", { name: "a/", exact: true }).waitFor();
        });
      },
    },
    {
      name: "an open menu has the arrow keys, the list behind it has none, and Escape leads back to the list",
      run: async () => {
        const bucket = await freshBucket(stage);
        for (const key of ["1.txt", "2.txt"]) await s3(stage, "PUT", `/${bucket}/${key}`, key);
        await withPage(stage, async (page) => {
          const { keyboard } = page;
          const focused = (): Promise<unknown> => page.evaluate("document.activeElement?.textContent");
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "1.txt" }).waitFor();
          await keyboard.press("j");
          await tabTo(page, /^Actions for 1\.txt$/);
          await keyboard.press("Enter");
          await page.locator(".menu:popover-open").waitFor();
          await page.waitForFunction("document.activeElement?.textContent === 'Open'");
          await assertAccessible(page);
          await keyboard.press("ArrowDown");
          assert.equal(await focused(), "Download");
          await keyboard.press("End");
          assert.equal(await focused(), "Delete");
          await keyboard.press("ArrowDown");
          assert.equal(await focused(), "Open");
          await keyboard.press("ArrowUp");
          assert.equal(await focused(), "Delete");
          for (const key of ["j", "x", "m", "Delete"]) await keyboard.press(key);
          assert.equal(await page.locator("dialog[open]").count(), 0);
          assert.equal(await page.locator(".object-row.focused").getByText("1.txt").count(), 1);
          assert.equal(await page.getByText("1 selected").count(), 0);
          await keyboard.press("Escape");
          await page.locator(".menu:popover-open").waitFor({ state: "detached" });
          await keyboard.press("x");
          await page.getByText("1 selected").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["1.txt", "2.txt"]);
        });
      },
    },
    {
      name: "a folder is renamed with all objects below it, and the list is sorted by size and time",
      run: async () => {
        const bucket = await freshBucket(stage);
        for (const [key, bytes] of [
          ["dir/deep/1", 1],
          ["dir/2", 1],
          ["big", 3000],
          ["middle", 200],
          ["small", 1],
        ] as const)
          await s3(stage, "PUT", `/${bucket}/${key}`, "x".repeat(bytes));
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          const names = (): Promise<string[]> => page.locator(".object-list").getByRole("link").allTextContents();
          await page.getByRole("link", { name: "big" }).waitFor();
          await page.getByRole("button", { name: "Size" }).click();
          assert.deepEqual(await names(), ["dir/", "small", "middle", "big"]);
          await page.getByRole("button", { name: "Size (ascending)" }).click();
          assert.deepEqual(await names(), ["dir/", "big", "middle", "small"]);
          await assertAccessible(page);
          await page.getByRole("button", { name: "Name" }).click();
          assert.deepEqual(await names(), ["big", "dir/", "middle", "small"]);
          await page.keyboard.press("j");
          await page.keyboard.press("j");
          await page.keyboard.press("r");
          await page.getByLabel("New name").fill("../x");
          await page.getByText("A name without").waitFor();
          await page.getByLabel("New name").fill("folder");
          await page.keyboard.press("Enter");
          await page.getByText("2 objects moved").last().waitFor();
          await page.getByRole("link", { name: "folder/" }).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["big", "folder/2", "folder/deep/1", "middle", "small"]);
        });
      },
    },
  ]);
}

const TABS_MAX = 80;

/** Presses Tab until what has the focus has a name. @throws AssertionError if nothing of that name can be reached */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let tab = 0; tab < TABS_MAX; tab += 1) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const labels = element instanceof HTMLInputElement ? Array.from(element.labels ?? []) : [];
      const texts = [
        element?.getAttribute("aria-label"),
        ...labels.map((label) => label.textContent),
        element?.textContent,
      ];
      return (texts.find((text) => text) ?? "").trim();
    });
    if (name.test(focused)) return;
    seen.push(focused.slice(0, 30));
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab reaches no ${name}, only ${[...new Set(seen)].join(" | ")}`);
}
