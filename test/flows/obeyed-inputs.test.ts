// Policies evaluate the effect of a request. A condition key has a value only when the operation obeys the header or
// parameter of its name; for copies and renames the value comes from the source object.
import { beforeAll, describe, expect, it } from "vitest";

import { documented, PREPARATIONS } from "../support/operation-requests.ts";
import { send, type SendOptions } from "../support/client.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { allow, freshUser, type TestUser } from "../support/users.ts";
import { versionedBucket } from "../support/versioning.ts";

/** An input that only some operations obey, and the value that a policy sees. */
interface Input {
  readonly key: string;
  readonly value: string;
  readonly header?: string;
  readonly parameter?: string;
  /** The value that a policy sees, when it differs from the sent value. */
  readonly seen?: string;
  readonly obeyedBy: readonly string[];
  /** Operations whose object always supplies the key. */
  readonly givenBy?: readonly string[];
}

const PARTS = ["UploadPart", "UploadPartCopy", "CompleteMultipartUpload"];
const UPLOADS = ["PutObject", "CopyObject", "CreateMultipartUpload"];
const ACLS = [...UPLOADS, "PutObjectAcl", "PutBucketAcl", "CreateBucket"];
const LISTS = ["ListObjects", "ListObjectsV2", "ListObjectVersions"];
const SCOPED = [...LISTS, "ListMultipartUploads"];
const VERSIONED = [
  "GetObject",
  "GetZipMember",
  "ListZipMembers",
  "HeadObject",
  "DeleteObject",
  "GetObjectAttributes",
  "GetObjectAcl",
  "PutObjectAcl",
  "GetObjectTagging",
  "PutObjectTagging",
  "DeleteObjectTagging",
  "GetObjectAnnotation",
  "ListObjectAnnotations",
  "PutObjectAnnotation",
  "DeleteObjectAnnotation",
];
/** Operations that refuse parameters that they do not obey. */
const STRICT = ["QueryBucket"];

const INPUTS: readonly Input[] = [
  { key: "s3:x-amz-acl", header: "x-amz-acl", value: "private", obeyedBy: ACLS },
  { key: "s3:x-amz-grant-read", header: "x-amz-grant-read", value: "id=000000000000", obeyedBy: ACLS },
  { key: "s3:x-amz-storage-class", header: "x-amz-storage-class", value: "ONEZONE_IA", obeyedBy: UPLOADS },
  { key: "s3:RequestObjectTag/team", header: "x-amz-tagging", value: "team=red", seen: "red", obeyedBy: UPLOADS },
  {
    key: "s3:if-match",
    header: "if-match",
    value: "*",
    obeyedBy: [
      "GetObject",
      "GetZipMember",
      "HeadObject",
      "RenameObject",
      "DeleteObject",
      "PutObject",
      "CopyObject",
      "CompleteMultipartUpload",
    ],
  },
  {
    key: "s3:if-none-match",
    header: "if-none-match",
    value: "*",
    obeyedBy: [
      "GetObject",
      "GetZipMember",
      "HeadObject",
      "RenameObject",
      "PutObject",
      "CopyObject",
      "CompleteMultipartUpload",
    ],
  },
  {
    key: "s3:x-amz-copy-source",
    header: "x-amz-copy-source",
    value: "approved/k",
    obeyedBy: ["CopyObject", "UploadPartCopy"],
  },
  {
    key: "s3:x-amz-metadata-directive",
    header: "x-amz-metadata-directive",
    value: "REPLACE",
    obeyedBy: ["CopyObject"],
  },
  {
    key: "s3:x-amz-object-ownership",
    header: "x-amz-object-ownership",
    value: "ObjectWriter",
    obeyedBy: ["CreateBucket"],
  },
  {
    key: "s3:x-amz-server-side-encryption",
    header: "x-amz-server-side-encryption",
    value: "AES256",
    obeyedBy: UPLOADS,
    givenBy: [...PARTS, "RenameObject"],
  },
  {
    key: "s3:prefix",
    parameter: "prefix",
    value: "mine/",
    obeyedBy: [
      ...SCOPED,
      "GetBucketArchive",
      "GetBucketUsage",
      "PreviewBucketLifecycle",
      "QueryBucket",
      "RestoreBucketSnapshot",
    ],
  },
  { key: "s3:delimiter", parameter: "delimiter", value: "/", obeyedBy: SCOPED, givenBy: STRICT },
  { key: "s3:max-keys", parameter: "max-keys", value: "1", obeyedBy: [...LISTS, "ListZipMembers", "QueryBucket"] },
  { key: "s3:VersionId", parameter: "versionId", value: "null", obeyedBy: VERSIONED, givenBy: STRICT },
];

