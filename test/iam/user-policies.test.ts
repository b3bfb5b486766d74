import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import {
  allow,
  fieldsOf,
  freshUser,
  freshUserName,
  membersOf,
  putPolicy,
  refuse,
  s3Status,
  succeed,
} from "../support/query-api.ts";
import { textOf } from "../support/read-xml.ts";

async function userWith(documents: Readonly<Record<string, string>>): Promise<string> {
  const UserName = freshUserName();
  await succeed("iam", "CreateUser", { UserName });
  for (const [PolicyName, PolicyDocument] of Object.entries(documents)) {
    await succeed("iam", "PutUserPolicy", { UserName, PolicyName, PolicyDocument });
  }
  return UserName;
}

describe("PutUserPolicy and GetUserPolicy", () => {
  it("store and return a policy as it was put, percent-encoded", async () => {
    const statement = `{"Sid": "A1", "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/é+&%20*"}`;
    const document = `\n{ "Version": "2012-10-17",\t"Statement": [${statement}] }\n`;
    const UserName = await userWith({ "a+b=c,d.e@f_g-h": document });
    const result = await succeed("iam", "GetUserPolicy", { UserName, PolicyName: "a+b=c,d.e@f_g-h" });
    const shown = fieldsOf(result);
    expect(shown).toMatchObject({ UserName, PolicyName: "a+b=c,d.e@f_g-h" });
    expect(shown["PolicyDocument"]).toMatch(/^[A-Za-z0-9%._~-]+$/);
    expect(decodeURIComponent(shown["PolicyDocument"] ?? "")).toBe(document);
  });

  it("replace a policy with the same name", async () => {
    const [first, second] = [JSON.stringify(allow("s3:GetObject")), JSON.stringify(allow("s3:PutObject"))];
    const UserName = await userWith({ p: first });
    await succeed("iam", "PutUserPolicy", { UserName, PolicyName: "p", PolicyDocument: second });
    const shown = textOf(await succeed("iam", "GetUserPolicy", { UserName, PolicyName: "p" }), "PolicyDocument");
    expect(decodeURIComponent(shown ?? "")).toBe(second);
  });

  it("reject an invalid policy with the reason, and keep the old one", async () => {
    const good = JSON.stringify(allow("s3:GetObject"));
    const UserName = await userWith({ p: good });
    const principal = { Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "*" }] };
    for (const PolicyDocument of [
      "x",
      "{}",
      "[]",
      JSON.stringify(principal),
      JSON.stringify(allow("s3:NoSuchAction")),
      JSON.stringify({ Statement: [{ Effect: "Perhaps", Action: "s3:*", Resource: "*" }] }),
    ]) {
      await refuse("iam", "PutUserPolicy", { UserName, PolicyName: "p", PolicyDocument }, [
        400,
        "MalformedPolicyDocument",
      ]);
    }
    for (const PolicyDocument of ["", "\u0001{}", "{\u20ac}"]) {
      await refuse("iam", "PutUserPolicy", { UserName, PolicyName: "p", PolicyDocument }, [400, "ValidationError"]);
    }
    for (const PolicyName of ["", "a b", "x".repeat(129)]) {
      await refuse("iam", "PutUserPolicy", { UserName, PolicyName, PolicyDocument: good }, [400, "ValidationError"]);
    }
    const shown = textOf(await succeed("iam", "GetUserPolicy", { UserName, PolicyName: "p" }), "PolicyDocument");
    expect(decodeURIComponent(shown ?? "")).toBe(good);
  });

  it("limit the total size of a user's policies, without white space", async () => {
    const long = (length: number): string =>
      JSON.stringify(allow(`s3:GetObject`, `arn:aws:s3:::${"x".repeat(length)}`));
    const UserName = await userWith({ a: long(5000) + " ".repeat(10_000) });
    await refuse("iam", "PutUserPolicy", { UserName, PolicyName: "b", PolicyDocument: long(5200) }, [
      409,
      "LimitExceeded",
      `Maximum policy size of 10240 bytes exceeded for user ${UserName}`,
    ]);
    await succeed("iam", "PutUserPolicy", { UserName, PolicyName: "a", PolicyDocument: long(5200) });
    await succeed("iam", "PutUserPolicy", { UserName, PolicyName: "b", PolicyDocument: long(4500) });
  });

  it("report whether the user or the policy is missing", async () => {
    const UserName = await userWith({});
    for (const action of ["GetUserPolicy", "DeleteUserPolicy"]) {
      await refuse("iam", action, { UserName, PolicyName: "p" }, [404, "NoSuchEntity", "policy with name p"]);
      await refuse("iam", action, { UserName: freshUserName(), PolicyName: "p" }, [
        404,
        "NoSuchEntity",
        "The user with",
      ]);
    }
  });
});

