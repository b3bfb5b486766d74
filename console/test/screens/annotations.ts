// Annotations of objects, and the indexes of a bucket's searches: what the forms save matches what the server then returns.
import assert from "node:assert/strict";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, s3, type Stage } from "../support/stage.ts";

export function annotationsSuite(stage: Stage): Suite {
  return suiteOf("annotations", [
    {
      name: "an annotation is written, shown as text, changed and deleted, at 360 px",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/k`, "1");
        const target = `/${bucket}/k?annotation&annotationName=ml.labels`;
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/object?key=k`);
            await page.getByText("The version has no annotations.").waitFor();
            await page.getByRole("button", { name: "Add an annotation" }).click();
            const dialog = page.getByRole("dialog");
            await dialog.getByLabel("Name").fill("aws.x");
            assert.equal(await dialog.getByRole("button", { name: "Save" }).isDisabled(), true);
            await dialog.getByLabel("Name").fill("ml.labels");
            await dialog.getByLabel("Text").fill("<img src=x onerror=alert(1)>");
            await assertAccessible(page);
            await dialog.getByRole("button", { name: "Save" }).click();
            await page.getByRole("button", { name: "Show ml.labels" }).click();
            await page.getByText("<img src=x onerror=alert(1)>").waitFor();
            assert.equal(await page.locator("img[src=x]").count(), 0);
            assert.equal(await (await s3(stage, "GET", target)).text(), "<img src=x onerror=alert(1)>");
            await assertAccessible(page);
            await assertNoSidewaysScroll(page);
            await page.getByRole("button", { name: "Edit ml.labels" }).click();
            assert.equal(await dialog.getByLabel("Text").inputValue(), "<img src=x onerror=alert(1)>");
            await dialog.getByLabel("Text").fill("kitten");
            await dialog.getByRole("button", { name: "Save" }).click();
            await page.getByText("The annotation ml.labels was saved.").last().waitFor();
            assert.equal(await (await s3(stage, "GET", target)).text(), "kitten");
            await page.getByRole("button", { name: "Delete ml.labels" }).click();
            await dialog.getByRole("button", { name: "Delete" }).click();
            await page.getByText("The version has no annotations.").waitFor();
            assert.doesNotMatch(await (await s3(stage, "GET", `/${bucket}/k?annotation`)).text(), /ml\.labels/);
          },
          { width: 360 },
        );
      },
    },
    {
      name: "indexes are added, shown with their state, and removed",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/k`, "1", { "x-amz-tagging": "team=red" });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/settings/search`);
          await page.getByText("The bucket has no indexes").waitFor();
          await page.getByRole("button", { name: "Add an index" }).click();
          await page.getByLabel("Name").fill("team");
          await page.getByRole("button", { name: "Add an index" }).click();
          await page.getByRole("combobox", { name: "Index of" }).nth(1).selectOption("Content type");
          await assertAccessible(page);
          await page.getByRole("button", { name: "Save" }).click();
          await page.getByText("The indexes were saved.").waitFor();
          const xml = await (await s3(stage, "GET", `/${bucket}?queryConfiguration`)).text();
          assert.match(xml, /<Tag>team<\/Tag>/);
          assert.match(xml, /<Property>ContentType<\/Property>/);
          for (const row of ["Index 2", "Index 1"])
            await page
              .getByRole("group", { name: row })
              .getByRole("button", { name: /Remove/ })
              .click();
          await page.getByRole("button", { name: "Save" }).click();
          await page.getByText("The bucket has no indexes").waitFor();
          await assert.rejects(s3(stage, "GET", `/${bucket}?queryConfiguration`), /NoSuchQueryConfiguration/);
        });
      },
    },
  ]);
}
