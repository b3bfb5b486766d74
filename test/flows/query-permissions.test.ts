// A query shows a key's tags and metadata, by matching or by returning them, only to callers who may read them. What a
// caller may not read changes neither the result nor the pages.
import { beforeAll, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { found, queryPage, queryPages, queryTarget } from "../support/queries.ts";
import { childrenOf, textOf } from "../support/read-xml.ts";
import { freshUser } from "../support/users.ts";

const LISTING = { Effect: "Allow", Action: ["s3:QueryBucket", "s3:ListBucket"], Resource: "*" };

describe("a query", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    for (const key of ["mine/a", "mine/b", "other/a", "other/b", "other/c"]) {
      const headers = { "x-amz-tagging": `team=red&open=${key.endsWith("a")}`, "x-amz-meta-build": "7" };
      expect((await send("PUT", `/${bucket}/${key}`, { body: "1", headers })).status).toBe(200);
    }
  });

  it.each(["s3:QueryBucket", "s3:ListBucket"])("needs %s", async (action) => {
    const denied = { Effect: "Deny", Action: action, Resource: "*" };
    const user = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" }, denied);
    const response = await send("GET", `/${bucket}?query`, { credentials: user.credentials });
    expect(response.status).toBe(403);
  });

  it("stays within the prefix that a policy allows to list", async () => {
    const user = await freshUser({ ...LISTING, Condition: { StringLike: { "s3:prefix": "mine/*" } } });
    const options = { credentials: user.credentials };
    expect(await found(bucket, { prefix: "mine/" }, options)).toEqual(["mine/a", "mine/b"]);
    for (const parameters of [{}, { glob: "mine/*" }, { prefix: "other/" }]) {
      expect((await send("GET", queryTarget(bucket, parameters), options)).status).toBe(403);
    }
  });

  it("by key, size and time needs no right to read objects", async () => {
    const { credentials } = await freshUser(LISTING);
    const parameters = { suffix: "a", "min-size": "1", "modified-after": "2001-01-01T00:00:00Z" };
    expect(await found(bucket, parameters, { credentials })).toEqual(["mine/a", "other/a"]);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["s3:GetObjectTagging", { "tag.team": "red" }],
    ["s3:GetObject", { "meta.build": "7" }],
    ["s3:GetObject", { "content-type": "binary/octet-stream" }],
  ])("finds the keys on which the caller has %s with %j", async (action, parameters) => {
    const mine = { Effect: "Allow", Action: action, Resource: `arn:aws:s3:::${bucket}/mine/*` };
    const { credentials } = await freshUser(LISTING, mine);
    expect(await found(bucket, parameters, { credentials })).toEqual(["mine/a", "mine/b"]);
    // The pages are those of a bucket without the other keys.
    const pages = await queryPages(bucket, { ...parameters, "max-keys": "1" }, { credentials });
    expect(pages.map(({ keys }) => keys)).toEqual([["mine/a"], ["mine/b"]]);
    const wrong = Object.fromEntries(Object.keys(parameters).map((name) => [name, "text/none"]));
    expect(await found(bucket, wrong, { credentials })).toEqual([]);
    const { credentials: none } = await freshUser(LISTING);
    expect(await found(bucket, parameters, { credentials: none })).toEqual([]);
  });

  it("obeys conditions on the tags of each object", async () => {
    const open = {
      Effect: "Allow",
      Action: "s3:GetObjectTagging",
      Resource: "*",
      Condition: { StringEquals: { "s3:ExistingObjectTag/open": "true" } },
    };
    const { credentials } = await freshUser(LISTING, open);
    expect(await found(bucket, { "tag.team": "red" }, { credentials })).toEqual(["mine/a", "other/a"]);
  });

  it("returns tags and metadata of the keys that the caller may read, and the other keys without", async () => {
    const tags = { Effect: "Allow", Action: "s3:GetObjectTagging", Resource: `arn:aws:s3:::${bucket}/mine/a` };
    const metadata = { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/other/a` };
    const { credentials } = await freshUser(LISTING, tags, metadata);
    const { contents, keys } = await queryPage(bucket, { include: "tags,metadata" }, { credentials });
    const having = (name: string): string[] =>
      contents.filter((entry) => childrenOf(entry, name).length > 0).map((entry) => textOf(entry, "Key") ?? "");
    const withTags = having("TagSet");
    const withMetadata = having("UserMetadata");
    expect({ keys: keys.length, withTags, withMetadata }).toEqual({
      keys: 5,
      withTags: ["mine/a"],
      withMetadata: ["other/a"],
    });
  });
});
