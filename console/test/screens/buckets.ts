// The list of buckets, and creating, emptying and deleting them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import {
  assertAccessible,
  assertNoJumps,
  assertNoSidewaysScroll,
  consoleUrl,
  fillCredentials,
  signIn,
  withPage,
} from "../support/browser.ts";
import { CREDENTIALS, freshBucket, keysOf, newUser, s3, type Stage } from "../support/stage.ts";

export function bucketsSuite(stage: Stage): Suite {
  return suiteOf("buckets", [
    {
      name: "the list shows what a bucket holds",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        for (const key of ["a", "b", "c"]) await s3(stage, "PUT", `/${bucket}/${key}`, "12345");
        await withPage(stage, async (page) => {
          await signIn(stage, page);
          const row = page.getByRole("row").filter({ hasText: bucket });
          await row.getByText("15 B").waitFor();
          const text = (await row.innerText()).replaceAll(/\s+/g, " ");
          await assertNoJumps(page);
          assert.match(text, /\b3\b.*\b15 B\b.*\bOn\b.*\bPrivate\b/);
          await assertAccessible(page);
          await page.getByLabel("Filter by name").fill("no such bucket");
          await page.getByText("No bucket has").waitFor();
        });
      },
    },
    {
      name: "a bucket with versions is created, and a name that is taken is explained",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = `created-${process.pid}`;
          await signIn(stage, page);
          await page.getByRole("button", { name: "Create bucket" }).click();
          const dialog = page.getByRole("dialog");
          await dialog.getByLabel("Name").fill("X");
          await dialog.getByRole("button", { name: "Create" }).click();
          await dialog.getByText("not a valid bucket name").waitFor();
          await assertAccessible(page);
          await dialog.getByLabel("Name").fill(bucket);
          await dialog.getByLabel("Keep versions of objects").check();
          await dialog.getByRole("button", { name: "Create" }).click();
          await page.getByText(`Bucket ${bucket} was created.`).waitFor();
          await page.getByRole("link", { name: bucket }).waitFor();
          const xml = await (await s3(stage, "GET", `/${bucket}?versioning`)).text();
          assert.match(xml, /<Status>Enabled<\/Status>/);
        }),
    },
    {
      name: "a bucket with objects is not deleted; it is emptied in the background, and deleted then",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        for (const key of ["a", "b/c", "%20%2B%C3%A9", "%01"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
        await s3(stage, "DELETE", `/${bucket}/a`);
        await s3(stage, "POST", `/${bucket}/open?uploads`);
        await withPage(stage, async (page) => {
          await signIn(stage, page);
          const choose = async (action: string): Promise<void> => {
            await page.getByRole("button", { name: `Actions for ${bucket}` }).click();
            await page.locator(".menu:popover-open").getByText(action, { exact: true }).click();
          };
          const dialog = page.getByRole("dialog");
          await choose("Delete");
          await dialog.getByLabel(`Type ${bucket} to confirm`).fill(bucket);
          await dialog.getByRole("button", { name: "Delete" }).click();
          await dialog.getByText("The bucket is not empty").waitFor();
          await dialog.getByRole("button", { name: "Empty the bucket" }).click();
          await dialog.getByLabel(`Type ${bucket} to confirm`).fill(bucket);
          await dialog.getByRole("button", { name: "Empty the bucket" }).click();
          await page.getByText(`Bucket ${bucket} is empty.`).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), []);
          await choose("Delete");
          await dialog.getByLabel(`Type ${bucket} to confirm`).fill(bucket);
          await dialog.getByRole("button", { name: "Delete" }).click();
          await page.getByText(`Bucket ${bucket} was deleted.`).waitFor();
        });
      },
    },
    {
      name: "emptying continues after a lost connection, leaves locked versions, and reports them",
      run: async () => {
        const bucket = await freshBucket(stage, { hasObjectLock: true });
        for (const key of ["a", "b"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
        await s3(stage, "PUT", `/${bucket}/held`, "1", {
          "content-md5": createHash("md5").update("1").digest("base64"),
          "x-amz-object-lock-legal-hold": "ON",
        });
        await withPage(stage, async (page) => {
          let lost = 0;
          await page.route(`**/${bucket}?delete*`, (route) => {
            lost += 1;
            return lost === 1 ? route.abort("connectionreset") : route.continue();
          });
          await signIn(stage, page);
          await page.getByRole("button", { name: `Actions for ${bucket}` }).click();
          await page.locator(".menu:popover-open").getByText("Empty", { exact: true }).click();
          const dialog = page.getByRole("dialog");
          await dialog.getByLabel(`Type ${bucket} to confirm`).fill(bucket);
          await dialog.getByRole("button", { name: "Empty the bucket" }).click();
          await page.getByText("1 version could not be deleted:").waitFor();
          assert.ok(lost > 1, "the deletion was repeated");
          assert.deepEqual(await keysOf(stage, bucket), ["held"]);
        });
      },
    },
    {
      name: "emptying that fails can be resumed at once, and signing out ends it without giving it up",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/a`, "1");
        await withPage(stage, async (page) => {
          let isHeld = false;
          await page.route(`**/${bucket}?delete*`, async (route) => {
            if (!isHeld) await route.fulfill({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" });
          });
          await signIn(stage, page);
          await page.getByRole("button", { name: `Actions for ${bucket}` }).click();
          await page.locator(".menu:popover-open").getByText("Empty", { exact: true }).click();
          const dialog = page.getByRole("dialog");
          await dialog.getByLabel(`Type ${bucket} to confirm`).fill(bucket);
          await dialog.getByRole("button", { name: "Empty the bucket" }).click();
          await page.getByText("You are not allowed to do this.").waitFor();
          isHeld = true;
          await page.getByRole("button", { name: "Resume" }).click();
          await page.getByText(`Emptying ${bucket}`, { exact: true }).waitFor();
          await page.getByRole("button", { name: "Account" }).click();
          await page.getByRole("button", { name: "Sign out" }).click();
          await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
          await page.unroute(`**/${bucket}?delete*`);
          await fillCredentials(page);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByRole("button", { name: "Resume" }).click();
          await page.getByText(`Bucket ${bucket} is empty.`).waitFor();
        });
      },
    },
    {
      name: "emptying that was interrupted can be resumed after signing in again",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/a`, "1");
        await withPage(stage, async (page) => {
          await page.addInitScript((target) => {
            if (sessionStorage.getItem("was-set") !== null) return;
            sessionStorage.setItem("was-set", "yes");
            localStorage.setItem("cairn.unfinished", JSON.stringify([{ kind: "empty-bucket", target }]));
          }, bucket);
          await signIn(stage, page);
          await page.getByText(`Emptying ${bucket} was interrupted.`).waitFor();
          await page.getByRole("button", { name: "Resume" }).click();
          await page.getByText(`Bucket ${bucket} is empty.`).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), []);
          await page.reload();
          await signIn(stage, page);
          assert.equal(await page.getByText("was interrupted").count(), 0);
        });
      },
    },
    {
      name: "the keyboard alone signs in, creates a bucket and opens its settings",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = `keyboard-${process.pid}`;
          const { keyboard } = page;
          const type = async (text: string): Promise<void> => {
            await keyboard.press("Tab");
            await keyboard.type(text);
          };
          const focused = (): Promise<unknown> =>
            page.evaluate("document.activeElement?.textContent || document.activeElement?.getAttribute('aria-label')");
          /** Moves the focus on until it is where it shall be. */
          const tabTo = async (name: string): Promise<void> => {
            for (let steps = 0; steps < 40; steps += 1) {
              if (String(await focused()).includes(name)) return;
              await keyboard.press("Tab");
            }
            assert.fail(`${name} cannot be reached`);
          };
          await page.goto(consoleUrl(stage));
          await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
          await type(CREDENTIALS.accessKeyId);
          await type(CREDENTIALS.secretAccessKey);
          await keyboard.press("Enter");
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          await tabTo("Create bucket");
          await keyboard.press("Enter");
          await page.getByRole("dialog").waitFor();
          await keyboard.type(bucket);
          await keyboard.press("Enter");
          await page.getByRole("link", { name: bucket }).waitFor();
          await tabTo(`Actions for ${bucket}`);
          await keyboard.press("Enter");
          await tabTo("Settings");
          await keyboard.press("Enter");
          await page.getByRole("heading", { name: bucket, level: 1 }).waitFor();
          assert.ok(page.url().includes(`/buckets/${bucket}/settings`));
        }),
    },
    {
      name: "a user sees own buckets, opens others by name, and is shown why something is refused",
      run: async () => {
        const bucket = await freshBucket(stage);
        const Statement = [{ Effect: "Allow", Action: ["s3:GetBucketTagging", "s3:ListAllMyBuckets"], Resource: "*" }];
        const user = await newUser(stage, { Version: "2012-10-17", Statement });
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/buckets", user);
          await page.getByText("No buckets yet").waitFor();
          await assertAccessible(page);
          await page.evaluate((place) => {
            location.hash = place;
          }, `#/buckets/${bucket}/settings/tags`);
          await page.getByRole("button", { name: "Add a tag" }).click();
          await page.getByLabel("Name").fill("a");
          await page.getByRole("button", { name: "Save" }).click();
          await page.getByText("You are not allowed to do this.").waitFor();
          await page.getByText("Error code").waitFor({ state: "attached" });
        });
      },
    },
    {
      name: "a user who may not list buckets is shown why, and what to do",
      run: async () => {
        const Statement = [{ Effect: "Deny", Action: "s3:ListAllMyBuckets", Resource: "*" }];
        const user = await newUser(stage, { Version: "2012-10-17", Statement });
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/buckets", user);
          await page.getByText("You are not allowed to do this.").waitFor();
          await page.getByLabel("Open a bucket by name").fill("some-bucket");
          await page.getByRole("button", { name: "Browse" }).click();
          await page.getByRole("heading", { name: "some-bucket", level: 1 }).waitFor();
        });
      },
    },
    {
      name: "the list fits into 360 px, and has no violation there, in Chinese and dark",
      run: async () => {
        await freshBucket(stage);
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page);
            await page.getByRole("heading", { name: "存储桶", level: 1 }).waitFor();
            await page.getByRole("row").nth(1).waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
          },
          { width: 360, language: "zh-CN", colorScheme: "dark" },
        );
      },
    },
  ]);
}
