// The permanent addresses of public objects: of a row, a selection, a folder and a bucket, on the endpoint and on a delivery
// host. The responses for a reader without credentials are requested without the browser.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { startCairn } from "../../../test/clients/cairn-process.ts";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoJumps, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, newUser, s3, type Stage } from "../support/stage.ts";
import { objectPlace } from "./object.ts";

/** Keys whose addresses need care, all below `open/`. */
const KEYS = ["open/#?&=.txt", "open/%2e%2e", "open/a b+c%20.txt", "open/a//b", "open/图 é.txt"];

export function publicAddressesSuite(stage: Stage): Suite {
  return suiteOf("public addresses", [
    {
      name: "a row, a selection and a key of the keyboard copy addresses that everyone can read, and only those",
      run: async () => {
        const bucket = await publicBucket(stage, [
          allow(["open/*"]),
          // Neither who signs nor who has a variable's value reads without credentials.
          { ...allow(["private/*"]), Principal: { AWS: "arn:aws:iam::000000000000:root" } },
          { ...allow(["home/*"]), Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } } },
          { Effect: "Deny", Principal: "*", Action: "s3:Get*", Resource: arnOf("open/secret?") },
        ]);
        for (const key of [...KEYS, "open/secret1", "private/x", "home/x"]) await put(stage, bucket, key);
        await putUnreachable(stage, bucket, "open/../x");
        await withClipboard(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/objects?prefix=open%2F`);
          await page.getByRole("button", { name: "Copy public address of a b+c%20.txt" }).click();
          await page.getByText("1 public address copied.").waitFor();
          assert.equal(await copied(page), addressOf(stage, bucket, "open/a b+c%20.txt"));
          assert.equal(await page.getByRole("button", { name: "Copy public address of secret1" }).count(), 0);
          await assertAccessible(page);
          await assertNoJumps(page);
          // Folders and what is private are rows, too.
          await page.keyboard.press("a");
          await page.locator(".selection-bar").getByRole("button", { name: "Copy public addresses" }).click();
          await page.getByText(/public addresses copied\. 2 objects have no public address\.$/).waitFor();
          const lines = (await copied(page)).split("\n").toSorted();
          assert.deepEqual(lines, KEYS.map((key) => addressOf(stage, bucket, key)).toSorted());
          for (const key of KEYS) {
            assert.equal(await (await fetch(addressOf(stage, bucket, key))).text(), key);
          }
          await page.keyboard.press("a");
          await page.keyboard.press("Home");
          await page.keyboard.press("p");
          await page.getByText("1 public address copied.").nth(1).waitFor();
          assert.equal(await copied(page), addressOf(stage, bucket, "open/#?&=.txt"));
          await page.keyboard.press("?");
          await page.getByRole("dialog").getByText("Copy the public address of what is selected").waitFor();
          await page.keyboard.press("Escape");
          await page.goto(`${stage.url}/_/console/#/buckets/${bucket}/search?text=open`);
          await page.getByRole("button", { name: "Copy public address of open/a b+c%20.txt" }).waitFor();
          await page.getByText("open/secret1").waitFor();
          assert.equal(await page.getByRole("button", { name: /^Copy public address/ }).count(), KEYS.length);
        });
      },
    },
    {
      name: "a button copies the addresses of everything below the shown folder, and another one their beginning",
      run: async () => {
        const bucket = await publicBucket(stage, [allow(["a/*", "b.txt"])]);
        const keys = ["a/1", "a/deep/2", "b.txt"];
        for (const key of [...keys, "c.txt"]) await put(stage, bucket, key);
        await s3(stage, "PUT", `/${bucket}/a/empty/`, "");
        await withClipboard(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects`);
            await page.getByRole("button", { name: "复制全部公开地址" }).click();
            await page.getByText("已复制 3 个公开地址。 1 个对象没有公开地址。").waitFor();
            assert.equal(await copied(page), keys.map((key) => addressOf(stage, bucket, key)).join("\n"));
            await page.getByRole("button", { name: "复制基础地址" }).click();
            await page.getByText(`已复制：${stage.url}/${bucket}/`).waitFor();
            assert.equal(await copied(page), `${stage.url}/${bucket}/`);
            await assertNoSidewaysScroll(page);
            await page.getByRole("link", { name: "a/", exact: true }).click();
            await page.getByRole("link", { name: "deep/" }).waitFor();
            await page.getByRole("button", { name: "复制全部公开地址" }).click();
            await page.getByText("已复制 2 个公开地址。").waitFor();
            const below = keys.slice(0, 2).map((key) => addressOf(stage, bucket, key));
            assert.equal(await copied(page), below.join("\n"));
          },
          { width: 360, language: "zh-CN" },
        );
      },
    },
    {
      name: "more than 10,000 objects are cut with a sentence, and a browser that refuses gets a button that copies",
      run: async () => {
        const bucket = await publicBucket(stage, [allow(["*"])]);
        await put(stage, bucket, "k");
        await withClipboard(stage, async (page) => {
          let pages = 0;
          await page.route(
            (url) => url.searchParams.has("list-type") && !url.searchParams.has("delimiter"),
            (route) => {
              pages += 1;
              const contents = Array.from({ length: 1000 }, (_, index) => `${pages}-${index}`).map(
                (key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`,
              );
              const body = `<ListBucketResult>${contents.join("")}<NextContinuationToken>t</NextContinuationToken></ListBucketResult>`;
              return route.fulfill({ contentType: "application/xml", body });
            },
          );
          await page.addInitScript(() => {
            const write = navigator.clipboard.writeText.bind(navigator.clipboard);
            let refusals = 1;
            navigator.clipboard.writeText = (text) => {
              refusals -= 1;
              return refusals < 0 ? write(text) : Promise.reject(new Error("no click"));
            };
          });
          await signIn(stage, page, `#/buckets/${bucket}/objects`);
          await page.getByRole("button", { name: "Copy all public addresses" }).click();
          const refusal = page.getByText("The browser did not let the page copy by itself.");
          await refusal.waitFor();
          await page.getByRole("button", { name: "Copy", exact: true }).click();
          await page
            .getByText("10,000 public addresses copied. Only the first 10,000 objects were taken. Open a folder")
            .waitFor();
          const lines = (await copied(page)).split("\n");
          assert.deepEqual([lines.length, pages], [10_000, 11]);
          assert.equal(lines[0], addressOf(stage, bucket, "1-0"));
        });
      },
    },
    {
      name: "nothing is offered where a block, a denial or the policy's absence keeps everyone out, or the caller may not know",
      run: async () => {
        const blocked = await publicBucket(stage, [allow(["*"])]);
        const block = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>";
        await s3(stage, "PUT", `/${blocked}?publicAccessBlock`, `${block}</PublicAccessBlockConfiguration>`);
        const denied = await publicBucket(stage, [
          allow(["*"]),
          {
            Effect: "Deny",
            NotPrincipal: { AWS: "arn:aws:iam::000000000000:root" },
            NotAction: "s3:Put*",
            Resource: arnOf("*"),
          },
        ]);
        const hidden = await publicBucket(stage, [allow(["*"])]);
        const plain = await freshBucket(stage);
        const listing = { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetObject"], Resource: "*" };
        const user = await newUser(stage, { Version: "2012-10-17", Statement: [listing] });
        for (const [bucket, credentials] of [
          [blocked, CREDENTIALS],
          [denied, CREDENTIALS],
          [plain, CREDENTIALS],
          [hidden, user],
        ] as const) {
          await put(stage, bucket, "k");
          await withClipboard(stage, async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/objects`, credentials);
            await page.getByRole("link", { name: "k", exact: true }).waitFor();
            await page.waitForLoadState("networkidle");
            assert.equal(await page.getByRole("button", { name: /^Copy (?:all )?public|^Copy base/ }).count(), 0);
            await page.keyboard.press("j");
            await page.keyboard.press("p");
            assert.equal(await page.getByText(/copied/).count(), 0);
          });
        }
      },
    },
    {
      name: "the page of an object copies the address where everyone can read it, by a policy or by an ACL",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "DELETE", `/${bucket}?publicAccessBlock`);
        const ownership =
          "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
        await s3(stage, "PUT", `/${bucket}?ownershipControls`, ownership);
        await s3(stage, "PUT", `/${bucket}/open%20%2B`, "by an ACL", { "x-amz-acl": "public-read" });
        await put(stage, bucket, "closed");
        await withClipboard(stage, async (page) => {
          await signIn(stage, page, objectPlace(bucket, "open +"));
          await page.getByRole("button", { name: "Copy public address" }).click();
          await page.getByText("1 public address copied.").waitFor();
          assert.equal(await (await fetch(await copied(page))).text(), "by an ACL");
          await assertAccessible(page);
          await page.goto(`${stage.url}/_/console/${objectPlace(bucket, "closed")}`);
          await page.getByRole("heading", { name: "closed" }).waitFor();
          await page.waitForLoadState("networkidle");
          assert.equal(await page.getByRole("button", { name: "Copy public address" }).count(), 0);
        });
      },
    },
    {
      name: "addresses are on the host of the bucket's delivery or website, where it serves the key",
      run: () =>
        withDelivery(stage, async (own) => {
          const bucket = await publicBucket(own, [allow(["*"])]);
          const delivery =
            "<DeliveryConfiguration><Host>shop.site.example.net</Host><Prefix>site/</Prefix></DeliveryConfiguration>";
          await s3(own, "PUT", `/${bucket}?delivery`, delivery);
          for (const key of ["site/a b+%é.txt", "other"]) await put(own, bucket, key);
          const { port } = new URL(own.url);
          const base = `http://shop.site.example.net:${port}/`;
          await withClipboard(own, async (page) => {
            await signIn(own, page, `#/buckets/${bucket}/objects`);
            await page.getByRole("button", { name: "Copy all public addresses" }).click();
            await page.getByText("2 public addresses copied.").waitFor();
            const [other, site = ""] = (await copied(page)).split("\n");
            assert.equal(other, addressOf(own, bucket, "other"));
            assert.equal(site, `${base}a%20b%2B%25%C3%A9.txt`);
            assert.equal(await deliveredText(own, site), "site/a b+%é.txt");
            await page.getByRole("button", { name: "Copy base address" }).click();
            await page.getByText(`Copied: ${base}`).waitFor();
            await page.goto(`${own.url}/_/console/${objectPlace(bucket, "site/a b+%é.txt", "share")}`);
            await page.locator("section code").getByText(site).waitFor();
            // Without a claim, a bucket with a website has a host of its name.
            await s3(own, "DELETE", `/${bucket}?delivery`);
            const index = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
            await s3(own, "PUT", `/${bucket}?website`, `<WebsiteConfiguration>${index}</WebsiteConfiguration>`);
            await page.goto(`${own.url}/_/console/${objectPlace(bucket, "other")}`);
            await page.getByRole("heading", { name: "other" }).waitFor();
            await page.getByRole("button", { name: "Copy public address" }).click();
            await page.getByText("1 public address copied.").waitFor();
            assert.equal(await copied(page), `http://${bucket}.site.example.net:${port}/other`);
            assert.equal(await deliveredText(own, await copied(page)), "other");
            // A host that sends visitors elsewhere has no address for the object.
            const redirect = "<RedirectAllRequestsTo><HostName>example.org</HostName></RedirectAllRequestsTo>";
            await s3(own, "PUT", `/${bucket}?website`, `<WebsiteConfiguration>${redirect}</WebsiteConfiguration>`);
            await page.reload();
            await page.goto(`${own.url}/_/console/`);
            await signIn(own, page, `#/buckets/${bucket}/objects?prefix=site%2F`);
            await page.getByRole("button", { name: "Copy public address of" }).click();
            await page.getByText("1 public address copied.").waitFor();
            assert.equal(await copied(page), addressOf(own, bucket, "site/a b+%é.txt"));
          });
        }),
    },
  ]);
}