/** Allows everything when a key has a value. */
const where = (key: string, value: string) => ({
  Effect: "Allow",
  Action: "s3:*",
  Resource: "*",
  Condition: { StringEquals: { [key]: value } },
});

describe.each(INPUTS.map((input) => [input.key, input] as const))("%s", (_key, input) => {
  let user: TestUser;
  beforeAll(async () => {
    user = await freshUser(where(input.key, input.seen ?? input.value));
  });

  it("has no value in an operation that does not obey its input", async () => {
    const evaluated: string[] = [];
    for (const [name, [prepare]] of Object.entries(PREPARATIONS)) {
      if (prepare === undefined || input.obeyedBy.includes(name) || input.givenBy?.includes(name) === true) continue;
      const { method, target, options = {} } = await prepare();
      const parameter = input.parameter === undefined ? "" : `${input.parameter}=${encodeURIComponent(input.value)}`;
      const joined = parameter === "" ? target : `${target}${target.includes("?") ? "&" : "?"}${parameter}`;
      const headers = { ...options.headers, ...(input.header === undefined ? {} : { [input.header]: input.value }) };
      // A header that selects another operation would request two at once.
      if (input.header === "x-amz-copy-source" && method === "PUT" && !target.includes("renameObject")) continue;
      const response = await send(method, joined, { ...options, headers, credentials: user.credentials });
      expect([name, response.status]).toEqual([name, 403]);
      evaluated.push(name);
    }
    expect(evaluated.length).toBeGreaterThan(30);
  });
});

const DENIED = 403;

async function statusOf(method: string, target: string, options: SendOptions): Promise<number> {
  return (await send(method, target, options)).status;
}

describe("a policy that allows copies from one approved bucket", () => {
  const source = { "x-amz-copy-source": "approved/k" };
  const statement = (bucket: string) => ({
    Effect: "Allow",
    Action: ["s3:PutObject", "s3:DeleteObject", "s3:GetObject"],
    Resource: `arn:aws:s3:::${bucket}/*`,
    Condition: { StringLike: { "s3:x-amz-copy-source": "approved/*" } },
  });

  it("is not satisfied by a form field or by a header next to another source", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { from: "text" });
    const { credentials } = await freshUser(statement(bucket));
    const fields = { key: "k", ...source };
    const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
    const parts = Object.entries({ ...fields, ...signPolicy(conditions, { credentials }) });
    const form = formOf([...parts, ["file", "x", "f"]]);
    expect((await sendForm(bucket, form)).status).toBe(DENIED);
    expect((await sendForm(bucket, form, source)).status).toBe(DENIED);
    const headers = { ...source, "x-amz-rename-source": "from" };
    expect(await statusOf("PUT", `/${bucket}/k?renameObject`, { headers, credentials })).toBe(DENIED);
    expect(await statusOf("POST", `/${bucket}/k?uploads`, { headers: source, credentials })).toBe(DENIED);
    expect(await statusOf("HEAD", `/${bucket}/k`, {})).toBe(404);
    expect(await statusOf("HEAD", `/${bucket}/from`, {})).toBe(200);
  });
});

