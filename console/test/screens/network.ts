// A lost network, a session that ends, a wrong clock and a bucket that vanishes while objects are listed.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { Caller } from "../../../scripts/tenancy/caller.ts";
import { assertAccessible, consoleUrl, fillCredentials, signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, keysOf, s3, type Stage } from "../support/stage.ts";

const DAY_MS = 86_400_000;

export function networkSuite(stage: Stage): Suite {
  return suiteOf("network", [
    {
      name: "a page of a listing that fails offline is requested again without losing those before it",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          await servePages(page, bucket, 4);
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "p0-000.txt" }).waitFor();
          await page.context().setOffline(true);
          await page.getByLabel("Filter this folder").fill("p3-999");
          await page.getByText("The server cannot be reached.").waitFor();
          await page.getByText("0 entries so far").waitFor();
          await page.context().setOffline(false);
          await page.getByRole("button", { name: "Try again" }).click();
          await page.getByRole("link", { name: "p3-999.txt" }).waitFor();
          await page.getByLabel("Filter this folder").fill("");
          await page.getByText("4,000 entries", { exact: true }).waitFor();
        }),
    },
    {
      name: "credentials that expire during work lead to the sign-in and back to the same folder",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          await s3(stage, "PUT", `/${bucket}/a/b/c.txt`, "1");
          await signIn(stage, page, `#/buckets/${bucket}/objects?prefix=a%2F`);
          await page.getByRole("link", { name: "b/" }).waitFor();
          await page.route(`**/${bucket}?*`, (route) => refuse(route, 400, "ExpiredToken"));
          await page.getByRole("link", { name: "b/" }).click();
          await page.getByText("The temporary credentials have expired.").waitFor();
          await page.unroute(`**/${bucket}?*`);
          await page.getByRole("button", { name: "Sign in again" }).click();
          await page.getByText("The session has ended.").waitFor();
          await fillCredentials(page);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByRole("link", { name: "c.txt" }).waitFor();
          assert.match(page.url(), /prefix=a%2Fb%2F$/);
        }),
    },
    {
      name: "credentials that expire during uploads pause the queue, which continues after the same principal has signed in",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          const temporary = await temporaryKeys(stage);
          await page.goto(consoleUrl(stage, `#/buckets/${bucket}/objects`));
          await fillCredentials(page, temporary);
          await page.getByLabel("Session token").fill(temporary.sessionToken);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByText("No objects here").waitFor();
          await page.getByRole("button", { name: "Create folder" }).click();
          const name = page.getByLabel("Name of the folder");
          await name.fill("typed");
          let [parts, isExpired] = [0, true];
          await page.route("**/*", (route) => {
            const method = route.request().method();
            if (method === "PUT" && route.request().url().includes("partNumber=")) parts += 1;
            const refuses =
              isExpired && method === "PUT" && (parts > 1 || !route.request().url().includes("partNumber="));
            return refuses ? refuse(route, 400, "ExpiredToken") : route.continue();
          });
          // What is typed is still in the dialog after the next sign-in, and is sent with the new credentials.
          await page.keyboard.press("Enter");
          const dialog = page.getByRole("dialog", { name: "Create folder" });
          await dialog.getByText("The temporary credentials have expired.").waitFor();
          await dialog.getByRole("button", { name: "Sign in again" }).click();
          await signInAgain(page, temporary);
          isExpired = false;
          assert.equal(await name.inputValue(), "typed");
          await dialog.getByRole("button", { name: "Create" }).click();
          await page.getByRole("link", { name: "typed/" }).waitFor();
          isExpired = true;
          const big = { name: "big.bin", mimeType: "", buffer: Buffer.alloc(40 * 1024 * 1024, 7) };
          const small = { name: "small.txt", mimeType: "", buffer: Buffer.from("1") };
          await page.locator('input[type="file"][multiple]').last().setInputFiles([big, small]);
          await page.getByText("The session has ended.").nth(1).waitFor();
          assert.equal(await page.getByText("Something unexpected").count(), 0);
          assert.deepEqual(await keysOf(stage, bucket), ["typed/"]);
          isExpired = false;
          await page.getByRole("button", { name: "Sign in again" }).first().click();
          await signInAgain(page, temporary);
          await page.getByText("All uploads are done").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), ["big.bin", "small.txt", "typed/"]);
          const stored = await (await s3(stage, "GET", `/${bucket}/big.bin`)).arrayBuffer();
          assert.ok(Buffer.from(stored).equals(big.buffer));
        }),
    },
    {
      name: "a sign-out with uploads in progress asks first, and then ends them",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByText("No objects here").waitFor();
          await page.route(`**/${bucket}/slow.txt*`, () => new Promise(() => undefined));
          const file = { name: "slow.txt", mimeType: "", buffer: Buffer.from("1") };
          await page.locator('input[type="file"][multiple]').last().setInputFiles([file]);
          await page.getByText("1 of 1 uploads is open").waitFor();
          await page.getByRole("button", { name: /^Account/ }).click();
          await page.getByRole("button", { name: "Sign out" }).click();
          await page.getByText("1 upload is not complete, and stops.").waitFor();
          await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
          await page.getByRole("heading", { name: "Sign in" }).waitFor();
          await fillCredentials(page);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByText("No objects here").waitFor();
          assert.equal(await page.getByText("slow.txt").count(), 0);
        }),
    },
    {
      name: "credentials that expire during a move leave every object in one of the two places",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          const keys = Array.from({ length: 20 }, (_, index) => `k${String(index).padStart(2, "0")}`);
          for (const key of keys) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          let renames = 0;
          await page.route("**/*renameObject*", (route) => {
            renames += 1;
            return renames > 8 ? refuse(route, 400, "ExpiredToken") : route.continue();
          });
          await page.getByRole("button", { name: "Move", exact: true }).click();
          await page.getByLabel("Into the folder").fill("to");
          await page.keyboard.press("Enter");
          await page.getByText("8 objects moved").waitFor();
          await page
            .getByText("12 objects stayed. The first reason: The temporary credentials have expired.")
            .waitFor();
          const left = await keysOf(stage, bucket);
          assert.deepEqual(left.map((key) => key.replace("to/", "")).toSorted(), keys);
          assert.equal(left.filter((key) => key.startsWith("to/")).length, 8);
          await page.unroute("**/*renameObject*");
          await page.getByRole("button", { name: "Sign in again" }).click();
          await page.getByText("The session has ended.").waitFor();
        }),
    },
    {
      name: "a move that lost the network continues where it stopped",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          const keys = Array.from({ length: 20 }, (_, index) => `k${String(index).padStart(2, "0")}`);
          for (const key of keys) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
          let renames = 0;
          await page.route("**/*renameObject*", (route) => {
            renames += 1;
            return renames > 8 ? route.abort("internetdisconnected") : route.continue();
          });
          await page.getByRole("button", { name: "Move", exact: true }).click();
          await page.getByLabel("Into the folder").fill("to");
          await page.keyboard.press("Enter");
          await page.getByText("12 objects stayed. The first reason: The server cannot be reached.").waitFor();
          assert.ok(renames < 20, `${renames} were tried without a network`);
          await page.unroute("**/*renameObject*");
          await page.getByRole("button", { name: "Try again" }).click();
          await page.getByText("12 objects moved").waitFor();
          assert.deepEqual(
            await keysOf(stage, bucket),
            keys.map((key) => `to/${key}`),
          );
        }),
    },
    ...[-2, 2].map((days) => ({
      name: `a device whose clock is ${days} days off lists, downloads and deletes`,
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          await s3(stage, "PUT", `/${bucket}/one.txt`, "content");
          await page.clock.install({ time: Date.now() + days * DAY_MS });
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("checkbox", { name: "Select one.txt" }).check();
          const [file] = await Promise.all([
            page.waitForEvent("download"),
            page.getByRole("button", { name: "Download", exact: true }).click(),
          ]);
          assert.equal(file.suggestedFilename(), "one.txt");
          await file.path();
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
          await page.getByText("No objects here").waitFor();
          assert.deepEqual(await keysOf(stage, bucket), []);
        }),
    })),
    {
      name: "a bucket that vanishes while it is shown is named, with a link to the list of buckets",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          await s3(stage, "PUT", `/${bucket}/one`, "1");
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("link", { name: "one" }).waitFor();
          await s3(stage, "DELETE", `/${bucket}/one`);
          await s3(stage, "DELETE", `/${bucket}`);
          await page.getByRole("button", { name: "Reload" }).click();
          await page.getByText(`The bucket ${bucket} does not exist, or no longer.`).waitFor();
          await page.getByRole("link", { name: "Show the buckets" }).click();
          await page.getByRole("heading", { name: "Buckets" }).waitFor();
        }),
    },
  ]);
}

