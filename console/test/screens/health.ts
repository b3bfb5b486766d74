// The page of health, and the doctor: no finding on a direct connection, and one for each fault of a proxy.
import assert from "node:assert/strict";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { freshBucket, keysOf, newUser, s3, type Stage } from "../support/stage.ts";

const HOUR_MS = 3_600_000;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

function jobXml(name: string, status: string, nextDue: string, ...parts: readonly string[]): string {
  const times = `<LastStep>${ago(60_000)}</LastStep><NextDue>${nextDue}</NextDue>`;
  return `<Job><Name>${name}</Name><Status>${status}</Status>${times}${parts.join("")}</Job>`;
}

function passXml(kind: "CurrentPass" | "LastPass", counts: Readonly<Record<string, number>>): string {
  const shown = Object.entries(counts).map(([name, n]) => `<Count><Name>${name}</Name><Value>${n}</Value></Count>`);
  const ended = kind === "LastPass" ? `<Ended>${ago(HOUR_MS)}</Ended>` : "";
  return `<${kind}><Started>${ago(2 * HOUR_MS)}</Started>${ended}${shown.join("")}</${kind}>`;
}

const result = (...parts: readonly string[]): string =>
  `<ListScheduledJobsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</ListScheduledJobsResult>`;

const working = (): string =>
  result(
    jobXml(
      "lifecycle",
      "Idle",
      ago(-11 * HOUR_MS),
      passXml("LastPass", { seen: 1200, versionsRemoved: 17, failed: 0 }),
    ),
    jobXml("collect-garbage", "Idle", ago(-HOUR_MS), passXml("LastPass", { collected: 5, waiting: 12 })),
    jobXml("scrub", "InProgress", ago(60_000), passXml("CurrentPass", { blobs: 400, bytes: 1024 ** 3, findings: 0 })),
    "<Job><Name>backup</Name><Status>Disabled</Status></Job>",
  );
const broken = (): string =>
  result(
    `<DeletionHold><Reason>restored &lt;b>early&lt;/b></Reason><HeldAt>${ago(HOUR_MS)}</HeldAt></DeletionHold>`,
    jobXml("lifecycle", "Held", ago(30 * HOUR_MS)),
    jobXml("deliver-events", "Idle", ago(30 * HOUR_MS)),
    jobXml(
      "build-query-indexes",
      "Failed",
      ago(60_000),
      `<Failure><FailedAt>${ago(5 * 60_000)}</FailedAt><Message>D1_ERROR: overloaded</Message></Failure>`,
    ),
    jobXml("scrub", "Idle", ago(-HOUR_MS), passXml("LastPass", { blobs: 10, findings: 3 })),
    jobXml(
      "reseal-secrets",
      "Disabled",
      ago(-HOUR_MS),
      `<Failure><FailedAt>${ago(60_000)}</FailedAt><Message>no</Message></Failure>`,
    ),
  );

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
      name: "the doctor takes the name of a bucket from someone who may not list buckets",
      run: async () => {
        const bucket = await freshBucket(stage);
        const Statement = [
          { Effect: "Allow", Action: "s3:*", Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`] },
          { Effect: "Deny", Action: "s3:ListAllMyBuckets", Resource: "*" },
        ];
        const user = await newUser(stage, { Version: "2012-10-17", Statement });
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/health", user);
          const run = page.getByRole("button", { name: "Run the checks" });
          await page.getByRole("textbox", { name: "Bucket" }).waitFor();
          assert.ok(await run.isDisabled());
          await page.getByRole("textbox", { name: "Bucket" }).fill(bucket);
          await run.click();
          await page.getByText("A body of 8 MiB is accepted.").waitFor();
          assert.equal(await page.getByText("Broken", { exact: true }).count(), 0);
          assert.deepEqual(await keysOf(stage, bucket), []);
        });
      },
    },
    {
      name: "the scheduled jobs are shown with the outcome of their last runs",
      run: () =>
        withPage(stage, async (page) => {
          await page.route("**/?jobs*", (route) => route.fulfill({ contentType: "application/xml", body: working() }));
          await signIn(stage, page, "#/health");
          await page.getByText("No job is late, failed or held.").waitFor();
          const fact = (text: RegExp) => page.locator("dd").filter({ hasText: text });
          await fact(/ago: examined: 1,200 · versions purged: 17$/).waitFor();
          await fact(/ago: blobs purged: 5 · still recoverable: 12$/).waitFor();
          await fact(/In progress since .*: blobs: 400 · bytes: 1 GiB$/).waitFor();
          await page.getByText("All jobs").click();
          await page.getByRole("row", { name: /Lifecycle rules Idle .* in 1[0-2] hours/ }).waitFor();
          await page.getByRole("row", { name: /Backup of the metadata Off .* A setting turns it off/ }).waitFor();
          await assertAccessible(page);
        }),
    },
    {
      name: "a late or failed job, a hold and findings are explained in sentences",
      run: () =>
        withPage(stage, async (page) => {
          await page.route("**/?jobs*", (route) => route.fulfill({ contentType: "application/xml", body: broken() }));
          await signIn(stage, page, "#/health");
          await page.getByText(/Jobs delete nothing since .*: restored <b>early<\/b>\. Lifecycle rules/).waitFor();
          await page.getByText(/Delivering events was due yesterday and did not run/).waitFor();
          await page.getByText(/Building search indexes failed \d+ minutes ago.*D1_ERROR: overloaded/).waitFor();
          await page.getByText("The scrub found damaged or missing blobs: 3.").waitFor();
          // A job that is held is not late, and one that a setting turns off has not failed.
          assert.equal(await page.getByText(/Lifecycle rules was due/).count(), 0);
          assert.equal(await page.getByText(/Encrypting secrets.*failed/).count(), 0);
          await page.getByText("All jobs").click();
          await page.getByRole("row", { name: /Lifecycle rules Held/ }).waitFor();
          await page.getByRole("row", { name: /Delivering events Late/ }).waitFor();
          await assertAccessible(page);
        }),
    },
    {
      name: "the endpoint's own jobs are listed for root, and a user learns which permission is missing",
      run: async () => {
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/health");
          await page.getByText("All jobs").click();
          await page.getByRole("row", { name: /^Garbage collection/ }).waitFor();
          await assertNoSidewaysScroll(page);
        });
        const policy = { Statement: { Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" } };
        const credentials = await newUser(stage, { Version: "2012-10-17", ...policy });
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/health", credentials);
          await page.getByText("What the jobs did is shown to those who may s3:ListScheduledJobs.").waitFor();
          await page.getByText("d1 is reached").waitFor();
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
            await page.getByText("所有任务").click();
            await page.getByLabel("所有任务").getByText("垃圾回收").waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
          },
          { width: 360, language: "zh-CN", colorScheme: "dark" },
        ),
    },
  ]);
}