describe("a bucket policy's requirement on objects", () => {
  const KEY = keyHeaders(customerKey(1));
  const authorization = (bucket: string, Condition: object) =>
    policyText({
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${bucket}/enc/*`,
      Condition,
    });
  const rename = (bucket: string, from: string, to: string, headers = {}) =>
    send("PUT", `/${bucket}/${to}?renameObject`, { headers: { "x-amz-rename-source": from, ...headers } });

  it.each<[string, object, Record<string, string>, Record<string, string>]>([
    ["a customer's key", { Null: { "s3:x-amz-server-side-encryption-customer-algorithm": "true" } }, KEY, KEY],
    [
      "a storage class",
      { StringNotEquals: { "s3:x-amz-storage-class": "STANDARD_IA" } },
      { "x-amz-storage-class": "STANDARD_IA" },
      { "x-amz-storage-class": "STANDARD_IA" },
    ],
    [
      "a tag",
      { StringNotEquals: { "s3:RequestObjectTag/class": "open" } },
      { "x-amz-tagging": "class=open" },
      { "x-amz-tagging": "class=open" },
    ],
    ["that it says how it is encrypted", { StringNotEquals: { "s3:x-amz-server-side-encryption": "AES256" } }, {}, {}],
  ])("as %s applies to the renamed object and not to the rename's headers", async (name, condition, made, named) => {
    const bucket = await freshBucket();
    const bare = name.startsWith("that") ? KEY : {};
    expect((await send("PUT", `/${bucket}/without`, { body: "x", headers: bare })).status).toBe(200);
    expect((await send("PUT", `/${bucket}/with`, { body: "x", headers: made })).status).toBe(200);
    expect((await putPolicy(bucket, authorization(bucket, condition))).status).toBe(204);
    expect((await rename(bucket, "without", "enc/k", named)).status).toBe(DENIED);
    expect((await rename(bucket, "with", "enc/k")).status).toBe(200);
    expect((await rename(bucket, "without", "enc-not/k")).status).toBe(200);
  });

  it("applies to an ACL that a rename moves", async () => {
    const bucket = await freshBucket();
    const body = `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`;
    await send("PUT", `/${bucket}?ownershipControls`, documented(body));
    await send("PUT", `/${bucket}/public`, { body: "x", headers: { "x-amz-acl": "public-read" } });
    await send("PUT", `/${bucket}/private`, { body: "x", headers: { "x-amz-acl": "private" } });
    await putPolicy(bucket, authorization(bucket, { StringLike: { "s3:x-amz-acl": "public-*" } }));
    expect((await rename(bucket, "public", "enc/k")).status).toBe(DENIED);
    expect((await rename(bucket, "private", "enc/k")).status).toBe(200);
  });

  it("applies to a copy's tags, whether copied or replaced", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/secret`, { body: "x", headers: { "x-amz-tagging": "class=secret" } });
    await putPolicy(bucket, authorization(bucket, { StringEquals: { "s3:RequestObjectTag/class": "secret" } }));
    const copy = (more: Record<string, string>) =>
      send("PUT", `/${bucket}/enc/k`, { headers: { "x-amz-copy-source": `${bucket}/secret`, ...more } });
    expect((await copy({})).status).toBe(DENIED);
    expect((await copy({ "x-amz-tagging": "class=open" })).status).toBe(DENIED);
    const replace = { "x-amz-tagging-directive": "REPLACE" };
    expect((await copy({ "x-amz-tagging": "class=secret", ...replace })).status).toBe(DENIED);
    expect((await copy({ "x-amz-tagging": "class=open", ...replace })).status).toBe(200);
  });

  it("sees in an upload's parts and completion the inputs of CreateMultipartUpload", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-storage-class": "STANDARD_IA" };
    const good = await createUpload(bucket, "enc/k", headers);
    const bad = await createUpload(bucket, "enc/k");
    const { etag } = await putPart(bucket, "enc/k", bad, 1, "text");
    await putPolicy(bucket, authorization(bucket, { StringNotEquals: { "s3:x-amz-storage-class": "STANDARD_IA" } }));
    const part = (uploadId: string) =>
      send("PUT", `/${bucket}/enc/k?partNumber=1&uploadId=${uploadId}`, { body: "text", headers });
    const complete = (uploadId: string) =>
      send("POST", `/${bucket}/enc/k?uploadId=${uploadId}`, { body: completionOf([{ partNumber: 1, etag }]), headers });
    expect((await part(bad)).status).toBe(DENIED);
    expect((await complete(bad)).status).toBe(DENIED);
    expect((await part(good)).status).toBe(200);
    expect((await complete(good)).status).toBe(200);
  });
});

describe("a write-once policy", () => {
  it("is not satisfied by a header that RestoreBucketSnapshot ignores", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "old" });
    await takeSnapshot(bucket, "s");
    await putAll(bucket, { k: "new" });
    const Condition = {
      Null: { "s3:if-none-match": "true" },
      Bool: { "s3:ObjectCreationOperation": "true" },
    };
    const statement = {
      Sid: "WriteOnce",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${bucket}/*`,
      Condition,
    };
    await putPolicy(bucket, policyText(statement));
    for (const headers of [{}, { "if-none-match": "*" }]) {
      expect(await statusOf("POST", `/${bucket}?restoreSnapshot=s`, { headers })).toBe(DENIED);
    }
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("new");
  });
});

describe("a policy that requires conditional deletions", () => {
  it("is satisfied by the condition of a DeleteObjects entry, and not by a header", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "text", b: "text" });
    const etag = (await send("HEAD", `/${bucket}/a`)).headers.get("etag") ?? "";
    const { credentials } = await freshUser(
      { Effect: "Allow", Action: "s3:GetObject", Resource: "*" },
      { ...where("s3:if-match", etag), Action: "s3:DeleteObject" },
    );
    const body = `<Delete><Object><Key>a</Key><ETag>${etag}</ETag></Object><Object><Key>b</Key></Object></Delete>`;
    const only = `<Delete><Object><Key>b</Key></Object></Delete>`;
    const headers = { ...documented(only).headers, "if-match": etag };
    const refused = await send("POST", `/${bucket}?delete`, { body: only, headers, credentials });
    expect(await refused.text()).toContain("<Error><Key>b</Key><Code>AccessDenied</Code>");
    const answered = await (await send("POST", `/${bucket}?delete`, { ...documented(body), credentials })).text();
    expect(answered).toContain("<Deleted><Key>a</Key></Deleted>");
    expect(answered).toContain("<Error><Key>b</Key><Code>AccessDenied</Code>");
    expect(await statusOf("HEAD", `/${bucket}/b`, {})).toBe(200);
  });
});

describe("a user who may list one prefix", () => {
  const RULES = `<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`;
  let bucket = "";
  let user: TestUser;
  beforeAll(async () => {
    bucket = await versionedBucket();
    await putAll(bucket, { "mine/a": "1", "theirs/b": "22", aaa: "333" });
    await createUpload(bucket, "theirs/upload");
    await send("PUT", `/${bucket}?lifecycle`, documented(RULES));
    await takeSnapshot(bucket, "s");
    user = await freshUser();
    const Condition = { StringLike: { "s3:prefix": "mine/*" } };
    await allow(user, { Effect: "Allow", Action: "s3:*", Resource: `arn:aws:s3:::${bucket}`, Condition });
  });

  const LISTS_OF_KEYS = ["", "?list-type=2", "?versions", "?uploads", "?usage", "?lifecycle&dry-run=2040-01-01"];
  const at = (path: string, query: string) =>
    query === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`;

  it.each(LISTS_OF_KEYS)("sees nothing else with %j", async (path) => {
    const { credentials } = user;
    for (const query of ["", "prefix=", "prefix=theirs/", "prefix=min"]) {
      expect([query, await statusOf("GET", at(`/${bucket}${path}`, query), { credentials })]).toEqual([query, DENIED]);
    }
    const response = await send("GET", at(`/${bucket}${path}`, "prefix=mine/"), { credentials });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toMatch(/theirs|aaa/);
    if (path !== "?uploads" && path !== "?usage") expect(text).toContain("<Key>mine/a</Key>");
  });

  it("sees nothing else in a snapshot", async () => {
    const { credentials } = user;
    expect(await statusOf("GET", `/${bucket}_s?list-type=2`, { credentials })).toBe(DENIED);
    const text = await (await send("GET", `/${bucket}_s?list-type=2&prefix=mine/`, { credentials })).text();
    expect(text).toContain("<Key>mine/a</Key>");
    expect(text).not.toContain("theirs");
  });

  it("cannot leave the prefix with a forged token or marker", async () => {
    const { credentials } = user;
    const seal = async (last: string, listing: readonly string[]) => {
      const digest = await crypto.subtle.digest(
        "SHA-256",
        new TextEncoder().encode(JSON.stringify(["cairn token", ...listing, last])),
      );
      const token = new Uint8Array([...new Uint8Array(digest).slice(0, 12), ...new TextEncoder().encode(last)]);
      return Buffer.from(token).toString("base64url");
    };
    const token = await seal("", ["usage", bucket, "mine/"]);
    const usage = await send("GET", `/${bucket}?usage&prefix=mine/&continuation-token=${token}`, { credentials });
    expect(await usage.text()).toContain("<Objects><Count>1</Count><Bytes>1</Bytes></Objects>");
    const position = Buffer.from(JSON.stringify(["current", "", ""])).toString("base64");
    const target = `/${bucket}?lifecycle&dry-run=2040-01-01&prefix=mine/&continuation-token=${encodeURIComponent(position)}`;
    expect(await (await send("GET", target, { credentials })).text()).not.toMatch(/theirs|aaa/);
    for (const query of ["marker=a", "versions&key-marker=a", "uploads&key-marker=a", "list-type=2&start-after=a"]) {
      const text = await (await send("GET", `/${bucket}?prefix=mine/&${query}`, { credentials })).text();
      expect(text.replace(/<(Key)?Marker>a<\/(Key)?Marker>/, "")).not.toMatch(/theirs|aaa/);
    }
  });

  it("restores nothing else", async () => {
    const { credentials } = user;
    await putAll(bucket, { "mine/a": "new", "theirs/b": "new" });
    for (const query of ["", "&prefix=theirs/"]) {
      expect(await statusOf("POST", `/${bucket}?restoreSnapshot=s${query}`, { credentials })).toBe(DENIED);
    }
    expect(await statusOf("POST", `/${bucket}?restoreSnapshot=s&prefix=mine/`, { credentials })).toBe(200);
    expect(await (await send("GET", `/${bucket}/mine/a`)).text()).toBe("1");
    expect(await (await send("GET", `/${bucket}/theirs/b`)).text()).toBe("new");
  });
});
