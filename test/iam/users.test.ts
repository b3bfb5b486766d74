import { describe, expect, it } from "vitest";

import { ROOT } from "../support/client.ts";
import {
  allow,
  call,
  fieldsOf,
  freshKey,
  freshUser,
  freshUserName,
  membersOf,
  only,
  putPolicy,
  refuse,
  succeed,
  type Parameters,
} from "../support/query-api.ts";
import { childrenOf, namesOf, plain, textOf } from "../support/read-xml.ts";

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

async function create(parameters: Parameters = {}): Promise<string> {
  const name = parameters["UserName"] ?? freshUserName();
  await succeed("iam", "CreateUser", { ...parameters, UserName: name });
  return name;
}

async function getUser(name: string): Promise<Readonly<Record<string, string>>> {
  return fieldsOf(only(await succeed("iam", "GetUser", { UserName: name }), "User"));
}

describe("CreateUser and GetUser", () => {
  it("return a user with path, id, ARN and date", async () => {
    const name = freshUserName();
    const created = only(await succeed("iam", "CreateUser", { UserName: name, Path: "/a/b/" }), "User");
    expect(plain(created)).toEqual({
      Path: "/a/b/",
      UserName: name,
      UserId: expect.stringMatching(/^AIDA[0-9A-V]{16}$/),
      Arn: `arn:aws:iam::000000000000:user/a/b/${name}`,
      CreateDate: expect.stringMatching(DATE),
    });
    expect(namesOf(created)).toEqual(["Path", "UserName", "UserId", "Arn", "CreateDate"]);
    expect(Math.abs(Date.parse(textOf(created, "CreateDate") ?? "") - Date.now())).toBeLessThan(60_000);
    expect(await getUser(name)).toEqual(plain(created));
  });

  it("put a user without a path at the root path, and return tags", async () => {
    const name = await create({ "Tags.member.1.Key": "team", "Tags.member.1.Value": "a b/ü" });
    const user = only(await succeed("iam", "GetUser", { UserName: name }), "User");
    expect(textOf(user, "Path")).toBe("/");
    expect(textOf(user, "Arn")).toBe(`arn:aws:iam::000000000000:user/${name}`);
    expect(membersOf(user, "Tags").map(plain)).toEqual([{ Key: "team", Value: "a b/ü" }]);
  });

  it("compare names case-insensitively, and allow each name once", async () => {
    const name = await create({ UserName: `Name-${crypto.randomUUID()}` });
    for (const again of [name, name.toLowerCase(), name.toUpperCase()]) {
      await refuse("iam", "CreateUser", { UserName: again }, [
        409,
        "EntityAlreadyExists",
        `User with name ${again} already exists.`,
      ]);
    }
    expect(await getUser(name.toLowerCase())).toMatchObject({ UserName: name });
  });

  it("accept names with every allowed character, 64 of them, and prototype names", async () => {
    const random = crypto.randomUUID().replaceAll("-", "");
    for (const name of [`+=,.@_-${random}`, random.padEnd(64, "x")]) {
      await create({ UserName: name });
      expect(await getUser(name)).toMatchObject({ UserName: name });
    }
    for (const name of ["__proto__", "constructor", "toString"]) {
      await refuse("iam", "GetUser", { UserName: name }, [404, "NoSuchEntity"]);
      await create({ UserName: name });
      expect(await getUser(name)).toMatchObject({ UserName: name });
      await succeed("iam", "DeleteUser", { UserName: name });
    }
  });

  it("reject invalid names, paths and parameters", async () => {
    const invalid = (parameters: Parameters, message: string | RegExp = "") =>
      refuse("iam", "CreateUser", { UserName: freshUserName(), ...parameters }, [400, "ValidationError", message]);
    for (const name of ["", "x".repeat(65), "a b", "a/b", "ä", "a:b", "a\n", "*"]) await invalid({ UserName: name });
    for (const path of ["", "a", "/a", "a/", "/ä/", "/a b/", `/${"a".repeat(511)}/`]) await invalid({ Path: path });
    await invalid({ PermissionsBoundary: "arn:aws:iam::000000000000:policy/x" }, "not supported");
    await refuse("iam", "CreateUser", {}, [400, "ValidationError", /Value at 'userName' failed .* must not be null/]);
    await refuse("iam", "GetUser", { UserName: freshUserName() }, [404, "NoSuchEntity", "cannot be found"]);
  });

  it("return the caller when no user is named, and root itself", async () => {
    const { name, credentials } = await freshUser(allow("iam:GetUser"));
    const user = only(await succeed("iam", "GetUser", {}, { credentials }), "User");
    expect(textOf(user, "UserName")).toBe(name);
    const root = only(await succeed("iam", "GetUser"), "User");
    expect(plain(root)).toEqual({
      UserId: "000000000000",
      Arn: "arn:aws:iam::000000000000:root",
      CreateDate: "1970-01-01T00:00:00Z",
    });
  });
});

