// Policies that limit the tags of a bucket with aws:RequestTag and aws:TagKeys, for every operation that sets tags.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { sendForTags, tagResourceOf, tagsPath } from "../support/resource-tags.ts";
import { sendTagging, taggingOf, tagsOf } from "../support/tagging.ts";
import { allow, freshUser } from "../support/users.ts";

type Tags = Readonly<Record<string, string>>;
type Credentials = NonNullable<SendOptions["credentials"]>;

const ACTIONS = ["s3:CreateBucket", "s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource"];
const CREATE_CONFIGURATION = "CreateBucketConfiguration";

/** May set tags only if the team is `a` and there is no tag but `team` and `stage`. */
const TEAM_A = {
  Effect: "Allow",
  Action: ACTIONS,
  Resource: "*",
  Condition: {
    StringEquals: { "aws:RequestTag/Team": "a" },
    "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "stage"] },
  },
};

const TAGS: readonly (readonly [Tags, boolean])[] = [
  [{ team: "a" }, true],
  [{ team: "a", stage: "test" }, true],
  [{ team: "b" }, false],
  [{ team: "a", other: "x" }, false],
  [{ stage: "test" }, false],
];

async function createBucket(tags: Tags, credentials: Credentials): Promise<number> {
  const set = Object.entries(tags).map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  const body = `<${CREATE_CONFIGURATION}><Tags>${set.join("")}</Tags></${CREATE_CONFIGURATION}>`;
  return (await send("PUT", `/${freshBucketName()}`, { body, credentials })).status;
}

describe("tags that a policy limits", () => {
  it.each(TAGS)("are %j: their acceptance by CreateBucket is %s", async (tags, isAllowed) => {
    const { credentials } = await freshUser(TEAM_A);
    expect(await createBucket(tags, credentials)).toBe(isAllowed ? 200 : 403);
  });

  it.each(TAGS)("are %j: their acceptance by PutBucketTagging is %s", async (tags, isAllowed) => {
    const bucket = await freshBucket();
    const { credentials } = await freshUser(TEAM_A);
    const response = await send("PUT", `/${bucket}?tagging`, { body: taggingOf(tags), credentials });
    expect(response.status).toBe(isAllowed ? 200 : 403);
    if (isAllowed) expect(await tagsOf(`/${bucket}?tagging`)).toEqual(tags);
    else expect((await send("GET", `/${bucket}?tagging`)).status).toBe(404);
  });

  it.each(TAGS)("are %j: their acceptance by TagResource is %s", async (tags, isAllowed) => {
    const bucket = await freshBucket();
    const { credentials } = await freshUser(TEAM_A);
    const response = await sendForTags("POST", tagsPath(bucket), { body: tagResourceOf(tags), credentials });
    expect(response.status).toBe(isAllowed ? 204 : 403);
    if (!isAllowed) expect((await send("GET", `/${bucket}?tagging`)).status).toBe(404);
  });

  it("are removed by UntagResource only if aws:TagKeys allows their keys", async () => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ stage: "test", team: "a" }));
    const user = await freshUser();
    const Condition = { "ForAllValues:StringEquals": { "aws:TagKeys": ["STAGE"] } };
    await allow(user, { Effect: "Allow", Action: "s3:UntagResource", Resource: "*", Condition });
    const { credentials } = user;
    const remove = async (key: string): Promise<number> =>
      (await sendForTags("DELETE", `${tagsPath(bucket)}?tagKeys=${key}`, { credentials })).status;
    expect(await remove("team")).toBe(403);
    expect(await remove("stage")).toBe(204);
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual({ team: "a" });
  });

  it("are refused by a Deny on one of their keys, despite any Allow", async () => {
    const bucket = await freshBucket();
    const Condition = { "ForAnyValue:StringLike": { "aws:TagKeys": "cost*" } };
    const { credentials } = await freshUser(
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
      { Effect: "Deny", Action: ACTIONS, Resource: "*", Condition },
    );
    const tags = { a: "1", costCentre: "2" };
    expect(await createBucket(tags, credentials)).toBe(403);
    expect((await send("PUT", `/${bucket}?tagging`, { body: taggingOf(tags), credentials })).status).toBe(403);
    const body = tagResourceOf(tags);
    expect((await sendForTags("POST", tagsPath(bucket), { body, credentials })).status).toBe(403);
    expect(await createBucket({ a: "1" }, credentials)).toBe(200);
  });
});
