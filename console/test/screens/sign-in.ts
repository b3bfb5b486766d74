// Signing in, staying signed in, and signing out.
import assert from "node:assert/strict";
import { signInLink } from "../../../scripts/project/sign-in-link.ts";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import {
  assertAccessible,
  assertNoSidewaysScroll,
  consoleUrl,
  fillCredentials,
  signIn,
  withPage,
} from "../support/browser.ts";
import { CREDENTIALS, freshBucket, type Stage } from "../support/stage.ts";

export function signInSuite(stage: Stage): Suite {
  const storedTexts = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])";
  return suiteOf("sign-in", [
    {
      name: "an access key signs in, and its secret is kept nowhere",
      run: () =>
        withPage(stage, async (page) => {
          await signIn(stage, page);
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          assert.ok(!String(await page.evaluate(storedTexts)).includes(CREDENTIALS.secretAccessKey));
          await page.reload();
          await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
        }),
    },
    {
      name: "a ticked box keeps the session in the tab, and signing out clears it",
      run: () =>
        withPage(stage, async (page) => {
          await page.goto(consoleUrl(stage));
          await fillCredentials(page);
          await page.getByLabel("Keep until this tab closes").check();
          await page.getByRole("button", { name: "Sign in" }).click();
          await page.locator(".shell").waitFor();
          await page.reload();
          await page.locator(".shell").waitFor();
          await page.getByRole("button", { name: "Account" }).click();
          await page.getByRole("button", { name: "Sign out" }).click();
          await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
          assert.ok(!String(await page.evaluate(storedTexts)).includes(CREDENTIALS.accessKeyId));
        }),
    },
    {
      name: "a wrong secret is refused with a sentence, and the form can be sent again",
      run: () =>
        withPage(stage, async (page) => {
          await page.goto(consoleUrl(stage));
          await page.getByLabel("Access key id").fill(CREDENTIALS.accessKeyId);
          await page.getByLabel("Secret access key").fill("not the secret");
          await page.getByRole("button", { name: "Sign in" }).click();
          await page.getByText("The access key or its secret is wrong").waitFor();
          await page.getByLabel("Secret access key").fill(CREDENTIALS.secretAccessKey);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.locator(".shell").waitFor();
        }),
    },
    {
      name: "empty fields are asked for, and nothing is sent",
      run: () =>
        withPage(stage, async (page) => {
          await page.goto(consoleUrl(stage));
          await page.getByRole("button", { name: "Sign in" }).click();
          assert.equal(await page.getByText("Fill this in.").count(), 2);
        }),
    },
    {
      name: "a sign-in link signs in, and leaves the address and the history at once",
      run: () =>
        withPage(stage, async (page) => {
          const link = Buffer.from(JSON.stringify(CREDENTIALS)).toString("base64url");
          await page.goto(consoleUrl(stage, `#sign-in=${link}`));
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          assert.ok(!page.url().includes("sign-in"));
          assert.ok(!String(await page.evaluate(storedTexts)).includes(CREDENTIALS.secretAccessKey));
        }),
    },
    {
      name: "the link that the server printed signs in once, and its session may call IAM",
      run: async () => {
        await withPage(stage, async (page) => {
          await page.goto(stage.signInLink);
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          await page.getByRole("button", { name: "Account" }).click();
          await page.getByText("assumed-role/console/sign-in-link").waitFor();
          await page.getByText("The session ends in").waitFor();
          await page.getByRole("link", { name: "Access" }).click();
          // The console's users of other checks, or that there are none: no refusal.
          await page
            .getByText(/^There are no users yet$|^console-user/)
            .first()
            .waitFor();
        });
        await withPage(stage, async (page) => {
          await page.goto(stage.signInLink);
          await page.getByText("The sign-in link has been used, or has ended.").waitFor();
          assert.ok(!page.url().includes("sign-in="));
          await fillCredentials(page);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
        });
      },
    },
    {
      name: "a sign-in link that is opened in a page of the console signs in, and leaves the address and the history",
      run: () =>
        withPage(stage, async (page) => {
          const link = await signInLink({ endpoint: stage.url, region: "auto" }, CREDENTIALS);
          await page.goto(consoleUrl(stage));
          await page.getByRole("heading", { name: "Sign in to Cairn" }).waitFor();
          await page.goto(link);
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          assert.ok(!page.url().includes("sign-in="));
          await page.goBack();
          assert.ok(!page.url().includes("sign-in="));
          await page.goForward();
          // One that is refused changes nothing.
          await page.goto(link);
          await page.getByText("The sign-in link has been used, or has ended.").waitFor();
          await page.goto(consoleUrl(stage, "#sign-in=e30"));
          await page.getByText("The sign-in link is incomplete.").waitFor();
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          assert.ok(!page.url().includes("sign-in="));
          // One of another principal takes over.
          const other = Buffer.from(JSON.stringify(CREDENTIALS)).toString("base64url");
          await page.goto(consoleUrl(stage, `#sign-in=${other}`));
          await page.getByRole("button", { name: "Account" }).getByText("root").waitFor();
        }),
    },
    {
      name: "a link whose session was begun while the connection broke goes on with that session",
      run: () =>
        withPage(stage, async (page) => {
          const link = await signInLink({ endpoint: stage.url, region: "auto" }, CREDENTIALS);
          await page.route(/\/$/, (route) =>
            route.request().postData()?.includes("GetCallerIdentity") === true
              ? route.abort("connectionrefused")
              : route.continue(),
          );
          await page.goto(link);
          await page.getByText("The server cannot be reached.").waitFor();
          await page.unroute(/\/$/);
          await page.getByRole("button", { name: "Resume the session" }).click();
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
        }),
    },
    {
      name: "credentials that end soon, by the server's clock, are a warning that stays until the next sign-in",
      run: () =>
        withPage(stage, async (page) => {
          const warning = page.getByText(/^Your credentials end on /);
          // The clock of the device is a day ahead.
          await page.clock.install({ time: Date.now() + 86_400_000 });
          const expiresAt = Date.now() + 30 * 60_000;
          const link = Buffer.from(JSON.stringify({ ...CREDENTIALS, expiresAt })).toString("base64url");
          await page.goto(consoleUrl(stage, `#sign-in=${link}`));
          await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
          await page.clock.fastForward("15:00");
          assert.equal(await warning.count(), 0);
          await page.clock.fastForward("11:00");
          await warning.waitFor();
          await page.clock.fastForward("01:00");
          assert.equal(await warning.count(), 1);
          await page.getByRole("button", { name: "Sign in again" }).click();
          await fillCredentials(page);
          await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
          await warning.waitFor({ state: "detached" });
        }),
    },
    {
      name: "a broken sign-in link is explained",
      run: () =>
        withPage(stage, async (page) => {
          await page.goto(consoleUrl(stage, "#sign-in=e30"));
          await page.getByText("The sign-in link is incomplete").waitFor();
          assert.ok(!page.url().includes("sign-in"));
        }),
    },
    {
      name: "a lost connection is explained, and trying again works",
      run: () =>
        withPage(stage, async (page) => {
          await page.goto(consoleUrl(stage));
          await fillCredentials(page);
          await page.context().setOffline(true);
          await page.getByRole("button", { name: "Sign in" }).click();
          await page.getByText("The server cannot be reached").waitFor();
          await page.context().setOffline(false);
          await page.getByRole("button", { name: "Try again" }).click();
          await page.locator(".shell").waitFor();
        }),
    },
    {
      name: "a session that is kept survives a reload while the server cannot be reached",
      run: () =>
        withPage(stage, async (page) => {
          await page.goto(consoleUrl(stage));
          await fillCredentials(page);
          await page.getByLabel("Keep until this tab closes").check();
          await page.getByRole("button", { name: "Sign in" }).click();
          await page.locator(".shell").waitFor();
          // The files of the page still arrive, but no call does.
          await page.route(/\/$/, (route) =>
            route.request().method() === "POST" ? route.abort("connectionrefused") : route.continue(),
          );
          await page.reload();
          await page.getByText("Your session is kept.").waitFor();
          await page.unroute(/\/$/);
          await page.getByRole("button", { name: "Resume the session" }).click();
          await page.locator(".shell").waitFor();
        }),
    },
    {
      name: "a session that ends is explained, and signing in again comes back to the place",
      run: () =>
        withPage(stage, async (page) => {
          const bucket = await freshBucket(stage);
          await page.route(`**/${bucket}?tagging*`, (route) =>
            route.fulfill({
              status: 400,
              contentType: "application/xml",
              body: "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
            }),
          );
          await signIn(stage, page, `#/buckets/${bucket}/settings/tags`);
          await page.getByText("The temporary credentials have expired.").waitFor();
          await page.unroute(`**/${bucket}?tagging*`);
          await page.getByRole("button", { name: "Sign in again" }).click();
          await page.getByText("The session has ended.").waitFor();
          await fillCredentials(page);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
          await page.getByRole("button", { name: "Add a tag" }).waitFor();
        }),
    },
    {
      name: "a clock that is a day off still signs in",
      run: () =>
        withPage(stage, async (page) => {
          await page.addInitScript(() => {
            const now = Date.now;
            Date.now = () => now() - 86_400_000;
          });
          await signIn(stage, page);
        }),
    },
    {
      name: "the form has no violation of accessibility, light and dark, and fits into 360 px",
      run: async () => {
        for (const colorScheme of ["light", "dark"] as const) {
          await withPage(
            stage,
            async (page) => {
              await page.goto(consoleUrl(stage));
              await page.getByRole("button", { name: "Sign in" }).click();
              await assertAccessible(page);
              await assertNoSidewaysScroll(page);
            },
            { width: 360, colorScheme },
          );
        }
      },
    },
  ]);
}
