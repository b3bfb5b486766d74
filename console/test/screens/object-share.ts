// Links to objects, and upload links for guests.
import assert from "node:assert/strict";
import { decodeQR } from "qr/decode.js";
import { signInLink } from "../../../scripts/project/sign-in-link.ts";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";
import { objectPlace } from "./object.ts";

/** Draws the dark modules of a code, `M3 4h1v1h-1z` each, as a scanner sees them. */
function pictureOf(modules: string, size: number): { width: number; height: number; data: Uint8Array } {
  const scale = 4;
  const side = size * scale;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, left = "", top = ""] of modules.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let pixel = 0; pixel < scale * scale; pixel += 1) {
      const x = Number(left) * scale + (pixel % scale);
      const y = Number(top) * scale + Math.floor(pixel / scale);
      data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  return { width: side, height: side, data };
}

export function objectShareSuite(stage: Stage): Suite {
  return suiteOf("object share", [
    {
      name: "a link reads the object until the chosen time, and its QR code says the same",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/d/%C3%A9%20%2B.txt`, "shared", { "content-type": "text/plain" });
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "d/é +.txt", "share"));
          await page.getByText("The object cannot be read without credentials.").waitFor();
          const section = page
            .locator("section")
            .filter({ has: page.getByRole("heading", { name: "Link to this object" }) });
          await section.getByLabel("Valid for").selectOption({ label: "7 days" });
          await section.getByLabel("Save the file instead of showing it").check();
          await section.getByRole("button", { name: "Make a link" }).click();
          await section.getByText(/^It ends on /).waitFor();
          const url = await section.getByRole("textbox").inputValue();
          assert.equal(new URL(url).searchParams.get("X-Amz-Expires"), "604800");
          const answer = await fetch(url);
          assert.equal(await answer.text(), "shared");
          assert.match(answer.headers.get("content-disposition") ?? "", /^attachment;.*%C3%A9%20%2B\.txt$/);
          await section.getByRole("button", { name: "Show a QR code" }).click();
          const code = section.getByRole("img", { name: "QR code of the link" });
          await code.waitFor();
          await assertAccessible(page);
          const modules = (await code.locator("path").getAttribute("d")) ?? "";
          const size = Number((await code.getAttribute("viewBox"))?.split(" ")[2]);
          assert.equal(decodeQR(pictureOf(modules, size)), url);
        });
      },
    },
    {
      name: "temporary credentials say that links end with them, and their links work",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/k`, "temporary");
        await withPage(stage, async (page) => {
          await page.goto(await signInLink({ endpoint: stage.url, region: "auto" }, CREDENTIALS));
          await page.locator(".shell").waitFor();
          await page.evaluate((place) => (location.hash = place), objectPlace(bucket, "k", "share"));
          await page.getByText(/^You have temporary credentials: a link ends with them/).waitFor();
          await page.getByRole("button", { name: "Make a link" }).click();
          await page.getByText(/^It ends on /).waitFor();
          const url = await page.getByRole("textbox", { name: "Link to this object" }).inputValue();
          assert.equal(await (await fetch(url)).text(), "temporary");
          await page.getByRole("button", { name: "Make an upload link" }).click();
          await page.goto(await page.getByRole("textbox", { name: "Upload link" }).inputValue());
          const file = { name: "given", mimeType: "text/plain", buffer: Buffer.from("x") };
          await page.locator('input[type="file"]').setInputFiles([file]);
          await page.getByText("1 file sent").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["given", "k"]);
        });
      },
    },
    {
      name: "the permanent address of a public object is offered",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/k`, "public");
        const policy = {
          Statement: [
            { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` },
          ],
        };
        await s3(stage, "DELETE", `/${bucket}?publicAccessBlock`);
        await s3(stage, "PUT", `/${bucket}?policy`, JSON.stringify({ Version: "2012-10-17", ...policy }));
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "k", "share"));
          await page.getByText("Everyone can read this object").waitFor();
          assert.equal(await (await fetch(await page.locator("section code").innerText())).text(), "public");
        });
      },
    },
    {
      name: "a guest uploads with a link, within its prefix, size and time, without signing in",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/in/seed`, "1");
        let url = "";
        await withPage(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "in/seed", "share"));
          const section = page.locator("section").filter({ has: page.getByRole("heading", { name: "Upload link" }) });
          assert.equal(await section.getByLabel("Keys begin with").inputValue(), "in/");
          await section.getByLabel("Largest file, in MiB").fill("1");
          await section.getByRole("button", { name: "Make an upload link" }).click();
          url = await section.getByRole("textbox", { name: "Upload link" }).inputValue();
        });
        assert.ok(!url.includes("secret"));
        await withPage(
          stage,
          async (page) => {
            await page.goto(url);
            const field = page.locator('input[type="file"]');
            await field.waitFor();
            await assertAccessible(page);
            await assertNoSidewaysScroll(page);
            await field.setInputFiles([
              { name: "né w.txt", mimeType: "text/plain", buffer: Buffer.from("from a guest") },
              { name: "big.bin", mimeType: "", buffer: Buffer.alloc(1024 * 1024 + 1) },
            ]);
            await page.getByText("1 file sent").waitFor();
            await page.getByText("The file is larger than 1 MiB.").waitFor();
            assert.deepEqual(await keysOf(stage, bucket), ["in/né w.txt", "in/seed"]);
            const stored = await s3(stage, "GET", `/${bucket}/in/n%C3%A9%20w.txt`);
            assert.equal(await stored.text(), "from a guest");
            assert.equal(stored.headers.get("content-type"), "text/plain");
          },
          { width: 360 },
        );
        // The server enforces what the page only explains: here with another prefix, and a larger size.
        const encoded = new URLSearchParams(url.slice(url.indexOf("?") + 1)).get("link") ?? "";
        const link: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString());
        const changed = { ...Object(link), prefix: "out/", mostBytes: 5 * 1024 * 1024 };
        const forged = Buffer.from(JSON.stringify(changed)).toString("base64url");
        await withPage(stage, async (page) => {
          await page.goto(`${url.slice(0, url.indexOf("?"))}?link=${forged}`);
          const file = { name: "x", mimeType: "text/plain", buffer: Buffer.from("x") };
          await page.locator('input[type="file"]').setInputFiles([file]);
          await page.getByRole("alert").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["in/né w.txt", "in/seed"]);
        });
        // An expired link shows that, also when it expires while the page is open. A wrong clock changes nothing.
        const place = url.slice(0, url.indexOf("?"));
        const ending = (until: number): string =>
          Buffer.from(JSON.stringify({ ...Object(link), until })).toString("base64url");
        await withPage(stage, async (page) => {
          await page.goto(`${place}?link=${ending(Date.now() - 60_000)}`);
          await page.getByRole("heading", { name: "This link has ended" }).waitFor();
          await page.getByText("Ask for a new one where you got it.").waitFor();
          assert.equal(await page.locator('input[type="file"]').count(), 0);
          await assertAccessible(page);
        });
        await withPage(stage, async (page) => {
          await page.addInitScript(() => {
            const now = Date.now;
            Date.now = () => now() + 3 * 86_400_000 + Number(Reflect.get(globalThis, "passed") ?? 0);
          });
          await page.goto(url);
          await page.locator('input[type="file"]').waitFor();
          await page.route(`**/${bucket}`, (route) =>
            route.fulfill({
              status: 403,
              body: "<Error><Message>Invalid according to Policy: Policy expired.</Message></Error>",
            }),
          );
          await page.evaluate("globalThis.passed = 30 * 86_400_000");
          const file = { name: "late", mimeType: "text/plain", buffer: Buffer.from("x") };
          await page.locator('input[type="file"]').setInputFiles([file]);
          await page.getByText("This link has ended. Ask for a new one where you got it.").waitFor();
        });
        await withPage(stage, async (page) => {
          await page.goto(`${stage.url}/_/console/#/drop?link=nonsense`);
          await page.getByRole("heading", { name: "This link is not complete" }).waitFor();
        });
      },
    },
  ]);
}
