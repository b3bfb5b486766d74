// Snapshots and uploads in progress: what the screens do is what the server then says.
import assert from "node:assert/strict";
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