describe("ListUserPolicies", () => {
  it("lists names in order, with pagination", async () => {
    const document = JSON.stringify(allow("s3:GetObject"));
    const UserName = await userWith({ c: document, a: document, __proto__x: document, b: document });
    const names = ["__proto__x", "a", "b", "c"];
    for (const size of [1, 3, 4, 100]) {
      const found: string[] = [];
      for (let marker: string | undefined; ;) {
        const page = marker === undefined ? {} : { Marker: marker };
        const result = await succeed("iam", "ListUserPolicies", { UserName, MaxItems: String(size), ...page });
        found.push(...membersOf(result, "PolicyNames").map(({ text }) => text));
        marker = textOf(result, "Marker");
        expect(textOf(result, "IsTruncated")).toBe(String(marker !== undefined));
        if (marker === undefined) break;
      }
      expect(found).toEqual(names);
    }
  });
});

describe("a user's policies", () => {
  it("apply from the next request on, individually and together", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const { name, credentials } = await freshUser();
    const get = () => s3Status(credentials, "GET", `/${bucket}/k`);
    expect(await get()).toBe(403);
    await putPolicy(name, allow("s3:GetObject", `arn:aws:s3:::${bucket}/*`), "read");
    expect(await get()).toBe(200);
    expect(await s3Status(credentials, "PUT", `/${bucket}/k`, "y")).toBe(403);
    await putPolicy(name, allow("s3:PutObject", `arn:aws:s3:::${bucket}/*`), "write");
    expect(await s3Status(credentials, "PUT", `/${bucket}/k`, "y")).toBe(200);
    await putPolicy(name, { Statement: [{ Effect: "Deny", Action: "s3:GetObject", Resource: "*" }] }, "deny");
    expect(await get()).toBe(403);
    await succeed("iam", "DeleteUserPolicy", { UserName: name, PolicyName: "deny" });
    expect(await get()).toBe(200);
    await succeed("iam", "DeleteUserPolicy", { UserName: name, PolicyName: "read" });
    expect(await get()).toBe(403);
  });

  it("limit a tenant to its prefix, also in listings", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a/1": "x", "b/1": "x" });
    const { credentials } = await freshUser({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `arn:aws:s3:::${bucket}/a/*` },
        {
          Effect: "Allow",
          Action: "s3:ListBucket",
          Resource: `arn:aws:s3:::${bucket}`,
          Condition: { StringLike: { "s3:prefix": "a/*" } },
        },
      ],
    });
    const status = (method: string, target: string, body?: string) => s3Status(credentials, method, target, body);
    expect(await status("GET", `/${bucket}/a/1`)).toBe(200);
    expect(await status("PUT", `/${bucket}/a/2`, "x")).toBe(200);
    expect(await status("GET", `/${bucket}?list-type=2&prefix=a/`)).toBe(200);
    for (const [method, target] of [
      ["GET", `/${bucket}/b/1`],
      ["PUT", `/${bucket}/b/2`],
      ["DELETE", `/${bucket}/a/1`],
      ["GET", `/${bucket}?list-type=2&prefix=b/`],
      ["GET", `/${bucket}?list-type=2`],
      ["GET", `/${bucket}?versions`],
      ["GET", "/"],
    ] as const) {
      expect(await status(method, target, method === "PUT" ? "x" : undefined), `${method} ${target}`).toBe(403);
    }
  });

  it("can contain variables: with one policy, each user is limited to its own prefix", async () => {
    const bucket = await freshBucket();
    const policy = allow(["s3:PutObject", "s3:GetObject"], `arn:aws:s3:::${bucket}/\${aws:username}/*`);
    const [one, other] = [await freshUser(policy), await freshUser(policy)];
    expect(await s3Status(one.credentials, "PUT", `/${bucket}/${one.name}/k`, "x")).toBe(200);
    expect(await s3Status(other.credentials, "GET", `/${bucket}/${one.name}/k`)).toBe(403);
    expect(await s3Status(other.credentials, "PUT", `/${bucket}/${other.name}/k`, "x")).toBe(200);
  });
});

describe("a user's buckets", () => {
  it("are the ones it created: it sees no others, and others cannot create theirs", async () => {
    const [one, other] = [await freshUser(allow("s3:*")), await freshUser(allow("s3:*"))];
    const bucket = freshBucketName();
    expect((await send("PUT", `/${bucket}`, { credentials: one.credentials })).status).toBe(200);
    const list = async (credentials: typeof one.credentials): Promise<string> =>
      (await send("GET", "/", { credentials })).text();
    expect(await list(one.credentials)).toContain(`<Name>${bucket}</Name>`);
    expect(await list(other.credentials)).not.toContain("<Name>");
  });
});
