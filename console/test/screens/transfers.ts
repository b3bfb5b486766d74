// Downloads of objects, folders and selections; moves and copies, their conflicts and their undo.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, newUser, s3, type Stage } from "../support/stage.ts";

export function transfersSuite(stage: Stage): Suite {
  const fill = async (keys: readonly string[], options: { isVersioned?: boolean } = {}): Promise<string> => {
    const bucket = await freshBucket(stage, options);
    for (const key of keys) await s3(stage, "PUT", `/${bucket}/${encodeURIComponent(key)}`, `content of ${key}`);
    return bucket;
  };
  return suiteOf("transfers", [
    {
      name: "an object, a folder and a selection are downloaded",
      run: async () => {
        const bucket = await fill(["a/1.txt", "a/b/2.txt", "line\nbreak", "top 'ü'.html", "x&<>.txt"]);
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await select(page, "top 'ü'.html");
          assert.deepEqual(await download(page, "Download"), ["top 'ü'.html", "content of top 'ü'.html"]);
          await page.getByRole("button", { name: "Clear the selection" }).click();
          await select(page, "a/");
          const folder = await downloadZip(page);
          assert.deepEqual(folder, { "a/1.txt": "content of a/1.txt", "a/b/2.txt": "content of a/b/2.txt" });
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          await assertAccessible(page);
          const all = await downloadZip(page);
          assert.equal(Object.keys(all).length, 5);
          assert.equal(all["x&<>.txt"], "content of x&<>.txt");
          assert.ok(Object.values(all).includes("content of line\nbreak"), JSON.stringify(all));
        });
      },
    },
    {
      name: "more objects than one ZIP takes come as several, after a question, and one that is too large is halved",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/dir/x`, "1");
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "dir/" }).waitFor();
          const tooMany = "<Error><Code>InvalidRequest</Code><MaxReadsAllowed>10000</MaxReadsAllowed></Error>";
          // 12,000 invented keys, of which the server takes at most 6000 into one archive.
          await page.route(`**/${bucket}?*list-type*`, (route) => {
            const number = Number(new URL(route.request().url()).searchParams.get("continuation-token") ?? 0);
            const contents = Array.from(
              { length: 1000 },
              (_, index) => `<Contents><Key>dir/${number}-${index}</Key></Contents>`,
            );
            const next = number < 11 ? `<NextContinuationToken>${number + 1}</NextContinuationToken>` : "";
            return route.fulfill({
              status: 200,
              body: `<ListBucketResult>${next}${contents.join("")}</ListBucketResult>`,
            });
          });
          const sent: string[][] = [];
          await page.context().route(`**/${bucket}?*zip*`, (route) => {
            if (route.request().method() !== "POST") return route.fulfill({ status: 400, body: tooMany });
            const keys = (route.request().postData() ?? "").match(/<Key>[^<]*/g) ?? [];
            if (keys.length > 6000) return route.fulfill({ status: 400, body: tooMany });
            if (route.request().isNavigationRequest()) sent.push(keys);
            const disposition = new URL(route.request().url()).searchParams.get("response-content-disposition") ?? "";
            return route.fulfill({ status: 200, headers: { "content-disposition": disposition }, body: "PK" });
          });
          const names: string[] = [];
          page.on("download", (file) => names.push(file.suggestedFilename()));
          await select(page, "dir/");
          await page.getByRole("button", { name: "Download as ZIP" }).click();
          await page.getByText("12,000 objects are more than one ZIP takes.").waitFor();
          assert.deepEqual(sent, []);
          await page.getByRole("button", { name: "Download them" }).click();
          await page.getByText("ZIP 3 begins, with 2,000 objects.").waitFor();
          while (names.length < 3) await page.waitForEvent("download");
          assert.deepEqual(
            names.toSorted(),
            [1, 2, 3].map((number) => `${bucket}-${number}.zip`),
          );
          assert.equal(new Set(sent.flat()).size, 12_000);
        });
      },
    },
    {
      name: "an archive with an object that may not be read is refused with the reason",
      run: async () => {
        const bucket = await fill(["a/1", "a/2", "b"]);
        const arn = `arn:aws:s3:::${bucket}`;
        const keys = await newUser(stage, {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Action: "s3:*", Resource: [arn, `${arn}/*`] },
            { Effect: "Deny", Action: "s3:GetObject", Resource: `${arn}/a/2` },
          ],
        });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`, keys);
          await select(page, "a/");
          await page.getByRole("button", { name: "Download as ZIP" }).click();
          await page.getByText("You are not allowed to do this.").waitFor();
          await select(page, "b");
          await page.getByRole("button", { name: "Download as ZIP" }).click();
          await page.getByText("You are not allowed to do this.").nth(1).waitFor();
        });
      },
    },
    {
      name: "a selection is moved into a folder without replacing existing objects, and undo moves it back",
      run: async () => {
        const bucket = await fill(["a/1", "a/deep/2", "b", "new/b"]);
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await select(page, "a/");
          await select(page, "b");
          await page.getByRole("button", { name: "Move", exact: true }).click();
          const dialog = page.getByRole("dialog", { name: "Move 2 entries" });
          await assertAccessible(page);
          await dialog.getByLabel("Into the folder").fill("new");
          await page.keyboard.press("Enter");
          await page.getByText("new/b exists at the target.").waitFor();
          await page.getByText("2 objects moved").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["b", "new/a/1", "new/a/deep/2", "new/b"]);
          assert.equal(await (await s3(stage, "GET", `/${bucket}/new/b`)).text(), "content of new/b");
          await page.getByRole("button", { name: "Undo" }).click();
          await page.getByText("2 objects moved back").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["a/1", "a/deep/2", "b", "new/b"]);
          await page.getByRole("button", { name: "Replace" }).click();
          await page.getByText("1 object moved").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["a/1", "a/deep/2", "new/b"]);
          assert.equal(await (await s3(stage, "GET", `/${bucket}/new/b`)).text(), "content of b");
        });
      },
    },
    {
      name: "a bucket with versions moves by copy and deletion, and a folder can be moved into itself",
      run: async () => {
        const bucket = await fill(["a/1", "a/2"], { isVersioned: true });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await select(page, "a/");
          await page.getByRole("button", { name: "Move", exact: true }).click();
          await page.getByLabel("Into the folder").fill("a/sub/");
          await page.keyboard.press("Enter");
          await page.getByText("2 objects moved").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["a/sub/a/1", "a/sub/a/2"]);
        });
      },
    },
    {
      name: "a copy into another bucket is undone without touching existing objects",
      run: async () => {
        const [source, target] = [await fill(["1", "2"]), await fill(["to/2"], { isVersioned: true })];
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${source}/objects`);
            await page.getByRole("checkbox", { name: "选择已列出的全部条目" }).check();
            await page.getByRole("button", { name: "复制", exact: true }).click();
            await page.getByLabel("目标存储桶").fill(target);
            await page.getByLabel("目标文件夹").fill("to");
            await assertNoSidewaysScroll(page);
            await page.keyboard.press("Enter");
            await page.getByText("已复制 1 个对象").waitFor();
            assert.deepEqual(await keysOf(stage, target), ["to/1", "to/2"]);
            await page.getByRole("button", { name: "撤销" }).click();
            await page.getByText("已移除 1 个副本").waitFor();
            assert.deepEqual(await keysOf(stage, target), ["to/2"]);
            assert.deepEqual(await keysOf(stage, source), ["1", "2"]);
          },
          { width: 360, language: "zh-CN" },
        );
      },
    },
    {
      name: "a bucket that does not exist keeps everything in its place",
      run: async () => {
        const bucket = await fill(["1", "2"]);
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          await page.getByRole("button", { name: "Move", exact: true }).click();
          await page.getByLabel("To the bucket").fill("no-such-bucket-at-all");
          await page.keyboard.press("Enter");
          await page.getByText("2 objects stayed.").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["1", "2"]);
        });
      },
    },
  ]);
}

async function select(page: Page, name: string): Promise<void> {
  await page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
}

/** The name and the content of a download. */
async function download(page: Page, button: string): Promise<[string, string]> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button, exact: true }).click(),
  ]);
  return [file.suggestedFilename(), readFileSync(await file.path(), "utf8")];
}

const LIST_ZIP = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
print(json.dumps({name: archive.read(name).decode() for name in archive.namelist()}))
`;

/** The contents of a downloaded ZIP by name. */
async function downloadZip(page: Page): Promise<Record<string, string>> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download as ZIP" }).click(),
  ]);
  assert.match(file.suggestedFilename(), /\.zip$/);
  const contents: Record<string, string> = JSON.parse(
    execFileSync("python3", ["-c", LIST_ZIP, await file.path()], { encoding: "utf8" }),
  );
  return contents;
}
