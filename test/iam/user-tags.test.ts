import { describe, expect, it } from "vitest";

import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  allow,
  call,
  fieldsOf,
  freshUser,
  freshUserName,
  membersOf,
  refuse,
  s3Status,
  succeed,
  type Parameters,
} from "../support/query-api.ts";
import { textOf } from "../support/read-xml.ts";

type Tags = readonly (readonly [key: string, value: string])[];

function tagParameters(tags: Tags): Parameters {
  return Object.fromEntries(
    tags.flatMap(([key, value], index) => [
      [`Tags.member.${index + 1}.Key`, key],
      [`Tags.member.${index + 1}.Value`, value],
    ]),
  );
}

async function userWith(tags: Tags): Promise<string> {
  const UserName = freshUserName();
  await succeed("iam", "CreateUser", { UserName, ...tagParameters(tags) });
  return UserName;
}

async function tagsOf(UserName: string): Promise<Tags> {
  const result = await succeed("iam", "ListUserTags", { UserName });
  expect(textOf(result, "IsTruncated")).toBe("false");
  return membersOf(result, "Tags").map((tag) => {
    const { Key = "", Value = "" } = fieldsOf(tag);
    return [Key, Value];
  });
}

const many = (count: number): Tags => Array.from({ length: count }, (_, index) => [`k${index}`, "v"] as const);

describe("TagUser, UntagUser and ListUserTags", () => {
  it("add, replace and delete tags, with case-insensitive keys", async () => {
    const name = await userWith([["Team", "a"]]);
    await succeed("iam", "TagUser", {
      UserName: name,
      ...tagParameters([
        ["other é", ""],
        ["team", "b"],
      ]),
    });
    expect(await tagsOf(name)).toEqual([
      ["other é", ""],
      ["team", "b"],
    ]);
    const TagKeys = { "TagKeys.member.1": "TEAM", "TagKeys.member.2": "absent" };
    await succeed("iam", "UntagUser", { UserName: name, ...TagKeys });
    expect(await tagsOf(name)).toEqual([["other é", ""]]);
  });

  it("accept keys that are prototype names", async () => {
    const tags: Tags = [
      ["__proto__", "1"],
      ["constructor", "2"],
    ];
    expect(await tagsOf(await userWith(tags))).toEqual(tags);
  });

  it("paginate", async () => {
    const name = await userWith(many(3));
    const first = await succeed("iam", "ListUserTags", { UserName: name, MaxItems: "2" });
    expect(textOf(first, "IsTruncated")).toBe("true");
    const Marker = textOf(first, "Marker") ?? "";
    const second = await succeed("iam", "ListUserTags", { UserName: name, MaxItems: "2", Marker });
    expect(textOf(second, "IsTruncated")).toBe("false");
    const keys = [first, second].flatMap((page) => membersOf(page, "Tags").map((tag) => textOf(tag, "Key")));
    expect(keys).toEqual(["k0", "k1", "k2"]);
  });

  it("accept at most fifty tags, in one call or over several", async () => {
    const name = await userWith(many(50));
    expect(await tagsOf(name)).toHaveLength(50);
    await succeed("iam", "TagUser", { UserName: name, ...tagParameters([["k1", "new"]]) });
    await refuse("iam", "TagUser", { UserName: name, ...tagParameters([["one more", ""]]) }, [409, "LimitExceeded"]);
    const UserName = freshUserName();
    await refuse("iam", "CreateUser", { UserName, ...tagParameters(many(51)) }, [409, "LimitExceeded"]);
  });

  it("reject invalid tags", async () => {
    const name = await userWith([]);
    const refused = (parameters: Parameters, code: string) =>
      refuse("iam", "TagUser", { UserName: name, ...parameters }, [400, code]);
    await refused(
      tagParameters([
        ["k", "1"],
        ["K", "2"],
      ]),
      "InvalidInput",
    );
    await refused(tagParameters([["aws:x", "1"]]), "InvalidInput");
    await refused(tagParameters([["", "1"]]), "ValidationError");
    await refused(tagParameters([["x".repeat(129), "1"]]), "ValidationError");
    await refused(tagParameters([["k", "x".repeat(257)]]), "ValidationError");
    await refused(tagParameters([["k<", "1"]]), "ValidationError");
    await refused({ "Tags.member.1.Key": "k" }, "ValidationError");
    expect(await tagsOf(name)).toEqual([]);
    await refuse("iam", "TagUser", { UserName: freshUserName(), ...tagParameters([["k", "v"]]) }, [
      404,
      "NoSuchEntity",
    ]);
  });

  it("lose no concurrent change: each is applied or rejected", async () => {
    const name = await userWith([]);
    const statuses = await Promise.all(
      many(8).map(async (tag) => (await call("iam", "TagUser", { UserName: name, ...tagParameters([tag]) })).status),
    );
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
    expect(await tagsOf(name)).toHaveLength(statuses.filter((status) => status === 200).length);
  });
});

describe("a user's tags", () => {
  it("apply in policies from the next request on", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a/k": "x" });
    const policy = allow("s3:GetObject", `arn:aws:s3:::${bucket}/\${aws:PrincipalTag/team}/*`);
    const { name, credentials } = await freshUser(policy, tagParameters([["Team", "a"]]));
    const read = () => s3Status(credentials, "GET", `/${bucket}/a/k`);
    expect(await read()).toBe(200);
    await succeed("iam", "TagUser", { UserName: name, ...tagParameters([["team", "b"]]) });
    expect(await read()).toBe(403);
  });
});
