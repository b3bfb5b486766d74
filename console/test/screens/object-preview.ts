// Previews of objects, and hostile objects, which must do no harm.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, s3, type Stage } from "../support/stage.ts";
import { objectPlace } from "./object.ts";

const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="parent.harmed=1"><script>parent.harmed=1;document.title="harmed"</script><rect width="40" height="40"/></svg>';
const PAGE =
  '<!doctype html><title>x</title><script>top.harmed=1</script><img src=x onerror="harmed=1"><form action="https://evil.example"><b>bold</b></form>';

const PDF =
  "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/MediaBox[0 0 300 300]/Parent 2 0 R/Resources<<>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF";

/** A second of silence. */
function silence(): Uint8Array<ArrayBuffer> {
  const samples = 8000;
  const wave = Buffer.alloc(44 + samples, 128);
  wave.write("RIFF", 0);
  wave.writeUInt32LE(36 + samples, 4);
  wave.write("WAVEfmt ", 8);
  wave.writeUInt32LE(16, 16);
  wave.writeUInt16LE(1, 20);
  wave.writeUInt16LE(1, 22);
  wave.writeUInt32LE(8000, 24);
  wave.writeUInt32LE(8000, 28);
  wave.writeUInt16LE(1, 32);
  wave.writeUInt16LE(8, 34);
  wave.write("data", 36);
  wave.writeUInt32LE(samples, 40);
  return new Uint8Array(wave);
}