/** What stands for the bucket in a pattern of these tests. */
const BUCKET = "BUCKET";

function arnOf(pattern: string): string {
  return `arn:aws:s3:::${BUCKET}/${pattern}`;
}

function allow(patterns: readonly string[]): Record<string, unknown> {
  return { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: patterns.map(arnOf) };
}

async function publicBucket(stage: Stage, Statement: readonly object[]): Promise<string> {
  const bucket = await freshBucket(stage);
  await s3(stage, "DELETE", `/${bucket}?publicAccessBlock`);
  const policy = JSON.stringify({ Version: "2012-10-17", Statement }).replaceAll(BUCKET, bucket);
  await s3(stage, "PUT", `/${bucket}?policy`, policy);
  return bucket;
}

/** Each object says its own key. */
async function put(stage: Stage, bucket: string, key: string): Promise<void> {
  await s3(stage, "PUT", pathOf(bucket, key), key, { "content-type": "text/plain" });
}

/** A form's key is no part of an address. */
async function putUnreachable(stage: Stage, bucket: string, key: string): Promise<void> {
  const source = "source";
  await put(stage, bucket, source);
  await s3(stage, "PUT", `/${bucket}?policy`, await openForUploads(stage, bucket));
  const form = new FormData();
  form.append("key", key);
  form.append("file", new Blob(["x"]));
  const { status } = await fetch(`${stage.url}/${bucket}`, { method: "POST", body: form });
  assert.ok(status < 300, `the form was answered with ${status}`);
}

