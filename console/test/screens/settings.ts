// The tabs of a bucket's settings: the server stores what a tab saves, and refusals are explained.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Check, type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoJumps, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, s3, type Stage } from "../support/stage.ts";

const TABS = [
  "versioning",
  "access",
  "policy",
  "cors",
  "lifecycle",
  "tags",
  "encryption",
  "website",
  "events",
  "usage",
] as const;

export function settingsSuite(stage: Stage): Suite {
  const on = (
    name: string,
    tab: (typeof TABS)[number],
    run: (page: Page, bucket: string) => Promise<void>,
    prepare: (bucket: string) => Promise<unknown> = () => Promise.resolve(),
  ): Check => ({
    name,
    run: async () => {
      const bucket = await freshBucket(stage);
      await prepare(bucket);
      await withPage(stage, async (page) => {
        await signIn(stage, page, `#/buckets/${bucket}/settings/${tab}`);
        await page.locator(".setting").first().waitFor();
        await run(page, bucket);
      });
    },
  });
  const stored = async (bucket: string, name: string): Promise<string> =>
    (await s3(stage, "GET", `/${bucket}?${name}`)).text();
  const save = (page: Page, nth = 0): Promise<void> => page.getByRole("button", { name: "Save" }).nth(nth).click();

  return suiteOf("settings", [
    on("versions are turned on and suspended", "versioning", async (page, bucket) => {
      await page.getByRole("button", { name: "Turn versions on" }).click();
      await page.getByText("Versions are on. Overwriting").waitFor();
      assert.match(await stored(bucket, "versioning"), /<Status>Enabled/);
      await page.getByRole("button", { name: "Suspend versions" }).click();
      await page.getByText("Versions are suspended. Earlier").waitFor();
      assert.match(await stored(bucket, "versioning"), /<Status>Suspended/);
    }),
    {
      name: "the default retention of a bucket with Object Lock is saved",
      run: async () => {
        const bucket = await freshBucket(stage, { hasObjectLock: true });
        await withPage(stage, async (page) => {
          await signIn(stage, page, `#/buckets/${bucket}/settings/versioning`);
          await page.getByLabel("Default retention").selectOption("GOVERNANCE");
          await page.getByLabel("Period").fill("2");
          await page.getByLabel("Unit").selectOption("Years");
          await save(page);
          await page.getByText("The default retention was saved.").waitFor();
          assert.match(await stored(bucket, "object-lock"), /<Mode>GOVERNANCE<\/Mode><Years>2<\/Years>/);
        });
      },
    },
    on("public access is blocked", "access", async (page, bucket) => {
      await page.getByText("Private").waitFor();
      await page.getByLabel("BlockPublicPolicy").check();
      await save(page);
      await page.getByText("The block of public access was saved.").waitFor();
      assert.match(await stored(bucket, "publicAccessBlock"), /<BlockPublicPolicy>true.*<RestrictPublicBuckets>false/);
    }),
    on(
      "a policy from an example is saved, tried as everyone, and removed",
      "policy",
      async (page, bucket) => {
        await page.getByRole("button", { name: "Everyone reads" }).click();
        await save(page);
        await page.getByText("The policy was saved.").waitFor();
        assert.equal((await fetch(`${stage.url}/${bucket}/example.txt`)).status, 200);
        await page.getByRole("button", { name: "Try" }).click();
        const answers = page.getByRole("table", { name: "Who may do what" });
        await answers.waitFor();
        const answerOf = (action: string): Promise<string> =>
          answers.getByRole("row").filter({ hasText: action }).getByRole("cell").first().innerText();
        assert.match(await answerOf("Read the object"), /Allowed/);
        for (const action of ["Write the object", "Delete the object", "List the objects", "Read the policy"])
          assert.match(await answerOf(action), /Refused/, action);
        await page.getByLabel("Try as").selectOption("caller");
        await page.getByRole("button", { name: "Try" }).click();
        await answers.waitFor();
        assert.equal(await answers.getByText("Refused", { exact: true }).count(), 0);
        assert.equal(await (await s3(stage, "GET", `/${bucket}/example.txt`)).text(), "unchanged");
        await page.getByRole("button", { name: "Remove" }).click();
        await page.getByText("The policy was removed.").waitFor();
      },
      (bucket) => s3(stage, "PUT", `/${bucket}/example.txt`, "unchanged"),
    ),
    on("a federated user has what the policy grants to it", "policy", async (page, bucket) => {
      const Principal = { AWS: "arn:aws:sts::000000000000:federated-user/guest" };
      const Resource = `arn:aws:s3:::${bucket}/*`;
      const Statement = [{ Effect: "Allow", Principal, Action: "s3:PutObject", Resource }];
      await page.getByLabel("Bucket policy (JSON)").fill(JSON.stringify({ Version: "2012-10-17", Statement }));
      await save(page);
      await page.getByText("The policy was saved.").waitFor();
      await page.getByLabel("Try as").selectOption("federated");
      await page.getByLabel("Name").fill("guest");
      await page.getByLabel("Key of an object").fill("missing");
      await page.getByRole("button", { name: "Try" }).click();
      const row = page.getByRole("row").filter({ hasText: "Write the object" });
      await row.getByText("Allowed").waitFor();
      await page.getByText("This object does not exist.").waitFor();
      assert.equal(await page.getByText("Refused", { exact: true }).count(), 4);
      assert.doesNotMatch(await stored(bucket, "list-type=2"), /<Key>/);
    }),
    on(
      "a policy that is no JSON, lacks an element, or that the server refuses is explained",
      "policy",
      async (page) => {
        const editor = page.getByLabel("Bucket policy (JSON)");
        await editor.fill("{");
        await page.getByText("This is not JSON").waitFor();
        await editor.fill('{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}');
        await page.getByText("Statement 1 has no Principal.").waitFor();
        assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());
        await editor.fill(
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:NoSuch","Resource":"arn:aws:s3:::x/*"}]}',
        );
        await save(page);
        await page.locator(".error-panel").waitFor();
        await assertAccessible(page);
      },
    ),
    on("CORS rules are saved, shown again and removed", "cors", async (page, bucket) => {
      await page.getByRole("button", { name: "Add a rule" }).click();
      await page.getByLabel("Origins").fill("https://a.example, https://b.example");
      await page.getByLabel("DELETE").check();
      await save(page);
      await page.getByText("The CORS rules were saved.").waitFor();
      const xml = await stored(bucket, "cors");
      assert.match(xml, /<AllowedOrigin>https:\/\/a.example<\/AllowedOrigin><AllowedOrigin>https:\/\/b.example/);
      assert.match(xml, /<AllowedMethod>DELETE/);
      await page.reload();
      await signIn(stage, page, `#/buckets/${bucket}/settings/cors`);
      assert.equal(await page.getByLabel("Origins").inputValue(), "https://a.example, https://b.example");
      await page.getByRole("button", { name: "Remove Rule 1" }).click();
      await save(page);
      await page.getByText("The CORS rules were saved.").waitFor();
      await assert.rejects(stored(bucket, "cors"), /NoSuchCORSConfiguration/);
    }),
    on(
      "a lifecycle rule is saved, and the dry run says what it would do",
      "lifecycle",
      async (page, bucket) => {
        await page.getByRole("button", { name: "Add a rule" }).click();
        await page.getByLabel("Name").fill("old");
        await page.getByLabel("Prefix").fill("tmp/");
        await page.getByLabel("Expire after days").fill("1");
        await save(page);
        await page.getByText("The lifecycle rules were saved.").waitFor();
        assert.match(await stored(bucket, "lifecycle"), /<ID>old<\/ID>.*<Days>1<\/Days>/);
        const day = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10);
        await page.getByLabel("Day", { exact: true }).fill(day);
        await page.getByRole("button", { name: "Show" }).click();
        await page.getByText("1 action,").waitFor();
        await page.getByRole("row").filter({ hasText: "tmp/a" }).getByText("Delete the object").waitFor();
        await assertAccessible(page);
      },
      async (bucket) => {
        for (const key of ["tmp/a", "kept"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
      },
    ),
    on(
      "lifecycle rules that the form cannot show stay XML",
      "lifecycle",
      async (page, bucket) => {
        const editor = page.getByLabel("Lifecycle configuration (XML)");
        const text = await editor.inputValue();
        assert.match(text, /<Tag>/);
        await editor.fill(text.replace("<Days>9</Days>", "<Days>8</Days>"));
        await save(page);
        await page.getByText("The lifecycle rules were saved.").waitFor();
        assert.match(await stored(bucket, "lifecycle"), /<Tag>.*<Days>8</);
      },
      (bucket) =>
        s3(
          stage,
          "PUT",
          `/${bucket}?lifecycle`,
          "<LifecycleConfiguration><Rule><Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>",
        ),
    ),
    on("tags are saved", "tags", async (page, bucket) => {
      await page.getByRole("button", { name: "Add a tag" }).click();
      await page.getByLabel("Name").fill("team");
      await page.getByLabel("Value").fill("a b@c");
      await save(page);
      await page.getByText("The tags were saved.").waitFor();
      assert.match(await stored(bucket, "tagging"), /<Key>team<\/Key><Value>a b@c<\/Value>/);
    }),
    on("keys of clients are refused", "encryption", async (page, bucket) => {
      await page.getByLabel("Refuse keys of clients (SSE-C)").check();
      await save(page);
      await page.getByText("The encryption was saved.").waitFor();
      assert.match(await stored(bucket, "encryption"), /SSE-C/);
    }),
    on(
      "a website is saved, and a host outside of DELIVERY is refused with the reason",
      "website",
      async (page, bucket) => {
        await page.getByLabel("Error document").fill("404.html");
        await save(page);
        await page.getByText("The website was saved.").waitFor();
        assert.match(await stored(bucket, "website"), /<Suffix>index.html<.*<Key>404.html</);
        await page.getByLabel("Hosts").fill("shop.example.net");
        await save(page, 1);
        await page.getByText("must be a subdomain of a wildcard").waitFor();
      },
    ),
    on("the feed shows an event after the feed was turned on", "events", async (page, bucket) => {
      await page.getByRole("button", { name: "Only the feed" }).click();
      await save(page);
      await page.getByText("The notifications were saved.").waitFor();
      await s3(stage, "PUT", `/${bucket}/new%20key`, "1");
      await page.getByRole("button", { name: "Show the events" }).click();
      await page.getByRole("row").filter({ hasText: "new key" }).getByText("ObjectCreated:Put").waitFor();
    }),
    on(
      "usage shows what is stored, and a quota is saved",
      "usage",
      async (page, bucket) => {
        await page.getByText("1 (5 B)").waitFor();
        await page.getByLabel("Most bytes").fill("1048576");
        await save(page);
        await page.getByText("The quota was saved.").waitFor();
        await page.getByText("Used: 5 B in 1 version.").waitFor();
        assert.match(await stored(bucket, "quota"), /<MaxBytes>1048576/);
        // The server writes its counts at intervals, so the days may or may not have some yet.
        await page.getByText("As a table").click();
        assert.equal(await page.getByRole("table", { name: "Requests by day" }).getByRole("row").count(), 31);
      },
      (bucket) => s3(stage, "PUT", `/${bucket}/a`, "12345"),
    ),
    {
      name: "counted requests are drawn, and the table says the same",
      run: async () => {
        const bucket = await freshBucket(stage);
        await withPage(stage, async (page) => {
          const day = new Date().toISOString().slice(0, 10);
          const row = `<Usage><Day>${day}</Day><AccessKeyId>A</AccessKeyId><Requests>9</Requests><ClassA>4</ClassA><ClassB>5</ClassB><Free>0</Free><Errors>1</Errors><BytesIn>2048</BytesIn><BytesOut>1048576</BytesOut></Usage>`;
          await page.route(`**/${bucket}?usage=&from=*`, (route) =>
            route.fulfill({
              contentType: "application/xml",
              body: `<GetBucketRequestUsageResult>${row}${row.replace(">A<", ">B<")}</GetBucketRequestUsageResult>`,
            }),
          );
          await signIn(stage, page, `#/buckets/${bucket}/settings/usage`);
          await page.getByText("Requests; the highest day: 18").waitFor();
          assert.equal(await page.locator(".bar-chart").count(), 3);
          await page.getByText("As a table").click();
          const cells = page.getByRole("row").filter({ hasText: day }).getByRole("cell");
          assert.deepEqual(await cells.allInnerTexts(), ["8", "10", "0", "2", "4 KiB", "2 MiB"]);
        });
      },
    },
    {
      name: "every tab has no violation of accessibility, and fits into 360 px",
      run: async () => {
        const bucket = await freshBucket(stage, { isVersioned: true });
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/buckets/${bucket}/settings/versioning`);
            for (const tab of TABS) {
              await page.evaluate((place) => {
                location.hash = place;
              }, `#/buckets/${bucket}/settings/${tab}`);
              await page.locator(`.tabs a[aria-current][href$="/settings/${tab}"]`).waitFor();
              await page.locator(".setting").first().waitFor();
              await page.waitForFunction(() => document.querySelector(".skeleton") === null);
              await assertNoSidewaysScroll(page);
              await assertNoJumps(page);
              await assertAccessible(page);
            }
          },
          { width: 360 },
        );
      },
    },
    {
      name: "a bucket that vanished is explained, and leads to the list",
      run: () =>
        withPage(stage, async (page) => {
          await signIn(stage, page, "#/buckets/no-such-bucket-here/settings/tags");
          await page.getByText("The bucket no-such-bucket-here does not exist").waitFor();
          await page.getByRole("link", { name: "Show the buckets" }).click();
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
        }),
    },
  ]);
}
