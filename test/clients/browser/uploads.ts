// Uploads from pages of another origin: by presigned URL, by FormData, and by a plain form without a script.
import assert from "node:assert/strict";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Check } from "../harness.ts";
import { hashBytes } from "../hashes.ts";
import { openPage, pageThatReports, reportOf } from "./chromium.ts";
import { signForm } from "./signed-form.ts";
import { assertStored, type BrowserTools } from "./tools.ts";

const TEXT = "sent by a browser \u{1f600}\r\n";
const MEBIBYTE = 1024 ** 2;

export function uploadChecks(tools: BrowserTools): Check[] {
  const { site, client, pages, bucket, closedBucket, endpoint } = tools;
  const urlFor = (Bucket: string, Key: string) =>
    getSignedUrl(client, new PutObjectCommand({ Bucket, Key, Metadata: { from: "a page" } }), { expiresIn: 60 });
  const evaluate = async (name: string, code: string) =>
    reportOf(await openPage(site, pages.show(name, pageThatReports(code))));
  return [
    {
      name: "a page of another origin puts by presigned URL and reads the ETag",
      async run() {
        const reported = await evaluate(
          "put",
          `const response = await fetch(${JSON.stringify(await urlFor(bucket, "put"))}, {
             method: "PUT", headers: { "content-type": "text/x-page" }, body: ${JSON.stringify(TEXT)} });
           return [response.status, response.headers.get("etag"), response.headers.get("x-amz-request-id")];`,
        );
        // The rules expose the ETag alone.
        assert.deepEqual(reported, [200, etagOf(TEXT), null]);
        const stored = await assertStored(tools, "put", Buffer.from(TEXT));
        assert.equal(stored.ContentType, "text/x-page");
        assert.deepEqual({ ...stored.Metadata }, { from: "a page" });
      },
    },
    {
      name: "the same page cannot write to a bucket without CORS rules",
      async run() {
        const url = JSON.stringify(await urlFor(closedBucket, "put"));
        const reported = await evaluate(
          "closed",
          `return fetch(${url}, { method: "PUT", headers: { "content-type": "text/x-page" }, body: "x" });`,
        );
        assert.deepEqual(reported, { thrown: "TypeError: Failed to fetch" });
      },
    },
    {
      name: "a page uploads through FormData and reads the answer",
      async run() {
        const range = ["content-length-range", 1, 4 * MEBIBYTE];
        const fields = { key: "forms/page", success_action_status: "201", "Content-Type": "image/x-page" };
        const form = signForm(site, bucket, fields, [range]);
        const reported = await evaluate(
          "form",
          `const bytes = new Uint8Array(3 * ${MEBIBYTE}).map((_, index) => (index * 31) >> 3);
           const data = new FormData();
           for (const [name, value] of Object.entries(${JSON.stringify(form)})) data.append(name, value);
           data.append("file", new Blob([bytes]), "page.bin");
           const response = await fetch(${JSON.stringify(`${endpoint.url}/${bucket}`)}, { method: "POST", body: data });
           const answer = new DOMParser().parseFromString(await response.text(), "text/xml");
           const text = (name) => answer.querySelector(name)?.textContent;
           return [response.status, response.headers.get("etag"), text("Key"), text("ETag"), text("Location")];`,
        );
        const bytes = new Uint8Array(3 * MEBIBYTE).map((_, index) => (index * 31) >> 3);
        const location = `${endpoint.url}/${bucket}/forms%2Fpage`;
        assert.deepEqual(reported, [201, etagOf(bytes), "forms/page", etagOf(bytes), location]);
        assert.equal((await assertStored(tools, "forms/page", bytes)).ContentType, "image/x-page");
      },
    },
    {
      name: "a page reads why its form was refused",
      async run() {
        const form = signForm(site, bucket, { key: "too-large" }, [["content-length-range", 1, 10]]);
        const reported = await evaluate(
          "refused",
          `const data = new FormData();
           for (const [name, value] of Object.entries(${JSON.stringify(form)})) data.append(name, value);
           data.append("file", new Blob([new Uint8Array(40 * ${MEBIBYTE})]));
           const response = await fetch(${JSON.stringify(`${endpoint.url}/${bucket}`)}, { method: "POST", body: data });
           return [response.status, /<Code>(\\w+)</.exec(await response.text())?.[1]];`,
        );
        assert.deepEqual(reported, [400, "EntityTooLarge"]);
      },
    },
    {
      name: "a plain form with a button after its file uploads, and the browser follows the redirect",
      async run() {
        const fields = { key: "forms/${filename}", success_action_redirect: `${pages.origin}/landed?from=form` };
        const form = signForm(site, bucket, { success_action_redirect: fields.success_action_redirect }, [
          ["starts-with", "$key", "forms/"],
        ]);
        const inputs = Object.entries({ key: fields.key, ...form }).map(
          ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
        );
        const url = pages.show(
          "plain",
          `<form action="${endpoint.url}/${bucket}" method="post" enctype="multipart/form-data">
             ${inputs.join("")}<input type="file" name="file"><input type="submit" name="submit" value="Upload">
           </form>
           <script>
             const files = new DataTransfer();
             files.items.add(new File(["line\\n".repeat(100000)], 'a "b" ü.txt', { type: "text/plain" }));
             document.querySelector("[type=file]").files = files.files;
             document.querySelector("[type=submit]").click();
           </script>`,
        );
        const document = await openPage(site, url);
        const bytes = Buffer.from("line\n".repeat(100_000));
        const [landed = ""] = pages.visitsOf("/landed");
        assert.match(document, /<p id="path">\/landed<\/p>/);
        const query = Object.fromEntries(new URL(landed, pages.origin).searchParams);
        assert.deepEqual(query, { from: "form", bucket, key: 'forms/a "b" ü.txt', etag: etagOf(bytes) });
        await assertStored(tools, 'forms/a "b" ü.txt', bytes);
      },
    },
  ];
}

function etagOf(bytes: Uint8Array | string): string {
  return `"${hashBytes("md5", Buffer.from(bytes))}"`;
}
