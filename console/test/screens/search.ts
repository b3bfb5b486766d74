// The search over a bucket: its conditions, its address, its refusals.
import assert from "node:assert/strict";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { fillCredentials, assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

export function searchSuite(stage: Stage): Suite {
  const fill = async (): Promise<string> => {
    const bucket = await freshBucket(stage, { isVersioned: true });
    await s3(stage, "PUT", `/${bucket}/2026/harbour.jpg`, "x".repeat(5000), { "x-amz-tagging": "team=red" });
    await s3(stage, "PUT", `/${bucket}/2026/pier.jpg`, "1", { "x-amz-tagging": "team=blue" });
    await s3(stage, "PUT", `/${bucket}/old/harbour%20plan.txt`, "1");
    return bucket;
  };
  return suiteOf("search", [
    {
      name: "objects are found by text, pattern, tag, size and day in all folders",
      run: async () => {
        const bucket = await fill();
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "Search the bucket" }).click();
          await page.getByText("By a part of the key").waitFor();
          await assertAccessible(page);
          const text = page.getByLabel("Text in the key");
          const found = async (count: number, names: readonly string[]): Promise<void> => {
            await page.getByText(count === 1 ? "1 object found" : `${count} objects found`, { exact: true }).waitFor();
            const links = page.locator(".object-list").getByRole("link");
            assert.deepEqual((await links.allTextContents()).toSorted(), names);
          };
          await text.fill("harbour");
          await page.keyboard.press("Enter");
          await found(2, ["2026/harbour.jpg", "old/harbour plan.txt"]);
          await assertAccessible(page);
          await text.fill("*/????.jpg");
          await page.getByRole("button", { name: "Search", exact: true }).click();
          await found(1, ["2026/pier.jpg"]);
          await text.fill("");
          await page.getByText("More conditions").click();
          await page.getByLabel("Tags", { exact: true }).fill("team");
          await page.getByRole("button", { name: "Search", exact: true }).click();
          await found(2, ["2026/harbour.jpg", "2026/pier.jpg"]);
          await page.getByLabel("At least, in KiB").fill("4");
          await page.keyboard.press("Enter");
          await found(1, ["2026/harbour.jpg"]);
          await page.getByLabel("Changed on or before").fill("2020-01-01");
          await page.keyboard.press("Enter");
          await page.getByText("No object meets all the conditions.").waitFor();
          await page.goBack();
          await found(1, ["2026/harbour.jpg"]);
        });
      },
    },
    {
      name: "several tags, user metadata, the end of the key, the type and the class are conditions, and are in the address",
      run: async () => {
        const bucket = await fill();
        await s3(stage, "PUT", `/${bucket}/a/report.pdf`, "1", {
          "x-amz-tagging": "team=red&year=2026",
          "x-amz-meta-tenant": "north",
          "content-type": "application/pdf",
          "x-amz-storage-class": "STANDARD_IA",
        });
        await s3(stage, "PUT", `/${bucket}/b/report.pdf`, "1", {
          "x-amz-tagging": "team=red&year=2025",
          "x-amz-meta-tenant": "south",
          "content-type": "image/png",
        });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/search`);
          await page.getByText("More conditions").click();
          const found = async (fields: Readonly<Record<string, string>>, keys: readonly string[]): Promise<void> => {
            for (const label of ["Tags", "User metadata", "The key ends with", "Content type", "Storage class"])
              await page.getByLabel(label).fill(fields[label] ?? "");
            await page.getByRole("button", { name: "Search", exact: true }).click();
            await page
              .getByText(keys.length === 1 ? "1 object found" : `${keys.length} objects found`, { exact: true })
              .waitFor();
            const links = page.locator(".object-list").getByRole("link");
            assert.deepEqual((await links.allTextContents()).toSorted(), keys);
          };
          await found({ "The key ends with": "report.pdf" }, ["a/report.pdf", "b/report.pdf"]);
          await found({ Tags: "team=red\nyear=2026" }, ["a/report.pdf"]);
          await found({ Tags: "team=red" }, ["2026/harbour.jpg", "a/report.pdf", "b/report.pdf"]);
          await found({ "User metadata": "Tenant = south" }, ["b/report.pdf"]);
          await found({ "User metadata": "tenant" }, ["a/report.pdf", "b/report.pdf"]);
          await found({ "Content type": "image/*" }, ["b/report.pdf"]);
          await found({ "Storage class": "STANDARD_IA" }, ["a/report.pdf"]);
          assert.match(page.url(), /class=STANDARD_IA/);
          await page.reload();
          await fillCredentials(page);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByText("1 object found", { exact: true }).waitFor();
          assert.equal(await page.getByLabel("Storage class").inputValue(), "STANDARD_IA");
          await assertAccessible(page);
        });
      },
    },
    {
      name: "what was found is deleted, and undo brings it back",
      run: async () => {
        const bucket = await fill();
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/search?text=harbour`);
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
          await page.getByText("No object meets all the conditions.").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["2026/pier.jpg"]);
          await page.getByRole("button", { name: "Undo" }).click();
          await page.getByText("2 objects found", { exact: true }).waitFor();
        });
      },
    },
    {
      name: "a condition that the server refuses is explained in Chinese at 360 px, with a link to the list by prefix",
      run: async () => {
        const bucket = await fill();
        const deny = { Effect: "Deny", Principal: "*", Action: "s3:QueryBucket", Resource: `arn:aws:s3:::${bucket}` };
        await s3(stage, "PUT", `/${bucket}?policy`, JSON.stringify({ Version: "2012-10-17", Statement: [deny] }));
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/search?text=2026%2F*`);
            await page.getByText("您无权执行此操作").waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
            await page.getByRole("link", { name: "改为按前缀列出文件夹" }).click();
            await page.getByRole("link", { name: "pier.jpg" }).waitFor();
          },
          { width: 360, language: "zh-CN" },
        );
      },
    },
  ]);
}
