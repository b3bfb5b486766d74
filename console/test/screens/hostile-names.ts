// Hostile names, in every list that shows names: they are text, stay within the page, and do not reverse other text. And
// a session leaves no secret in an address, a request's URL or the browser's storage.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, s3, type Stage } from "../support/stage.ts";

const MARKUP = "<img src=x onerror=alert(1)>";
const HOSTILE_KEYS = [
  MARKUP,
  "\u202Egnp.exe",
  "zero\u200Bwidth\u2066\u0001\uFEFF.txt",
  `${"long".repeat(250)}.txt`,
  "%2e%2e",
  "%00",
  "'\"&+%20 #?",
  "a//b",
  "javascript:alert(1)",
];

export function hostileNamesSuite(stage: Stage): Suite {
  return suiteOf("hostile names", [
    {
      name: "search, deleted keys, snapshots, uploads in progress and the pages of objects show names as text, at 360 px",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        const path = (key: string): string => `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
        for (const key of HOSTILE_KEYS) {
          await s3(stage, "PUT", path(key), "1", { "x-amz-meta-note": MARKUP });
          await s3(stage, "POST", `${path(key)}?uploads`);
        }
        await s3(stage, "PUT", `/${bucket}?snapshot=then`);
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/search?min=0`);
            const shows = async (place: string): Promise<void> => {
              await page.goto(`${page.url().split("#")[0] ?? ""}#/buckets/${place}`);
              await page.locator("main").getByText(MARKUP).first().waitFor();
              await assertHarmless(page);
            };
            await shows(`${bucket}/objects`);
            await page.getByRole("link", { name: "[U+202E]gnp.exe", exact: true }).waitFor();
            await page.getByRole("button", { name: "Actions for [U+202E]gnp.exe" }).waitFor();
            await shows(`${bucket}/search?min=0`);
            await shows(`${bucket}_then/objects`);
            await shows(`${bucket}/uploads`);
            for (const key of HOSTILE_KEYS) {
              const object = `${bucket}/object?key=${encodeURIComponent(key)}`;
              for (const tab of ["overview", "versions", "share"]) {
                await page.goto(`${page.url().split("#")[0] ?? ""}#/buckets/${object}&tab=${tab}`);
                await page.locator("main .section").first().waitFor();
                await assertHarmless(page);
              }
            }
            for (const key of HOSTILE_KEYS) await s3(stage, "DELETE", path(key));
            await shows(`${bucket}/deleted`);
            await assertAccessible(page);
            await page.goto(`${page.url().split("#")[0] ?? ""}#/buckets/${bucket}/snapshots`);
            await page.getByRole("button", { name: "Actions for then" }).click();
            await page.locator(".menu:popover-open").getByText("Compare with now").click();
            await page.getByText(`${HOSTILE_KEYS.length} keys differ.`).waitFor();
            await assertHarmless(page);
          },
          { width: 360 },
        );
      },
    },
    {
      name: "a place with hostile names is a page that shows an error",
      run: () =>
        withPage(stage, async (page) => {
          await signIn(stage, page);
          const base = page.url().split("#")[0] ?? "";
          for (const place of [
            "buckets/%2E%2E/objects",
            "buckets/..%2F_%2Fhealth/objects",
            `buckets/${encodeURIComponent(MARKUP)}/objects`,
            `users/${encodeURIComponent(MARKUP)}`,
            "buckets/%E0%A4%A/objects",
            "buckets/constructor/settings/__proto__",
          ]) {
            await page.goto(`${base}#/${place}`);
            await page.locator("main :is(.error-panel, .empty-state)").first().waitFor();
            await assertHarmless(page);
          }
        }),
    },
    {
      name: "a key with .. as a part is listed, downloaded in an archive, renamed and then opened",
      run: async () => {
        const bucket = await freshBucket(stage);
        // A copy names its source in a header, but only a POST names a target that URLs cannot.
        const form = new FormData();
        await s3(stage, "DELETE", `/${bucket}?publicAccessBlock`);
        await s3(stage, "PUT", `/${bucket}?policy`, JSON.stringify(openFor(bucket)));
        form.append("key", "up/../x.txt");
        form.append("file", new Blob(["content"]), "x.txt");
        const posted = await fetch(`${stage.url}/${bucket}`, { method: "POST", body: form });
        assert.ok(posted.ok, await posted.text());
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects?prefix=${encodeURIComponent("up/../")}`);
          await page.getByText("x.txt", { exact: true }).waitFor();
          await assertHarmless(page);
          assert.equal(await page.getByRole("link", { name: "x.txt" }).count(), 0);
          await page.goto(`${page.url().split("#")[0] ?? ""}#/buckets/${bucket}/search?text=x.txt`);
          await page.getByRole("button", { name: "Actions for up/../x.txt" }).click();
          await page.locator(".menu:popover-open").getByText("Rename").click();
          await page.getByLabel("New name").fill("x.txt");
          await page.keyboard.press("Enter");
          await page.getByText("1 object moved").last().waitFor();
          await page.getByRole("link", { name: "x.txt", exact: true }).click();
          await page.getByRole("heading", { name: "x.txt", level: 1 }).waitFor();
          assert.equal(await (await s3(stage, "GET", `/${bucket}/x.txt`)).text(), "content");
        });
      },
    },
    {
      name: "the secret is in no address, no request's URL, no storage and no entry of the history",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/k.txt`, "1");
        await withPage(stage, async (page) => {
          const urls: string[] = [];
          page.on("request", (request) => urls.push(request.url()));
          page.on("framenavigated", (frame) => urls.push(frame.url()));
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "k.txt" }).click();
          for (const tab of ["Preview", "Versions", "Share"]) {
            await page.getByRole("link", { name: tab, exact: true }).click();
            await page.locator("main .section").first().waitFor();
          }
          await page.getByRole("button", { name: "Make an upload link" }).click();
          const link = await page.getByRole("textbox", { name: "Upload link" }).inputValue();
          const encoded = new URLSearchParams(link.slice(link.indexOf("?") + 1)).get("link") ?? "";
          await page.goBack();
          await page.goBack();
          const stored = await page.evaluate(
            "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state])",
          );
          const texts = [...urls, link, Buffer.from(encoded, "base64url").toString(), String(stored)];
          const secret = CREDENTIALS.secretAccessKey;
          const forms = [secret, encodeURIComponent(secret), secret.replaceAll(" ", "+"), btoa(secret)];
          assert.deepEqual(
            texts.filter((text) => forms.some((form) => text.includes(form))),
            [],
          );
        });
      },
    },
  ]);
}

/**
 * No element and no script came out of a name, no character of a name is hidden or turns others around, and the page is as
 * wide as its window.
 */
async function assertHarmless(page: Page): Promise<void> {
  assert.equal(await page.locator('img[src="x"], a[href^="javascript:"]').count(), 0);
  const texts = await page.evaluate(() => [
    document.title,
    document.body.innerText,
    ...Array.from(document.querySelectorAll("[title], [aria-label]"), (element) =>
      [element.getAttribute("title"), element.getAttribute("aria-label")].join(" "),
    ),
  ]);
  assert.deepEqual(
    texts.filter((text) => /[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(text)),
    [],
  );
  await assertNoSidewaysScroll(page);
}

function openFor(bucket: string): object {
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` }];
  return { Version: "2012-10-17", Statement };
}