describe("ListUsers", () => {
  it("lists the users under a path, with pagination, by name and without their tags", async () => {
    const base = `/${crypto.randomUUID()}`;
    const users: [path: string, name: string][] = [];
    for (const path of [`${base}/a/`, `${base}/b/`, `${base}/b/c/`]) {
      for (let index = 0; index < 3; index += 1) {
        const name = await create({ Path: path, "Tags.member.1.Key": "k", "Tags.member.1.Value": "v" });
        users.push([path, name]);
      }
    }
    await create({ Path: `${base}x/` });
    const expected = users.toSorted(([, name], [, other]) => (name < other ? -1 : 1));
    for (const [prefix, wanted] of [
      [`${base}/`, expected],
      [`${base}/b/`, expected.filter(([path]) => path.startsWith(`${base}/b/`))],
      [`${base}/none/`, []],
    ] as const) {
      for (const size of [1, 2, wanted.length, 1000]) {
        if (size === 0) continue;
        const found: unknown[] = [];
        for (let marker: string | undefined; ;) {
          const page: Parameters = marker === undefined ? {} : { Marker: marker };
          const result = await succeed("iam", "ListUsers", { PathPrefix: prefix, MaxItems: String(size), ...page });
          const members = membersOf(result, "Users");
          for (const member of members) {
            expect(namesOf(member)).toEqual(["Path", "UserName", "UserId", "Arn", "CreateDate"]);
            found.push([textOf(member, "Path"), textOf(member, "UserName")]);
          }
          marker = textOf(result, "Marker");
          expect(textOf(result, "IsTruncated")).toBe(String(marker !== undefined));
          if (marker === undefined) break;
          expect(members).toHaveLength(size);
        }
        expect(found).toEqual(wanted);
      }
    }
  });

  it("rejects invalid page sizes, prefixes and markers", async () => {
    for (const parameters of [
      { MaxItems: "0" },
      { MaxItems: "1001" },
      { MaxItems: "x" },
      { PathPrefix: "a" },
      { Marker: "x" },
      { Marker: "" },
    ]) {
      await refuse("iam", "ListUsers", { ...parameters }, [400, "ValidationError"]);
    }
  });
});

describe("UpdateUser", () => {
  it("changes a user's name and path, and keeps id, keys and policies", async () => {
    const { name, credentials } = await freshUser(allow("iam:GetUser"));
    const before = await getUser(name);
    const newName = freshUserName();
    await succeed("iam", "UpdateUser", { UserName: name, NewUserName: newName, NewPath: "/new/" });
    await refuse("iam", "GetUser", { UserName: name }, [404, "NoSuchEntity"]);
    const after = only(await succeed("iam", "GetUser", {}, { credentials }), "User");
    expect(plain(after)).toEqual({
      ...before,
      UserName: newName,
      Path: "/new/",
      Arn: `arn:aws:iam::000000000000:user/new/${newName}`,
    });
  });

  it("changes the case of a name, and rejects another user's name", async () => {
    const name = await create();
    const other = await create();
    await succeed("iam", "UpdateUser", { UserName: name, NewUserName: name.toUpperCase() });
    expect(await getUser(name)).toMatchObject({ UserName: name.toUpperCase() });
    await refuse("iam", "UpdateUser", { UserName: name, NewUserName: other.toUpperCase() }, [
      409,
      "EntityAlreadyExists",
    ]);
    await refuse("iam", "UpdateUser", { UserName: freshUserName(), NewPath: "/a/" }, [404, "NoSuchEntity"]);
    await refuse("iam", "UpdateUser", { UserName: name, NewPath: "a" }, [400, "ValidationError"]);
  });
});