async function signInAgain(page: Page, keys: Awaited<ReturnType<typeof temporaryKeys>>): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.waitFor();
  await assertAccessible(page);
  await fillCredentials(page, keys);
  await dialog.getByLabel("Session token").fill(keys.sessionToken);
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Temporary credentials of root. */
async function temporaryKeys({ url }: Stage) {
  const root = new Caller({ endpoint: url, region: "auto" }, CREDENTIALS);
  const xml = await root.sts("GetSessionToken", {});
  const at = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(xml)?.[1] ?? "";
  const [accessKeyId, secretAccessKey] = [at("AccessKeyId"), at("SecretAccessKey")];
  return { accessKeyId, secretAccessKey, sessionToken: at("SessionToken") };
}

type Route = Parameters<Parameters<Page["route"]>[1]>[0];

function refuse(route: Route, status: number, code: string): Promise<void> {
  const body = `<Error><Code>${code}</Code><Message>The provided token has expired.</Message></Error>`;
  return route.fulfill({ status, contentType: "application/xml", body });
}

/** Answers listings of a bucket with pages of 1000 invented objects, unless the page is offline. */
async function servePages(page: Page, bucket: string, pages: number): Promise<void> {
  const contents = (number: number): string =>
    Array.from({ length: 1000 }, (_, index) => {
      const key = `p${number}-${String(index).padStart(3, "0")}.txt`;
      return `<Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
    }).join("");
  await page.route(`**/${bucket}?*list-type*`, async (route) => {
    if ((await page.evaluate("navigator.onLine")) !== true) return route.abort("internetdisconnected");
    const number = Number(new URL(route.request().url()).searchParams.get("continuation-token") ?? 0);
    const next = number + 1 < pages ? `<NextContinuationToken>${number + 1}</NextContinuationToken>` : "";
    const body = `<ListBucketResult>${next}${contents(number)}</ListBucketResult>`;
    return route.fulfill({ status: 200, contentType: "application/xml", body });
  });
}
