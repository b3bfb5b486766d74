// Users, their keys and policies, temporary credentials: what the screens do matches what IAM and STS then return.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Caller, type Keys } from "../../../scripts/tenancy/caller.ts";
import { type Check, type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { assertAccessible, assertNoJumps, assertNoSidewaysScroll, signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, newUser, s3, type Stage } from "../support/stage.ts";

let last = 0;

function newName(): string {
  last += 1;
  return `access-${process.pid}-${last}`;
}

export function accessSuite(stage: Stage): Suite {
  const place = { endpoint: stage.url, region: "auto" };
  const root = new Caller(place, CREDENTIALS);
  const statusOf = async (keys: Keys, method: string, target: string, body?: string): Promise<number> =>
    (await new Caller(place, keys).s3(method, target, body === undefined ? {} : { body })).status;
  /** A user that exists, and the page of this user. */
  const onUser = (name: string, run: (page: Page, user: string) => Promise<void>): Check => ({
    name,
    run: async () => {
      const user = newName();
      await root.iam("CreateUser", { UserName: user });
      await withPage(stage, async (page) => {
        await signIn(stage, page, `#/users/${user}`);
        await page.getByRole("heading", { name: user, level: 1 }).waitFor();
        await run(page, user);
      });
    },
  });
  return suiteOf("access", [
    {
      name: "a new secret and the settings of clients fit into 360 px",
      run: async () => {
        const user = newName();
        await root.iam("CreateUser", { UserName: user });
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, `#/users/${user}`);
            await page.getByRole("button", { name: "Create access key" }).click();
            const dialog = page.getByRole("dialog");
            for (const client of ["aws-cli", "Terraform", "restic"]) {
              await dialog.getByRole("button", { name: client }).click();
              await assertNoSidewaysScroll(page);
            }
            await assertAccessible(page);
          },
          { width: 360 },
        );
      },
    },
    {
      name: "a user that does not exist is one sentence with a link to the users, and offers no key or policy",
      run: () =>
        withPage(stage, async (page) => {
          await signIn(stage, page, `#/users/${newName()}`);
          await page.getByText(/^There is no user access-/).waitFor();
          assert.equal(await page.locator("main .error-panel, main .section").count(), 0);
          assert.equal(await page.getByRole("button", { name: "Create access key" }).count(), 0);
          await assertAccessible(page);
          await page.getByRole("link", { name: "Show the users" }).click();
          await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
        }),
    },
    {
      name: "by keyboard alone, a user is created, found in the list, and deleted after its name was typed",
      run: () =>
        withPage(stage, async (page) => {
          const user = newName();
          await signIn(stage, page, "#/users");
          await page.getByRole("button", { name: "Create user" }).press("Enter");
          const name = page.getByRole("dialog").getByLabel("Name");
          await name.waitFor();
          await name.pressSequentially(user);
          await name.press("Enter");
          await page.getByRole("heading", { name: user, level: 1 }).waitFor();
          assert.match(await root.iam("GetUser", { UserName: user }), new RegExp(`user/${user}<`));
          await root.iam("CreateAccessKey", { UserName: user });
          await root.iam("PutUserPolicy", { UserName: user, PolicyName: "p", PolicyDocument: ALL });
          await page.getByRole("link", { name: "Users" }).press("Enter");
          await page.getByLabel("Filter users").fill(user);
          await page.getByRole("button", { name: `Delete ${user}` }).press("Enter");
          await page.keyboard.press("Tab");
          await page.getByLabel(`Type ${user} to confirm`).fill(user);
          await page.keyboard.press("Enter");
          await page.getByText(`The user ${user} was deleted.`).waitFor();
          await assert.rejects(root.iam("GetUser", { UserName: user }), /NoSuchEntity/);
        }),
    },
    onUser("a name that IAM refuses is explained by IAM, and the dialog stays", async (page, user) => {
      await page.getByRole("link", { name: "Users" }).click();
      await page.getByRole("button", { name: "Create user" }).click();
      await page.getByRole("textbox", { name: "Name" }).fill(user);
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.getByRole("dialog").getByText("already exists").waitFor();
    }),
    onUser("a key is created, its secret shown once and working; deactivated, activated and deleted", async (page) => {
      await page.getByRole("button", { name: "Create access key" }).click();
      const keys = await shownKeys(page);
      await assertAccessible(page);
      await page.getByRole("button", { name: "I have stored it" }).click();
      assert.equal((await page.content()).includes(keys.secretAccessKey), false);
      const identity = (): Promise<string> => new Caller(place, keys).sts("GetCallerIdentity", {});
      await identity();
      await page.getByRole("button", { name: `Actions for ${keys.accessKeyId}` }).click();
      await page.getByRole("button", { name: "Deactivate" }).click();
      await page.getByText("Inactive").waitFor();
      await assert.rejects(identity());
      await page.getByRole("button", { name: `Actions for ${keys.accessKeyId}` }).click();
      await page.getByRole("button", { name: "Activate" }).click();
      await page.getByRole("cell", { name: "Active", exact: true }).waitFor();
      await identity();
      await page.reload();
      await signIn(stage, page, location(page));
      await page
        .getByRole("row")
        .filter({ hasText: keys.accessKeyId })
        .getByText(/ago|now/)
        .waitFor();
      await page.getByRole("button", { name: `Actions for ${keys.accessKeyId}` }).click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText("The user has no access key").waitFor();
      await assert.rejects(identity());
    }),
    onUser("limits become tags of the user, and an emptied one ends", async (page, user) => {
      const tags = (): Promise<string> => root.iam("ListUserTags", { UserName: user });
      const save = page.getByRole("button", { name: "Set limits" });
      await page.getByLabel("Stored bytes").fill("1048576");
      await page.getByText("1 MiB", { exact: true }).waitFor();
      await page.getByLabel("Requests a second", { exact: true }).fill("0");
      await page.getByText("A whole number, at least 1, or nothing for no limit").waitFor();
      assert.equal(await save.isDisabled(), true);
      await page.getByLabel("Requests a second", { exact: true }).fill("50");
      await save.click();
      await page.getByText("The limits were saved.").waitFor();
      assert.match(
        await tags(),
        /<Key>cairn:max-bytes<\/Key><Value>1048576<[^]*<Key>cairn:requests-per-second<\/Key><Value>50</,
      );
      await assertAccessible(page);
      await page.getByLabel("Stored bytes").fill("");
      await save.click();
      for (let found = await tags(); found.includes("cairn:max-bytes"); found = await tags())
        await page.waitForTimeout(100);
      assert.match(await tags(), /cairn:requests-per-second/);
    }),
    onUser("what its keys did is shown by key", async (page, user) => {
      const made = await root.iam("CreateAccessKey", { UserName: user });
      const key = /<AccessKeyId>(\w+)</.exec(made)?.[1] ?? "";
      await page.route(
        (url) => url.searchParams.get("access-key-id") === key,
        (route) => {
          const day = new URL(route.request().url()).searchParams.get("to") ?? "";
          const counts = "<ClassA>2</ClassA><ClassB>1000</ClassB><Free>1</Free><Errors>4</Errors>";
          const bytes = "<BytesIn>1024</BytesIn><BytesOut>2048</BytesOut>";
          const body = `<R><Usage><Day>${day}</Day>${counts}${bytes}</Usage><IsTruncated>false</IsTruncated></R>`;
          return route.fulfill({ contentType: "application/xml", body });
        },
      );
      await page.reload();
      await signIn(stage, page, `#/users/${user}`);
      await page.getByRole("row", { name: `${key} 1,003 4 1 KiB 2 KiB` }).waitFor();
      await assertAccessible(page);
    }),
    onUser("a rotation makes a second key, and deactivates the old one only when asked", async (page, user) => {
      const made = await root.iam("CreateAccessKey", { UserName: user });
      const old = /<AccessKeyId>(\w+)</.exec(made)?.[1] ?? "";
      await page.reload();
      await signIn(stage, page, `#/users/${user}`);
      await page.getByRole("button", { name: `Actions for ${old}` }).click();
      await page.getByRole("button", { name: "Rotate" }).click();
      const keys = await shownKeys(page);
      assert.match(
        await root.iam("ListAccessKeys", { UserName: user }),
        new RegExp(`${old}</AccessKeyId><Status>Active`),
      );
      await page.getByRole("button", { name: "Deactivate the old key" }).click();
      await page.getByText(`${old} was deactivated.`).waitFor();
      const listed = await root.iam("ListAccessKeys", { UserName: user });
      assert.match(listed, new RegExp(`${old}</AccessKeyId><Status>Inactive`));
      assert.match(listed, new RegExp(`${keys.accessKeyId}</AccessKeyId><Status>Active`));
      assert.equal(await page.getByRole("button", { name: "Create access key" }).isDisabled(), true);
    }),
    ...templateChecks(stage, root, statusOf),
    onUser("a policy is checked while it is typed, saved, edited and deleted", async (page, user) => {
      await page.getByRole("button", { name: "Add a policy" }).click();
      const editor = page.getByLabel("Policy (JSON)");
      const save = page.getByRole("button", { name: "Save" });
      await page.getByLabel("Name of the policy").fill("own");
      for (const [text, problem] of [
        ["{", "This is not JSON"],
        ["[]", "The policy has no statement"],
        ['{"Statement":[{"Effect":"Allow","Resource":"*"}]}', "Statement 1 has no Action"],
        ['{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}', "Statement 1 has a Principal"],
      ] as const) {
        await editor.fill(text);
        await page.getByText(problem).waitFor();
        assert.equal(await save.isDisabled(), true);
      }
      await editor.fill(ALL.replace("Allow", "Alow"));
      await save.click();
      await page.locator("dialog .error-panel").waitFor();
      await editor.fill(ALL);
      await save.click();
      await page.getByText("The policy was saved.").waitFor();
      await page.getByRole("button", { name: "Edit own" }).click();
      assert.match(await editor.inputValue(), /\n +"Statement"/);
      await editor.fill((await editor.inputValue()).replace("s3:*", "s3:Get*"));
      await save.click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.match(await root.iam("GetUserPolicy", { UserName: user, PolicyName: "own" }), /s3%3AGet%2A|s3%3AGet\*/);
      await page.getByRole("button", { name: "Add a policy" }).click();
      await page.getByLabel("Name of the policy").fill("own");
      await editor.fill(ALL);
      await save.click();
      await page.getByText("The user has a policy of this name already").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Delete own" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText("No policy allows the user anything").waitFor();
    }),
    {
      name: "temporary credentials of each call work within their policy",
      run: async () => {
        const bucket = await freshBucket(stage);
        await s3(stage, "PUT", `/${bucket}/a`, "1");
        const policy = ALL.replace("s3:*", "s3:GetObject");
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/users");
          for (const [way, writes] of [
            ["GetSessionToken", 200],
            ["GetFederationToken", 403],
            ["AssumeRole", 403],
          ] as const) {
            await page.getByLabel("Call", { exact: true }).selectOption(way);
            if (way !== "GetSessionToken") await page.getByLabel("Policy of the session").fill(policy);
            await page.getByRole("button", { name: "Create credentials" }).click();
            const keys = await shownKeys(page);
            assert.equal(await statusOf(keys, "GET", `/${bucket}/a`), 200, way);
            assert.equal(await statusOf(keys, "PUT", `/${bucket}/b`, "2"), writes, way);
            await page.getByRole("button", { name: "I have stored it" }).click();
          }
        });
      },
    },
    {
      name: "a user without rights in IAM reads the server's explanation, on the list and on a user",
      run: async () => {
        const keys = await newUser(stage, JSON.parse(ALL));
        await withPage(stage, async (page) => {
          await signIn(stage, page, "#/users", keys);
          await page.getByText("iam:ListUsers").first().waitFor();
          await page.getByRole("link", { name: /^Show your own user/ }).click();
          await page.getByText("iam:ListAccessKeys").first().waitFor();
          await page.getByText("iam:ListUserPolicies").first().waitFor();
          await page.getByRole("button", { name: "Create access key" }).click();
          await page.getByText("iam:CreateAccessKey").first().waitFor();
          await assertAccessible(page);
        });
      },
    },
    ...(["en-GB", "zh-CN"] as const).map((language) => ({
      name: `the list and a user have no violation of accessibility, and fit into 360 px (${language})`,
      run: async () => {
        const user = newName();
        await root.iam("CreateUser", { UserName: user });
        await root.iam("CreateAccessKey", { UserName: user });
        await root.iam("PutUserPolicy", { UserName: user, PolicyName: "p".repeat(60), PolicyDocument: ALL });
        await withPage(
          stage,
          async (page) => {
            await signIn(stage, page, "#/users");
            await page.getByRole("link", { name: user, exact: true }).waitFor();
            await assertNoSidewaysScroll(page);
            await assertAccessible(page);
            await page.getByRole("link", { name: user, exact: true }).click();
            await page.getByRole("table").nth(1).waitFor();
            await assertNoSidewaysScroll(page);
            await assertNoJumps(page);
            await assertAccessible(page);
          },
          { width: 360, language },
        );
      },
    })),
  ]);
}

const ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}';

function location(page: Page): string {
  return new URL(page.url()).hash;
}

/** The credentials that the dialog shows. */
async function shownKeys(page: Page): Promise<Keys> {
  await page.locator("dialog .credentials").waitFor();
  const [accessKeyId = "", secretAccessKey = "", sessionToken] = await page
    .locator("dialog .credentials code")
    .allTextContents();
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** Each template, and what a user may do with it: put and get below the prefix `in/`, of the user's own, and beside it. */
const TEMPLATES = [
  ["readOnly", "PUT in/a 403, GET in/a 200, GET out/a 403, LIST in/ 200, LIST out/ 403, DELETE in/a 403"],
  ["uploadOnly", "PUT in/b 200, PUT out/b 403, GET in/a 403, LIST in/ 403, DELETE in/a 403"],
  ["tenant", "PUT in/{user}/a 200, GET in/{user}/a 200, LIST in/{user}/ 200, GET in/a 403, DELETE in/{user}/a 204"],
  ["full", "PUT out/c 200, GET out/c 200, LIST out/ 200, DELETE out/c 204"],
] as const;

function templateChecks(
  stage: Stage,
  root: Caller,
  statusOf: (keys: Keys, method: string, target: string, body?: string) => Promise<number>,
): Check[] {
  return TEMPLATES.map(([template, expected]) => ({
    name: `the template ${template} grants exactly its permissions: ${expected}`,
    run: async () => {
      const bucket = await freshBucket(stage);
      for (const key of ["in/a", "out/a"]) await s3(stage, "PUT", `/${bucket}/${key}`, "1");
      const keys = await newUser(stage, {
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Action: "iam:*", Resource: "*" }],
      });
      const identity = await new Caller(root.place, keys).sts("GetCallerIdentity", {});
      const user = /user\/([\w-]+)</.exec(identity)?.[1] ?? "";
      await withPage(stage, async (page) => {
        await signIn(stage, page, `#/users/${user}`);
        await page.getByRole("button", { name: "Add a policy" }).click();
        await page.getByLabel("Template", { exact: true }).selectOption(template);
        await page.getByLabel("Bucket", { exact: true }).fill(bucket);
        if (template !== "full") await page.getByLabel("Prefix", { exact: true }).fill("in/");
        await page.getByRole("button", { name: "Use the template" }).click();
        await assertAccessible(page);
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByText("The policy was saved.").waitFor();
      });
      for (const step of expected.replaceAll("{user}", user).split(", ")) {
        const [method = "", key = "", status] = step.split(" ");
        const isList = method === "LIST";
        const target = isList ? `/${bucket}?list-type=2&prefix=${encodeURIComponent(key)}` : `/${bucket}/${key}`;
        const actual = await statusOf(keys, isList ? "GET" : method, target, method === "PUT" ? "2" : undefined);
        assert.equal(actual, Number(status), step);
      }
    },
  }));
}