describe("DeleteUser", () => {
  it("deletes a user once it has neither keys nor policies", async () => {
    const name = await create();
    const { accessKeyId } = await freshKey(name);
    await putPolicy(name, allow("s3:*"));
    await refuse("iam", "DeleteUser", { UserName: name }, [409, "DeleteConflict", "must delete access keys first"]);
    await succeed("iam", "DeleteAccessKey", { UserName: name, AccessKeyId: accessKeyId });
    await refuse("iam", "DeleteUser", { UserName: name }, [409, "DeleteConflict", "must delete policies first"]);
    await succeed("iam", "DeleteUserPolicy", { UserName: name, PolicyName: "p" });
    await succeed("iam", "DeleteUser", { UserName: name });
    await refuse("iam", "DeleteUser", { UserName: name }, [404, "NoSuchEntity"]);
  });

  it("leaves nothing to a user recreated under the name", async () => {
    const name = await create();
    const before = await getUser(name);
    await succeed("iam", "DeleteUser", { UserName: name });
    await create({ UserName: name });
    const after = await getUser(name);
    expect(after["UserId"]).not.toBe(before["UserId"]);
  });
});

describe("permission to manage users", () => {
  it("is checked on the user's ARN, including the path", async () => {
    const path = `/${crypto.randomUUID()}/`;
    const name = await create({ Path: path });
    const { name: caller, credentials } = await freshUser(
      allow(["iam:GetUser", "iam:CreateUser"], `arn:aws:iam::000000000000:user${path}*`),
    );
    await succeed("iam", "GetUser", { UserName: name }, { credentials });
    await succeed("iam", "CreateUser", { UserName: freshUserName(), Path: path }, { credentials });
    const denied = [403, "AccessDenied"] as const;
    const said = await refuse("iam", "GetUser", { UserName: caller }, denied, { credentials });
    expect(said).toBe(
      `User: arn:aws:iam::000000000000:user/${caller} is not authorized to perform: iam:GetUser on resource: arn:aws:iam::000000000000:user/${caller}`,
    );
    await refuse("iam", "GetUser", {}, denied, { credentials });
    // Not every caller may learn whether the user exists.
    await refuse("iam", "GetUser", { UserName: freshUserName() }, denied, { credentials });
    await refuse("iam", "CreateUser", { UserName: freshUserName() }, denied, { credentials });
    await refuse("iam", "DeleteUser", { UserName: name }, denied, { credentials });
    await refuse("iam", "ListUsers", {}, denied, { credentials });
    await refuse("iam", "UpdateUser", { UserName: name, NewPath: "/x/" }, denied, { credentials });
  });

  it("is required for the new path of a moved user, and can depend on the user's tags", async () => {
    const [from, to] = [`/${crypto.randomUUID()}/`, `/${crypto.randomUUID()}/`];
    const name = await create({ Path: from, "Tags.member.1.Key": "Team", "Tags.member.1.Value": "a" });
    const { credentials } = await freshUser(allow("iam:UpdateUser", `arn:aws:iam::000000000000:user${from}*`));
    await refuse("iam", "UpdateUser", { UserName: name, NewPath: to }, [403, "AccessDenied"], { credentials });
    const NewUserName = freshUserName();
    await succeed("iam", "UpdateUser", { UserName: name, NewUserName }, { credentials });
    const teamOnly = (team: string) => ({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "iam:GetUser",
          Resource: "*",
          Condition: { StringEquals: { "aws:ResourceTag/team": team } },
        },
      ],
    });
    const [same, other] = [await freshUser(teamOnly("a")), await freshUser(teamOnly("b"))];
    await succeed("iam", "GetUser", { UserName: NewUserName }, { credentials: same.credentials });
    const denied = { credentials: other.credentials };
    await refuse("iam", "GetUser", { UserName: NewUserName }, [403, "AccessDenied"], denied);
  });

  it("can depend on the tags of a call", async () => {
    const { credentials } = await freshUser({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: ["iam:CreateUser", "iam:TagUser"],
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestTag/team": "a" } },
        },
      ],
    });
    const tagged = (value: string) => ({
      UserName: freshUserName(),
      "Tags.member.1.Key": "team",
      "Tags.member.1.Value": value,
    });
    await succeed("iam", "CreateUser", tagged("a"), { credentials });
    await refuse("iam", "CreateUser", tagged("b"), [403, "AccessDenied"], { credentials });
    await refuse("iam", "CreateUser", { UserName: freshUserName() }, [403, "AccessDenied"], { credentials });
  });

  it("with tags includes iam:TagUser", async () => {
    const creator = { Effect: "Allow", Action: "iam:CreateUser", Resource: "*" };
    const { name, credentials } = await freshUser({ Version: "2012-10-17", Statement: [creator] });
    const tagged = { UserName: freshUserName(), "Tags.member.1.Key": "team", "Tags.member.1.Value": "a" };
    await refuse("iam", "CreateUser", tagged, [403, "AccessDenied", "iam:TagUser"], { credentials });
    await refuse("iam", "GetUser", { UserName: tagged.UserName }, [404, "NoSuchEntity"]);
    await succeed("iam", "CreateUser", { UserName: freshUserName() }, { credentials });
    const tagger = {
      Effect: "Allow",
      Action: "iam:TagUser",
      Resource: "*",
      Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": "TEAM" } },
    };
    await putPolicy(name, { Version: "2012-10-17", Statement: [creator, tagger] });
    const other = { ...tagged, "Tags.member.1.Key": "tenant" };
    await refuse("iam", "CreateUser", other, [403, "AccessDenied", "iam:TagUser"], { credentials });
    await succeed("iam", "CreateUser", tagged, { credentials });
  });

  it("is checked before an error discloses other users", async () => {
    const hidden = await create({ Path: "/secret/path/" });
    const key = await freshKey(hidden);
    const { credentials } = await freshUser();
    const absent = freshUserName();
    const refusal = async (action: string, parameters: Parameters): Promise<string> => {
      const response = await call("iam", action, parameters, { credentials });
      expect(response.status).toBe(403);
      return (await response.text()).replace(/<RequestId>.*/s, "");
    };
    for (const action of ["GetUser", "DeleteUser", "ListAccessKeys", "ListUserTags", "UpdateUser"]) {
      const [ofHidden, ofAbsent] = [
        await refusal(action, { UserName: hidden }),
        await refusal(action, { UserName: absent }),
      ];
      expect(ofHidden).not.toContain("secret");
      expect(ofHidden.replaceAll(hidden, "X")).toBe(ofAbsent.replaceAll(absent, "X"));
    }
    const ofKey = await refusal("GetAccessKeyLastUsed", { AccessKeyId: key.accessKeyId });
    const ofNoKey = await refusal("GetAccessKeyLastUsed", { AccessKeyId: "AKIA0000000000000000" });
    expect(ofKey.replaceAll(key.accessKeyId, "X")).toBe(ofNoKey.replaceAll("AKIA0000000000000000", "X"));
  });
});

