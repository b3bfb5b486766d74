import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { putWebsite, rulesOf, websiteDocument, websiteOf } from "../support/websites.ts";

async function shown(bucket: string): Promise<string> {
  const response = await send("GET", `/${bucket}?website`);
  expect(response.status).toBe(200);
  return (await response.text()).replace('<?xml version="1.0" encoding="UTF-8"?>\n', "");
}

const ALL = websiteDocument(
  `<ErrorDocument><Key>errors/e &amp; o.html</Key></ErrorDocument>${rulesOf(
    "<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals><KeyPrefixEquals>a b/</KeyPrefixEquals></Condition><Redirect><Protocol>https</Protocol><HostName>other.example.com:8443</HostName><ReplaceKeyPrefixWith>c/</ReplaceKeyPrefixWith><HttpRedirectCode>307</HttpRedirectCode></Redirect>",
    "<Redirect><ReplaceKeyWith>gone.html</ReplaceKeyWith></Redirect>",
  )}`,
);

describe("PutBucketWebsite", () => {
  it.each([
    ["all elements", ALL],
    ["an index document only", websiteDocument()],
    [
      "a redirect of all requests",
      websiteOf(
        "<RedirectAllRequestsTo><HostName>www.example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
      ),
    ],
    [
      "a redirect without a protocol",
      websiteOf("<RedirectAllRequestsTo><HostName>a_b.c</HostName></RedirectAllRequestsTo>"),
    ],
    ["fifty rules", websiteDocument(rulesOf(...Array<string>(50).fill("<Redirect><HostName>h</HostName></Redirect>")))],
  ])("stores %s, which GetBucketWebsite returns", async (_what, document) => {
    const bucket = await freshBucket();
    const put = await putWebsite(bucket, document);
    expect({ status: put.status, body: await put.text() }).toEqual({ status: 200, body: "" });
    expect(await shown(bucket)).toBe(document);
  });

  it("replaces the previous configuration", async () => {
    const bucket = await freshBucket();
    await putWebsite(bucket, ALL);
    expect((await putWebsite(bucket, websiteDocument())).status).toBe(200);
    expect(await shown(bucket)).toBe(websiteDocument());
  });

  const INVALID_PROTOCOL =
    "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.";
  const rule = (content: string) => websiteDocument(rulesOf(content));

  it.each([
    ["no XML", "a website", "MalformedXML"],
    ["another root", "<Website/>", "MalformedXML"],
    ["an unknown element", websiteDocument("<X/>"), "MalformedXML"],
    ["two index documents", websiteDocument("<IndexDocument><Suffix>i</Suffix></IndexDocument>"), "MalformedXML"],
    ["an error document without key", websiteDocument("<ErrorDocument/>"), "MalformedXML"],
    ["an error document with an empty key", websiteDocument("<ErrorDocument><Key/></ErrorDocument>"), "MalformedXML"],
    ["no rules in RoutingRules", websiteDocument("<RoutingRules/>"), "MalformedXML"],
    ["another element in RoutingRules", websiteDocument("<RoutingRules><Rule/></RoutingRules>"), "MalformedXML"],
    ["a rule without redirect", rule("<Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition>"), "MalformedXML"],
    ["an empty redirect", rule("<Redirect/>"), "MalformedXML"],
    ["an element in a leaf", rule("<Redirect><HostName><a/></HostName></Redirect>"), "MalformedXML"],
    ["an empty host", rule("<Redirect><HostName/></Redirect>"), "MalformedXML"],
    ["a redirect of all without host", websiteOf("<RedirectAllRequestsTo/>"), "MalformedXML"],
    [
      "a key that is too long",
      websiteDocument(`<ErrorDocument><Key>${"k".repeat(1025)}</Key></ErrorDocument>`),
      "KeyTooLongError",
    ],
    ["a document of more than 128 KiB", websiteDocument(`<!--${"x".repeat(128 * 1024)}-->`), "MalformedXML"],
    ["an empty condition", rule("<Condition/><Redirect><HostName>h</HostName></Redirect>"), "InvalidRequest"],
    [
      "both replacements",
      rule("<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith></Redirect>"),
      "InvalidRequest",
    ],
    [
      "fifty-one rules",
      websiteDocument(rulesOf(...Array<string>(51).fill("<Redirect><HostName>h</HostName></Redirect>"))),
      "InvalidRequest",
    ],
    ["the redirect code 300", rule("<Redirect><HttpRedirectCode>300</HttpRedirectCode></Redirect>"), "InvalidRequest"],
    ["the redirect code 200", rule("<Redirect><HttpRedirectCode>200</HttpRedirectCode></Redirect>"), "InvalidRequest"],
    [
      "the error code 302",
      rule(
        "<Condition><HttpErrorCodeReturnedEquals>302</HttpErrorCodeReturnedEquals></Condition><Redirect><HostName>h</HostName></Redirect>",
      ),
      "InvalidRequest",
    ],
    ["a host with a path", rule("<Redirect><HostName>h/path</HostName></Redirect>"), "InvalidRequest"],
    ["a host with a user", rule("<Redirect><HostName>a@b</HostName></Redirect>"), "InvalidRequest"],
    ["a host with a line break", rule("<Redirect><HostName>a&#13;&#10;b</HostName></Redirect>"), "InvalidRequest"],
  ])("rejects %s and keeps the configuration", async (_what, document, code) => {
    const bucket = await freshBucket();
    await putWebsite(bucket, websiteDocument());
    const fields = code === "KeyTooLongError" ? { Size: "1025", MaxSizeAllowed: "1024" } : {};
    await expectS3Error(await putWebsite(bucket, document), { status: 400, code, fields });
    expect(await shown(bucket)).toBe(websiteDocument());
  });

  it.each([
    [
      "no index document",
      websiteOf("<ErrorDocument><Key>e</Key></ErrorDocument>"),
      "null",
      "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
    ],
    [
      "a suffix with a slash",
      websiteOf("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>"),
      "a/b",
      "The IndexDocument Suffix is not well formed",
    ],
    [
      "an empty suffix",
      websiteOf("<IndexDocument><Suffix/></IndexDocument>"),
      "",
      "The IndexDocument Suffix is not well formed",
    ],
  ])("rejects %s with InvalidArgument", async (_what, document, value, message) => {
    await expectS3Error(await putWebsite(await freshBucket(), document), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "IndexDocument", ArgumentValue: value },
      message,
    });
  });

  it("rejects a redirect of all requests beside other elements", async () => {
    const document = websiteDocument("<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>");
    await expectS3Error(await putWebsite(await freshBucket(), document), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "RedirectAllRequestsTo", ArgumentValue: "null" },
    });
  });

  it.each(["ftp", "javascript", "HTTPS"])(
    "rejects the protocol %s in a rule and in a redirect of all",
    async (protocol) => {
      const bucket = await freshBucket();
      const elements = `<HostName>h</HostName><Protocol>${protocol}</Protocol>`;
      const documents = [
        rule(`<Redirect>${elements}</Redirect>`),
        websiteOf(`<RedirectAllRequestsTo>${elements}</RedirectAllRequestsTo>`),
      ];
      for (const document of documents) {
        await expectS3Error(await putWebsite(bucket, document), {
          status: 400,
          code: "InvalidRequest",
          message: INVALID_PROTOCOL,
        });
      }
    },
  );

  it("returns 404 for a missing bucket", async () => {
    await expectS3Error(await putWebsite("no-such-bucket-here", websiteDocument()), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});

describe("x-amz-website-redirect-location", () => {
  const name = "x-amz-website-redirect-location";

  async function locationOf(target: string): Promise<string | null> {
    const head = await send("HEAD", target);
    expect(head.status).toBe(200);
    return head.headers.get(name);
  }

  it.each(["/other?a=b#c", "http://example.com/", "https://example.com/a"])(
    "is stored and returned: %s",
    async (value) => {
      const bucket = await freshBucket();
      expect((await send("PUT", `/${bucket}/k`, { body: "x", headers: { [name]: value } })).status).toBe(200);
      expect(await locationOf(`/${bucket}/k`)).toBe(value);
      expect((await send("GET", `/${bucket}/k`)).headers.get(name)).toBe(value);
      await send("PUT", `/${bucket}/k`, { body: "y" });
      expect(await locationOf(`/${bucket}/k`)).toBeNull();
    },
  );

  it.each(["other", "javascript:alert(1)", "ftp://a/b", "http:/a", `/${"a".repeat(2048)}`])(
    "is rejected: %s",
    async (value) => {
      await expectS3Error(await send("PUT", `/${await freshBucket()}/k`, { body: "x", headers: { [name]: value } }), {
        status: 400,
        code: "InvalidRedirectLocation",
      });
    },
  );

  it("is not inherited by copies, which can have their own", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { [name]: "/a", "cache-control": "no-cache" } });
    const source = { "x-amz-copy-source": `/${bucket}/k` };
    expect((await send("PUT", `/${bucket}/copy`, { headers: source })).status).toBe(200);
    expect(await locationOf(`/${bucket}/copy`)).toBeNull();
    expect((await send("HEAD", `/${bucket}/copy`)).headers.get("cache-control")).toContain("no-cache");
    expect((await send("PUT", `/${bucket}/own`, { headers: { ...source, [name]: "/b" } })).status).toBe(200);
    expect(await locationOf(`/${bucket}/own`)).toBe("/b");
    expect((await send("PUT", `/${bucket}/k`, { headers: { ...source, [name]: "/c" } })).status).toBe(200);
    expect(await locationOf(`/${bucket}/k`)).toBe("/c");
  });
});