export function objectPreviewSuite(stage: Stage): Suite {
  const put = (bucket: string, key: string, body: string | Uint8Array<ArrayBuffer>, type?: string) =>
    s3(stage, "PUT", `/${bucket}/${encodeURIComponent(key)}`, body, type === undefined ? {} : { "content-type": type });
  const show = async (page: Page, bucket: string, key: string): Promise<void> => {
    await page.evaluate((place) => (location.hash = place), objectPlace(bucket, key, "preview"));
    await page.getByRole("heading", { name: "Preview", level: 2 }).waitFor();
  };
  return suiteOf("object preview", [
    {
      name: "images, audio and PDF are shown by type or by name",
      run: async () => {
        const bucket = await freshBucket(stage);
        await put(bucket, "a.png", new Uint8Array(PIXEL), "image/png");
        await put(bucket, "b.png", new Uint8Array(PIXEL));
        await put(bucket, "c.wav", silence(), "audio/wav");
        await put(bucket, "d.pdf", PDF);
        await put(bucket, "broken.png", "no image", "image/png");
        await withPage(stage, async (page) => {
          await signIn(stage, page);
          for (const key of ["a.png", "b.png"]) {
            await show(page, bucket, key);
            await page.waitForFunction(
              () => document.querySelector<HTMLImageElement>("img.object-media")?.naturalWidth === 1,
            );
          }
          await assertAccessible(page);
          await show(page, bucket, "c.wav");
          await page.waitForFunction(() => {
            const length = document.querySelector("audio")?.duration ?? 0;
            return length > 0.9 && length < 1.1;
          });
          await show(page, bucket, "d.pdf");
          await page.locator("iframe.object-frame").waitFor();
          assert.match((await page.locator("iframe.object-frame").getAttribute("src")) ?? "", /^blob:/);
          // The browser's own viewer shows it.
          const isShown = (): boolean => page.frames().some((frame) => frame.url().startsWith("chrome-extension:"));
          for (let tries = 0; tries < 200 && !isShown(); tries += 1) await page.waitForTimeout(100);
          assert.ok(isShown());
          await show(page, bucket, "broken.png");
          await page.getByText("The browser cannot show this file").waitFor();
        });
      },
    },
    {
      name: "JSON is indented, CSV is a table, Markdown has its form, and binaries say that they have no preview",
      run: async () => {
        const bucket = await freshBucket(stage);
        await put(bucket, "a.json", '{"b":[1,{"c":"é"}]}', "application/json");
        await put(bucket, "a.csv", 'name;note\n"x;1";"say ""hi""\nthere"\n', "text/csv");
        await put(
          bucket,
          "a.md",
          "# Top\n\n- one **two**\n- [go](https://example.com/x)\n\n[bad](javascript:harmed=1)\n",
        );
        await put(bucket, "a.bin2", new Uint8Array([0, 1, 2, 3]));
        await put(bucket, "none.txt", "");
        await withPage(stage, async (page) => {
          await signIn(stage, page);
          await show(page, bucket, "a.json");
          await page.getByText('"c": "é"').waitFor();
          await show(page, bucket, "a.csv");
          await page.getByRole("columnheader", { name: "note" }).waitFor();
          await page.getByRole("cell", { name: 'say "hi" there' }).waitFor();
          assert.equal(await page.getByRole("cell", { name: "x;1" }).count(), 1);
          await page.getByLabel("Show the source").check();
          await page.getByText("name;note").waitFor();
          await show(page, bucket, "a.md");
          await page.getByRole("heading", { name: "Top" }).waitFor();
          assert.equal(await page.getByRole("link", { name: "go" }).getAttribute("href"), "https://example.com/x");
          assert.equal(await page.getByRole("link", { name: "bad" }).count(), 0);
          await assertAccessible(page);
          await show(page, bucket, "a.bin2");
          await page.getByText("There is no preview of this kind").waitFor();
          await show(page, bucket, "none.txt");
          await page.getByText("The object is empty.").waitFor();
        });
      },
    },
    {
      name: "of a big text only the beginning is fetched, and it fits a phone",
      run: async () => {
        const bucket = await freshBucket(stage);
        await put(bucket, "big.log", "é".repeat(2 * 1024 * 1024), "text/plain");
        await withPage(
          stage,
          async (page) => {
            const sizes: number[] = [];
            page.on("response", (response) => {
              if (response.url().includes("big.log") && response.request().method() === "GET")
                sizes.push(Number(response.headers()["content-length"]));
            });
            await signIn(stage, page);
            await show(page, bucket, "big.log");
            await page.getByText("The first 256 KiB of 4 MiB are shown.").waitFor();
            assert.ok(!(await page.locator(".object-text").innerText()).includes("\uFFFD"));
            assert.ok(
              sizes.includes(256 * 1024) && Math.max(...sizes.filter(Number.isFinite)) <= 256 * 1024,
              String(sizes),
            );
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
          },
          { width: 360 },
        );
      },
    },
    {
      name: "hostile objects run nothing and load nothing",
      run: async () => {
        const bucket = await freshBucket(stage);
        const name = `<img src=x onerror=harmed=1>\u202Egnp.exe\u0001\u0085${"n".repeat(200)}`;
        const hostile: [key: string, body: string, type: string][] = [
          ["page.html", PAGE, "text/html"],
          ["page.txt", PAGE, "text/html"],
          ["page.png", PAGE, "text/html"],
          ["page.pdf", PAGE, "application/pdf"],
          ["page.xhtml", PAGE, "application/xhtml+xml"],
          ["picture.svg", SVG, "image/svg+xml"],
          ["odd.svg", SVG, "text/plain"],
          ["page.md", `${PAGE}\n\n![x](https://evil.example/x.png) [y](data:text/html,${PAGE})`, "text/markdown"],
          ["page.csv", `a,${PAGE}\n=cmd(),b`, "text/csv"],
          ["page.json", JSON.stringify({ [PAGE]: PAGE }), "application/json"],
          [name, PAGE, "image/png"],
        ];
        for (const [key, body, type] of hostile) await put(bucket, key, body, type);
        await withPage(stage, async (page) => {
          const foreign: string[] = [];
          page.on("request", (request) => {
            const { origin, protocol } = new URL(request.url());
            if (protocol.startsWith("http") && origin !== stage.url) foreign.push(request.url());
          });
          page.on("dialog", () => foreign.push("a dialog"));
          await signIn(stage, page);
          for (const [key, body] of hostile) {
            await show(page, bucket, key);
            await page.locator(".skeleton").waitFor({ state: "detached" });
            if (key === "page.html") assert.equal(await page.locator(".object-text").innerText(), body);
            if (key === "picture.svg") {
              await page.waitForFunction(
                () => document.querySelector<HTMLImageElement>("img.object-media")?.naturalWidth === 40,
              );
              await page.getByLabel("Show the source").check();
              await page.getByText("<script>").waitFor();
            }
            assert.equal(await page.evaluate(() => Reflect.get(globalThis, "harmed")), undefined, key);
            assert.equal(await page.locator("main form, main b, main script").count(), 0, key);
            await assertAccessible(page);
          }
          assert.equal((await page.getByRole("heading", { level: 1 }).textContent())?.startsWith("<img"), true);
          await assertNoSidewaysScroll(page);
          assert.deepEqual(foreign, []);
        });
      },
    },
  ]);
}
