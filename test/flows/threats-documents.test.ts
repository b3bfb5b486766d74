// Malicious documents for every operation that takes one: each is rejected as the client's error, in bounded time, and
// changes nothing. Names with a meaning in JavaScript have none here.
import { beforeAll, describe, expect, it } from "vitest";

import { bucketNamedIn, documented, PREPARATIONS, type OperationRequest } from "../support/operation-requests.ts";
import { send, type SendOptions } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { publicReadPolicy } from "../support/policies.ts";
import { expectUntouched } from "../support/rows.ts";
import { expectSoon } from "../support/quick.ts";
import { call } from "../support/query-api.ts";
import { freshUser } from "../support/users.ts";

const IN_TIME_MS = 3000;

/** The prefix of a document, and the text that replaces the content of its first element with text. */
interface Poison {
  readonly dtd: string;
  readonly text: string;
}

const LAUGHS = Array.from({ length: 30 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`);

const POISONS: Readonly<Record<string, Poison>> = {
  "a file in an entity": { dtd: '[<!ENTITY e SYSTEM "file:///etc/passwd">]', text: "&e;" },
  "an address in an entity": { dtd: '[<!ENTITY e SYSTEM "http://169.254.169.254/latest/">]', text: "&e;" },
  "an address as its DTD": { dtd: 'SYSTEM "http://169.254.169.254/latest/"', text: "" },
  "a parameter entity": { dtd: '[<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]', text: "" },
  "a billion laughs": { dtd: `[<!ENTITY l0 "ha">${LAUGHS.join("")}]`, text: "&l30;" },
  "a quadratic blow-up": { dtd: `[<!ENTITY b "${"x".repeat(50_000)}">]`, text: "&b;".repeat(20_000) },
  "a character that is none": { dtd: "", text: "&#9999999999;" },
  "a NUL by its number": { dtd: "", text: "&#0;" },
  "an undeclared entity": { dtd: "", text: "&toString;" },
  "a NUL": { dtd: "", text: "\0" },
};

function poisoned(document: string, { dtd, text }: Poison): string {
  const root = /<(\w+)/.exec(document)?.[1] ?? "";
  const declared = dtd === "" ? document : `<!DOCTYPE ${root} ${dtd}>${document}`;
  return declared.replace(/>([^<>]+)<\//, (_, old: string) => `>${old}${text}</`);
}

/** A malicious document made of a valid one. */
const SPOILT: Readonly<Record<string, (document: string) => string | Uint8Array>> = {
  ...Object.fromEntries(
    Object.entries(POISONS).map(([what, poison]) => [what, (document: string) => poisoned(document, poison)]),
  ),
  "depth without end": (document) => document.replace(/<\/\w+>$/, (end) => `${"<a>".repeat(50_000)}${end}`),
  "depth with an end": (document) => {
    const nest = "<a>".repeat(5000) + "</a>".repeat(5000);
    return document.replace(/<\/\w+>$/, (end) => nest + end);
  },
  "another root after it": (document) => document + document,
  "an element of JavaScript's": (document) =>
    document.replace(/<\/\w+>$/, (end) => `<__proto__><a>1</a></__proto__>${end}`),
  "an attribute twice": (document) => document.replace(/>/, ' a="1" a="2">'),
  "10 MB of space": (document) => document + " ".repeat(10_000_000),
  "UTF-16": (document) => utf16(document),
  "UTF-16 without saying so": (document) => utf16(document).subarray(2),
  "bytes that are no UTF-8": (document) => Uint8Array.of(...utf8(document.replace(/<\/\w+>$/, "")), 0xff, 0xfe),
  "nothing in it": () => "",
  "JSON in its place": () => '{"__proto__":{"polluted":true}}',
};

function utf16(text: string): Uint8Array {
  const units = Uint16Array.from(`\ufeff${text}`, (character) => character.charCodeAt(0));
  return new Uint8Array(units.buffer);
}

/** The digest of a document, and the account id for operations of S3 Control. */
function withDigest(body: string | Uint8Array, account?: string): SendOptions {
  const digest = { "content-md5": md5Base64(typeof body === "string" ? utf8(body) : body) };
  return { body, headers: account === undefined ? digest : { ...digest, "x-amz-account-id": account } };
}

/** Sends the document and asserts that it is rejected in bounded time, as the client's error. */
async function refuse(what: string, method: string, target: string, options: SendOptions): Promise<void> {
  const refused = async (): Promise<void> => {
    const response = await send(method, target, options);
    const text = await response.text();
    expect([what, response.status], text.slice(0, 300)).toEqual([what, 400]);
    expect(text, what).toContain("<Error><Code>");
    expect(text, what).not.toMatch(/root:|polluted/);
  };
  await expectSoon(what, refused, IN_TIME_MS);
}

const DELETION: OperationRequest = {
  method: "POST",
  target: "",
  options: documented("<Delete><Object><Key>k</Key></Object></Delete>"),
  permissions: [],
};

async function deletion(): Promise<OperationRequest> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "text" });
  return { ...DELETION, target: `/${bucket}?delete` };
}

const attempts: (readonly [name: string, attempt: OperationRequest, document: string])[] = [];
beforeAll(async () => {
  for (const [name, preparations] of Object.entries({ ...PREPARATIONS, DeleteObjects: [deletion] })) {
    for (const prepare of preparations) {
      const attempt = await prepare();
      const document = attempt.options?.body;
      if (typeof document === "string" && document.startsWith("<")) attempts.push([name, attempt, document]);
    }
  }
});

/** The operations that take a document, except CreateBucket, which creates the buckets of the others. */
const OPERATIONS = [
  "TagResource",
  "PutBucketVersioning",
  "PutBucketAcl",
  "PutBucketOwnershipControls",
  "PutPublicAccessBlock",
  "PutBucketCors",
  "PutBucketTagging",
  "PutBucketEncryption",
  "PutBucketLifecycleConfiguration",
  "PutBucketNotificationConfiguration",
  "PutBucketDelivery",
  "PutBucketUpstream",
  "PutBucketWebsite",
  "PutObjectLockConfiguration",
  "PutObjectRetention",
  "PutObjectLegalHold",
  "PutBucketQuota",
  "PutBucketQueryConfiguration",
  "GetObjectsArchive",
  "PutObjectAcl",
  "PutObjectTagging",
  "CompleteMultipartUpload",
  "DeleteObjects",
];

describe("a document", () => {
  it("is accepted by these operations", () => {
    expect(Array.from(new Set(attempts.map(([name]) => name)))).toEqual(OPERATIONS);
  });

  it.each(OPERATIONS)("that is malicious is rejected by %s for any defect, and changes nothing", async (operation) => {
    for (const [name, { method, target, options }, document] of attempts) {
      if (name !== operation) continue;
      const { "x-amz-account-id": account } = options?.headers ?? {};
      await expectUntouched(bucketNamedIn(target), async () => {
        for (const [what, spoil] of Object.entries(SPOILT)) {
          await refuse(what, method, target, withDigest(spoil(document), account));
        }
      });
    }
  });

  it("that is malicious creates no bucket", async () => {
    const constraint = "<LocationConstraint>eu-west-1</LocationConstraint>";
    const document = `<CreateBucketConfiguration>${constraint}</CreateBucketConfiguration>`;
    const bucket = freshBucketName();
    for (const [what, spoil] of Object.entries(SPOILT)) {
      const body = spoil(document);
      // Without a document CreateBucket uses the default region.
      if (body !== "") await refuse(what, "PUT", `/${bucket}`, withDigest(body));
    }
    expect((await send("HEAD", `/${bucket}`)).status).toBe(404);
  });

  it("with 50,000 attributes is answered in bounded time", async () => {
    const attributes = Array.from({ length: 50_000 }, (_, index) => ` a${index}="${index}"`).join("");
    for (const [name, { method, target }, document] of attempts) {
      const answered = async (): Promise<void> => {
        const response = await send(method, target, withDigest(document.replace(/>/, `${attributes}>`)));
        expect([name, response.status < 500]).toEqual([name, true]);
        await response.arrayBuffer();
      };
      await expectSoon(name, answered, IN_TIME_MS);
    }
  });
});

/** Invalid policies made of a valid one. */
const SPOILT_POLICIES: Readonly<Record<string, (policy: string) => string>> = {
  "a condition of JavaScript's": (policy) => policy.replace('"Action"', '"Condition":{"__proto__":{"a":"b"}},"Action"'),
  "a key of JavaScript's in a condition": (policy) =>
    policy.replace('"Action"', '"Condition":{"StringEquals":{"__proto__":"b"}},"Action"'),
  "a constructor as an operator": (policy) =>
    policy.replace('"Action"', '"Condition":{"constructor":{"aws:username":"b"}},"Action"'),
  "a prototype with a statement": (policy) => policy.replace("{", '{"__proto__":{"Statement":[]},'),
  "a prototype in a statement": (policy) => policy.replace('"Effect"', '"__proto__":{"Effect":"Allow"},"Effect"'),
  "an effect in lower case": (policy) => policy.replace('"Allow"', '"allow"'),
  "its effect twice": (policy) => policy.replace('"Effect"', '"Effect":"Deny","Effect"'),
  "its version twice": (policy) => policy.replace("{", '{"Version":"2012-10-17",'),
  "an operator that is none": (policy) =>
    policy.replace('"Action"', '"Condition":{"StringSame":{"aws:username":"b"}},"Action"'),
  "a range of addresses that is none": (policy) =>
    policy.replace('"Action"', '"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}},"Action"'),
  "depth without end": () => "[".repeat(10_000),
  "depth in a condition": (policy) => policy.replace('"Action"', `"Condition":${'{"a":'.repeat(5000)}`),
  "a NUL": (policy) => policy.replace("{", "{\0"),
  "numbers for texts": (policy) => policy.replace(/"s3:\w+"/, "1e999"),
  "a comment": (policy) => policy.replace("{", "{/* */"),
  "a comma at its end": (policy) => policy.replace(/\}$/, ",}"),
  "10 MB": (policy) => policy + " ".repeat(10_000_000),
};

describe("a policy", () => {
  it("that is invalid is rejected for a bucket, which stays private", async () => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () => {
      for (const [what, spoil] of Object.entries(SPOILT_POLICIES)) {
        await refuse(what, "PUT", `/${bucket}?policy`, { body: spoil(publicReadPolicy(bucket)) });
      }
    });
  });

  it("without a principal is rejected for a bucket", async () => {
    const bucket = await freshBucket();
    const body = publicReadPolicy(bucket).replace('"Principal":"*",', "");
    await expectS3Error(await send("PUT", `/${bucket}?policy`, { body }), { status: 400, code: "MalformedPolicy" });
  });

  it("that is invalid is rejected for a user and for a session", async () => {
    const user = await freshUser({ Effect: "Allow", Action: "sts:*", Resource: "*" });
    for (const [what, spoil] of Object.entries(SPOILT_POLICIES)) {
      const document = spoil(publicReadPolicy("b").replace('"Principal":"*",', ""));
      const named = { UserName: user.name, PolicyName: "p", PolicyDocument: document };
      const put = await call("iam", "PutUserPolicy", named);
      expect([what, put.status >= 400 && put.status < 500]).toEqual([what, true]);
      const begun = await call("sts", "GetFederationToken", { Name: "f", Policy: document }, user);
      expect([what, begun.status >= 400 && begun.status < 500]).toEqual([what, true]);
    }
    const listed = await (await call("iam", "ListUserPolicies", { UserName: user.name })).text();
    expect(listed).not.toContain("<member>p</member>");
  });

  it("that is invalid in a form stores nothing", async () => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () => {
      for (const conditions of [
        [{ bucket }, { key: "k", constructor: "x" }],
        [{ bucket }, ["starts-with", "$key", ""], ["toString", "$key", ""]],
        [{ bucket }, ["starts-with", "key", ""]],
        [{ bucket }, ["starts-with", "$key", "", ""]],
        [{ bucket }, ["eq", "$key"]],
        [{ bucket }, ["starts-with", "$key", ""], ["content-length-range", "x", 1]],
        [{ bucket }, "starts-with"],
        [{ bucket }, null],
        [{ bucket }, [["starts-with", "$key", ""]]],
      ]) {
        const fields = { key: "k", ...signPolicy(conditions) };
        const response = await sendForm(bucket, formOf([...Object.entries(fields), ["file", "x"]]));
        expect([400, 403], JSON.stringify(conditions)).toContain(response.status);
        await response.arrayBuffer();
      }
    });
  });
});

describe("a name with a meaning in JavaScript", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then"];

  it.each(NAMES)("is an ordinary name: %s", async (name) => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const bucket = await freshBucket();
    const headers = { [`x-amz-meta-${name}`]: "polluted", "x-amz-tagging": `${name}=polluted` };
    expect((await send("PUT", `/${bucket}/${name}`, { body: "text", headers })).status).toBe(200);
    const got = await send("GET", `/${bucket}/${name}`);
    expect(got.headers.get(`x-amz-meta-${name.toLowerCase()}`)).toBe("polluted");
    expect(await got.text()).toBe("text");
    const tags = await (await send("GET", `/${bucket}/${name}?tagging`)).text();
    expect(tags).toContain(`<Tag><Key>${name}</Key><Value>polluted</Value></Tag>`);
    expect(await (await send("GET", `/${bucket}?list-type=2&prefix=${name}`)).text()).toContain(`<Key>${name}</Key>`);
    for (const target of [`/${bucket}?${name}`, `/${bucket}/${name}?${name}=1`, `/?${name}`]) {
      expect((await send("GET", target)).status).toBe(200);
    }
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });
});