describe("a resource that users do not have", () => {
  it("is listed as empty, for tools that list it before they delete a user", async () => {
    const name = await create();
    for (const [action, list] of [
      ["ListGroupsForUser", "Groups"],
      ["ListAttachedUserPolicies", "AttachedPolicies"],
      ["ListMFADevices", "MFADevices"],
      ["ListSSHPublicKeys", "SSHPublicKeys"],
      ["ListServiceSpecificCredentials", "ServiceSpecificCredentials"],
      ["ListSigningCertificates", "Certificates"],
    ] as const) {
      const result = await succeed("iam", action, { UserName: name });
      expect(plain(result)).toEqual({ [list]: "", IsTruncated: "false" });
      await refuse("iam", action, { UserName: freshUserName() }, [404, "NoSuchEntity"]);
    }
    const devices = await succeed("iam", "ListVirtualMFADevices", { AssignmentStatus: "Assigned" });
    expect(childrenOf(devices, "VirtualMFADevices")).toHaveLength(1);
    for (const action of ["GetLoginProfile", "DeleteLoginProfile"]) {
      await refuse("iam", action, { UserName: name }, [404, "NoSuchEntity", `Login Profile for User ${name}`]);
    }
  });
});

describe("root", () => {
  it("must name the user when an action applies to one", async () => {
    for (const action of ["CreateAccessKey", "ListAccessKeys"]) {
      await refuse("iam", action, {}, [400, "ValidationError", "Must specify userName"], { credentials: ROOT });
    }
  });
});
