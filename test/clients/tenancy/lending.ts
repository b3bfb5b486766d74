// Temporary credentials, presigned URLs and forms that a tenant creates permit exactly what they were created for.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Caller, keysIn } from "../../../scripts/tenancy/caller.ts";
import { issueUploadCredentials, uploadFromPage } from "../../../scripts/tenancy/tenants.ts";
import { openPage, pageThatReports, reportOf } from "../browser/chromium.ts";
import { signForm } from "../browser/signed-form.ts";
import type { Check } from "../harness.ts";
import { hashBytes } from "../hashes.ts";
import { assertDenied, assertDone, type TenancyTools } from "./tools.ts";

const URL_SECONDS = 60;

export function lendingChecks(tools: TenancyTools): Check[] {
  const { site, place, pages, bucket, one, other } = tools;
  const { name, caller } = one;
  const own = (key: string): string => `/${bucket}/${name}/${key}`;
  const foreign = (key: string): string => `/${bucket}/${other.name}/${key}`;
  const lend = (prefix = `${name}/uploads/`): Promise<Caller> => issueUploadCredentials(one, bucket, prefix);
  const post = (form: Readonly<Record<string, string>>): Promise<Response> => {
    const data = new FormData();
    for (const [field, value] of Object.entries(form)) data.append(field, value);
    data.append("file", new Blob(["by form"]));
    return fetch(`${place.endpoint}/${bucket}`, { method: "POST", body: data });
  };
  return [
    {
      name: `temporary credentials of ${name}'s upload below the prefix they were made for and do nothing else`,
      async run() {
        const pass = await lend();
        await assertDone(pass.s3("PUT", own("uploads/a"), { body: "lent" }));
        assert.equal(await assertDone(caller.s3("GET", own("uploads/a"))), "lent");
        for (const [method, target] of [
          ["GET", own("uploads/a")],
          ["HEAD", own("uploads/a")],
          ["DELETE", own("uploads/a")],
          ["PUT", own("report")],
          ["PUT", own("uploads")],
          ["PUT", foreign("uploads/a")],
          ["GET", foreign("secret")],
          ["GET", `/${bucket}?list-type=2&prefix=${name}%2Fuploads%2F`],
        ] as const) {
          await assertDenied(pass.s3(method, target, method === "PUT" ? { body: "x" } : {}), `${method} ${target}`);
        }
        const headers = { "x-amz-copy-source": own("secret") };
        await assertDenied(pass.s3("PUT", own("uploads/copy"), { headers }), "a copy of what it may not read");
        await assert.rejects(pass.iam("ListUsers"), /AccessDenied/);
        await assert.rejects(pass.sts("GetFederationToken", { Name: name }), /AccessDenied/);
      },
    },
    {
      name: `temporary credentials of ${name}'s permit no more than ${name} may, with any session policy`,
      async run() {
        for (const prefix of ["", `${other.name}/`, "${aws:username}/../"]) {
          const pass = await lend(prefix);
          await assertDenied(pass.s3("PUT", foreign("planted"), { body: "x" }), prefix);
        }
        const Statement = [{ Effect: "Allow", Action: "*", Resource: "*" }];
        const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
        const wide = new Caller(place, keysIn(await caller.sts("GetFederationToken", { Name: name, Policy })));
        await assertDone(wide.s3("GET", own("secret")));
        await assertDenied(wide.s3("GET", foreign("secret")));
        const session = new Caller(place, keysIn(await caller.sts("GetSessionToken")));
        await assertDone(session.s3("GET", `/${bucket}?list-type=2&prefix=${name}%2F`));
        await assertDenied(session.s3("GET", foreign("secret")));
      },
    },
    {
      name: `a token of ${name}'s is of no use without its key, or with another`,
      async run() {
        const { sessionToken = "", ...keys } = (await lend()).keys;
        const target = own("uploads/a");
        const bare = new Caller(place, keys).s3("PUT", target, { body: "x" });
        await assertDenied(bare, "no token", "InvalidAccessKeyId");
        for (const pair of [one.keys, other.keys]) {
          const answer = await new Caller(place, { ...pair, sessionToken }).s3("PUT", target, { body: "x" });
          assert.equal(answer.status, 400);
          assert.match(await answer.text(), /<Code>InvalidToken</);
        }
      },
    },
    {
      name: `a URL of ${name}'s does one thing to one object, for as long as it says`,
      async run() {
        const url = await caller.presign("GET", own("secret"), URL_SECONDS);
        assert.match(await assertDone(fetch(url)), /\S/);
        const mismatch = "SignatureDoesNotMatch";
        await assertDenied(fetch(url.replace(`/${name}/`, `/${other.name}/`)), "another key", mismatch);
        await assertDenied(fetch(url, { method: "PUT", body: "x" }), "another method", mismatch);
        await assertDenied(fetch(url.replace(`Expires=${URL_SECONDS}`, "Expires=600")), "longer", mismatch);
        for (const method of ["GET", "PUT", "DELETE"]) {
          await assertDenied(fetch(await caller.presign(method, foreign("secret"), URL_SECONDS), { method }), method);
        }
        await assertDenied(fetch(await caller.presign("GET", `/${bucket}?list-type=2`, URL_SECONDS)), "a listing");
        const short = await caller.presign("GET", own("secret"), 1);
        await sleep(2100);
        assert.match(await assertDenied(fetch(short)), /Request has expired/);
      },
    },
    {
      name: `a page of another origin uploads by a URL of temporary credentials of ${name}'s, in a browser`,
      async run() {
        const pass = await lend();
        const url = await pass.presign("PUT", own("uploads/page"), URL_SECONDS);
        const page = pageThatReports(
          `const put = (url) => fetch(url, { method: "PUT", headers: { "content-type": "text/x-page" }, body: "by page" });
           const url = ${JSON.stringify(url)};
           const [right, wrong] = [await put(url), await put(url.replace("/uploads/page", "/report"))];
           return [right.status, right.headers.get("etag"), wrong.status];`,
        );
        const reported = reportOf(await openPage(site, pages.show(`tenancy-${name}`, page)));
        assert.deepEqual(reported, [200, `"${hashBytes("md5", "by page")}"`, 403]);
        assert.equal(await assertDone(caller.s3("GET", own("uploads/page"))), "by page");
        await assert.rejects(uploadFromPage(url, "https://elsewhere.example", "text/plain", "x"), /would not let/);
      },
    },
    {
      name: `a form of ${name}'s uploads where ${name} itself may, with and without temporary credentials`,
      async run() {
        const { keys } = await lend();
        const lent = { "x-amz-security-token": keys.sessionToken ?? "" };
        const own = { ...site, credentials: one.keys };
        await assertDone(post(signForm(own, bucket, { key: `${name}/form` })));
        await assertDenied(post(signForm(own, bucket, { key: `${other.name}/form` })));
        const borrowed = { ...site, credentials: keys };
        await assertDone(post(signForm(borrowed, bucket, { key: `${name}/uploads/form`, ...lent })));
        await assertDenied(post(signForm(borrowed, bucket, { key: `${name}/form`, ...lent })));
        assert.equal(await assertDone(caller.s3("GET", `/${bucket}/${name}/uploads/form`)), "by form");
      },
    },
  ];
}
