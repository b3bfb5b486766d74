// The list of a bucket's objects: folders, filter, selection, deletion and its undo, the keyboard, hostile keys.
import assert from "node:assert/strict";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

const HOSTILE_KEYS = [
  "<img src=x onerror=alert(1)>",
  "\u202Egnp.exe",
  `${"long".repeat(250)}.txt`,
  "\u0001control",
  "'\"&+%20 #?",
  "a//b",
];

function encoded(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

export function objectsSuite(stage: Stage): Suite {
  return suiteOf("objects", [
    {
      name: "folders are browsed by links, the way up and the address",
      run: async () => {
        const bucket = await freshBucket(stage);
        for (const key of ["top.txt", "a/one.txt", "a/b/two.txt", "a/"]) {
          await s3(stage, "PUT", `/${bucket}/${key}`, "12345");
        }
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}`);
          await page.getByRole("link", { name: "top.txt" }).waitFor();
          await assertAccessible(page);
          await page.getByRole("link", { name: "a/" }).click();
          await page.getByRole("link", { name: "one.txt" }).waitFor();
          assert.equal(
            await page
              .getByRole("listitem")
              .filter({ has: page.getByRole("checkbox") })
              .count(),
            2,
          );
          await page.getByRole("link", { name: "b/" }).click();
          await page.getByRole("link", { name: "two.txt" }).waitFor();
          assert.match(page.url(), /prefix=a%2Fb%2F$/);
          await page.goBack();
          await page.getByRole("link", { name: "one.txt" }).waitFor();
          await page.getByRole("link", { name: "All objects" }).click();
          await page.getByRole("link", { name: "top.txt" }).waitFor();
        });
      },
    },
    {
      name: "selected objects and folders are deleted, and undo brings them back",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        const keys = ["dir/1", "dir/2", "file", "other"];
        for (const key of keys) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("checkbox", { name: "Select dir/" }).check();
          await page.getByRole("checkbox", { name: "Select file" }).check();
          await page.getByText("2 selected").waitFor();
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          const dialog = page.getByRole("dialog");
          await dialog.getByText("the deletion can be undone").waitFor();
          await assertAccessible(page);
          await dialog.getByRole("button", { name: "Delete" }).click();
          await page.getByText("3 objects deleted").last().waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["other"]);
          await page.getByRole("button", { name: "Undo" }).click();
          await page.getByText("3 objects are back").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), keys);
          await page.getByRole("link", { name: "dir/" }).waitFor();
        });
      },
    },
    {
      name: "a locked version stays, and the page says why",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/k`, "1");
        const Statement = [
          { Effect: "Deny", Principal: "*", Action: "s3:DeleteObject", Resource: `arn:aws:s3:::${bucket}/*` },
        ];
        await s3(stage, "PUT", `/${bucket}?policy`, JSON.stringify({ Version: "2012-10-17", Statement }));
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("checkbox", { name: "Select k" }).check();
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
          await page.getByText("could not be deleted").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["k"]);
        });
      },
    },
    {
      name: "the keyboard alone browses, filters, selects and deletes",
      run: async () => {
        const bucket = await freshBucket(stage);
        for (const key of ["a/1", "b", "c"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "a/" }).waitFor();
          const { keyboard } = page;
          await keyboard.press("?");
          await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
          await assertAccessible(page);
          await keyboard.press("Escape");
          await keyboard.press("j");
          await keyboard.press("Enter");
          await page.getByRole("link", { name: "1", exact: true }).waitFor();
          await keyboard.press("u");
          await page.getByRole("link", { name: "b", exact: true }).waitFor();
          await keyboard.press("/");
          await keyboard.type("c");
          await page.getByRole("link", { name: "b", exact: true }).waitFor({ state: "detached" });
          await keyboard.press("Escape");
          await keyboard.press("j");
          await keyboard.press("x");
          await keyboard.press("Delete");
          const dialog = page.getByRole("dialog", { name: "Delete c?" });
          await dialog.waitFor();
          // A dialog that deletes begins at its button to close: Enter alone must not delete.
          for (const key of ["Tab", "Tab", "Enter"]) await keyboard.press(key);
          await dialog.waitFor({ state: "detached" });
          await page.getByText("1 object deleted").last().waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["a/1", "b"]);
        });
      },
    },
    {
      name: "a folder is made that other clients see",
      run: async () => {
        const bucket = await freshBucket(stage);
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByText("No objects here").waitFor();
          await page.getByRole("button", { name: "Create folder" }).click();
          const dialog = page.getByRole("dialog");
          await dialog.getByLabel("Name of the folder").fill("../x");
          await dialog.getByText("A name without").waitFor();
          await dialog.getByLabel("Name of the folder").fill("new & shiny");
          await dialog.getByRole("button", { name: "Create" }).click();
          await page.getByRole("link", { name: "new & shiny/" }).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["new &amp; shiny/"]);
        });
      },
    },
    {
      name: "hostile keys are shown as text, and are deleted like others",
      run: async () => {
        const bucket = await freshBucket(stage);
        for (const key of HOSTILE_KEYS) await s3(stage, "PUT", `/${bucket}/${encoded(key)}`, "1");
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByText("<img src=x onerror=alert(1)>").waitFor();
          assert.equal(await page.locator("img[src=x]").count(), 0);
          await assertAccessible(page);
          await assertNoSidewaysScroll(page);
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
          await page.getByText("No objects here").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), []);
        });
      },
    },
    {
      name: "the list fits into 360 px in Chinese and dark",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/a/very/long`, "1");
        await s3(stage, "PUT", `/${bucket}/${"name".repeat(60)}`, "1");
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects`);
            await page.getByRole("link", { name: "a/" }).waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
          },
          { width: 360, language: "zh-CN", colorScheme: "dark" },
        );
      },
    },
  ]);
}
