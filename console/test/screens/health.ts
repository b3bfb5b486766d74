// The page of health, and the doctor: good behind nothing, and told apart behind a proxy that breaks S3.
import assert from "node:assert/strict";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

export function healthSuite(stage: Stage): Suite {
  return suiteOf("health", [
    {
      name: "the bindings, the schema and the size of the database are shown, and every check is good",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/kept`, "1");
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/health");
          await page.getByText("d1 is reached").waitFor();
          await page.getByText(/\d+_\w+\.sql/).waitFor();
          await page.getByLabel("Bucket").selectOption(bucket);
          await page.getByRole("button", { name: "Run the checks" }).click();
          await page.getByText("A body of 8 MiB is accepted.").waitFor();
          assert.equal(await page.getByText("Broken").count(), 0);
          assert.equal(await page.getByText("Good", { exact: true }).count(), 9);
          await assertAccessible(page);
          await page.getByRole("button", { name: "Run the checks", disabled: false }).waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["kept"]);
        });
      },
    },
    {
      name: "a proxy that compresses, caches and rewrites is found, with what to change",
      run: async () => {
        const bucket = await freshBucket(stage);
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/health");
          await page.getByLabel("Bucket").selectOption(bucket);
          await page.route(/cairn-doctor-[^?]*\/etag$/, async (route) => {
            const response = await route.fetch();
            const headers = response.headers();
            const isRead = route.request().method() === "GET";
            await route.fulfill({ response, headers: isRead ? { ...headers, etag: `W/${headers["etag"]}` } : headers });
          });
          await page.route(/cairn-doctor-[^?]*\/cache$/, async (route) => {
            if (route.request().method() === "GET") await route.fulfill({ status: 200, body: "first" });
            else await route.continue();
          });
          await page.getByRole("button", { name: "Run the checks" }).click();
          await page.getByText("A body of 8 MiB is accepted.").waitFor();
          assert.equal(await page.getByText("Broken", { exact: true }).count(), 2);
          await page.getByText("add a cache rule that bypasses it").waitFor();
          await page.getByText("Something in front of the Worker changes answers").waitFor();
        });
      },
    },
    {
      name: "the page fits into 360 px in Chinese and dark",
      run: () =>
        withPage(
          stage,
          async (page) => {
            await signIn(stage, page, "#/health");
            await page.getByText("d1 可用").waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
          },
          { width: 360, language: "zh-CN", colorScheme: "dark" },
        ),
    },
  ]);
}