async function openForUploads(stage: Stage, bucket: string): Promise<string> {
  const policy: unknown = await (await s3(stage, "GET", `/${bucket}?policy`)).json();
  const statements: unknown[] = Reflect.get(Object(policy), "Statement");
  const upload = { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: arnOf("*") };
  return JSON.stringify({ Version: "2012-10-17", Statement: [...statements, upload] }).replaceAll(BUCKET, bucket);
}

function pathOf(bucket: string, key: string): string {
  const encode = (text: string): string => encodeURIComponent(text).replaceAll("!", "%21");
  return `/${bucket}/${key.split("/").map(encode).join("/")}`;
}

function addressOf(stage: Stage, bucket: string, key: string): string {
  return `${stage.url}${pathOf(bucket, key)}`;
}

async function withClipboard(
  stage: Stage,
  check: (page: Page) => Promise<void>,
  options: Parameters<typeof withPage>[2] = {},
): Promise<void> {
  await withPage(
    stage,
    async (page) => {
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await check(page);
    },
    options,
  );
}

function copied(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

async function withDelivery(stage: Stage, check: (own: Stage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-console-delivery-"));
  const settings = { DELIVERY: "*.site.example.net" };
  const cairn = await startCairn({ state: join(folder, "state"), credentials: CREDENTIALS, settings });
  try {
    await check({ ...stage, url: cairn.url });
  } finally {
    await cairn.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Reads an address of a host that no name server knows. */
function deliveredText(stage: Stage, address: string): Promise<string> {
  const { host, pathname } = new URL(address);
  const { hostname, port } = new URL(stage.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: pathname, headers: { host } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject);
    sent.end();
  });
}
