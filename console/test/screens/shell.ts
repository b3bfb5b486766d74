// The shell: places, languages, colours, and the size of what is loaded first.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CONSOLE_FILES } from "../../../scripts/project/console-files.ts";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, consoleUrl, signIn, withPage } from "../support/browser.ts";
import type { Stage } from "../support/stage.ts";

const FIRST_LOAD_MAX_BYTES = 200_000;

export function shellSuite(stage: Stage): Suite {
  return suiteOf("shell", [
    {
      name: "the first load is below 200 kB compressed",
      run: () =>
        withPage(stage, async (page) => {
          const files: string[] = [];
          page.on("response", (response) => {
            const { pathname } = new URL(response.url());
            const file = pathname.slice("/_/console/".length) || "index.html";
            // The server writes this one, of a few bytes.
            if (pathname.startsWith("/_/console/") && file !== "endpoint.json") files.push(file);
          });
          await signIn(stage, page);
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          const sizes = files.map((file) => gzipSync(readFileSync(join(CONSOLE_FILES, file))).length);
          const total = sizes.reduce((sum, size) => sum + size, 0);
          assert.ok(files.length >= 3, files.join(", "));
          assert.ok(total < FIRST_LOAD_MAX_BYTES, `${total} bytes: ${files.join(", ")}`);
        }),
    },
    {
      name: "the built files name no other origin, and the page has no inline script or style",
      run: async () => {
        const html = readFileSync(join(CONSOLE_FILES, "index.html"), "utf8");
        assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
        for (const file of readdirSync(join(CONSOLE_FILES, "files"))) {
          const text = readFileSync(join(CONSOLE_FILES, "files", file), "utf8");
          const origins = [...text.matchAll(/["'`(]((?:https?:)?\/\/[\w.-]+\.\w+[^"'`)\s]*)/g)].map(
            ([, url = ""]) => url,
          );
          const foreign = origins.filter(
            (url) => !/^https?:\/\/(?:www\.w3\.org\/|s3\.amazonaws\.com\/doc\/|www\.example\.com$)/.test(url),
          );
          assert.deepEqual(foreign, [], file);
        }
      },
    },
    {
      name: "a place that does not exist shows an error and a link back",
      run: () =>
        withPage(stage, async (page) => {
          await signIn(stage, page, "#/nowhere/at/all");
          await page.getByRole("heading", { name: "There is no such page", level: 1 }).waitFor();
          await assertAccessible(page);
          await page.getByRole("link", { name: "Show the buckets" }).click();
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
        }),
    },
    {
      name: "languages and colours are switched, and kept",
      run: () =>
        withPage(
          stage,
          async (page) => {
            await page.goto(consoleUrl(stage));
            await page.getByRole("heading", { name: "登录 Cairn" }).waitFor();
            assert.equal(await page.evaluate("document.documentElement.lang"), "zh-Hans");
            await page.getByLabel("语言").selectOption("en");
            await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
            assert.equal(await page.evaluate("document.documentElement.lang"), "en");
            await page.getByLabel("Colours").selectOption("dark");
            await page.reload();
            await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
            assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark");
          },
          { language: "zh-CN" },
        ),
    },
    {
      name: "the keyboard reaches the content without the navigation",
      run: () =>
        withPage(stage, async (page) => {
          await signIn(stage, page);
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          await page.locator(".skip-link").focus();
          await page.keyboard.press("Enter");
          assert.equal(await page.evaluate("document.activeElement.id"), "content");
        }),
    },
  ]);
}
