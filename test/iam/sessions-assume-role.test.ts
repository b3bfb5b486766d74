// STS: AssumeRole, the permission to call it, and roles.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  allow,
  credentialsOf,
  freshUser,
  only,
  putPolicy,
  refuse,
  succeed,
  type Parameters,
} from "../support/query-api.ts";
import { namesOf, textOf } from "../support/read-xml.ts";
import { ACCOUNT, READ, ROLE, begin, callerOf, read, secondsLeft, useBucket, write } from "./sessions-fixture.ts";

useBucket();

describe("AssumeRole", () => {
  it("returns a session with the role's name and the limits of its policy", async () => {
    const { name, credentials } = await freshUser(allow(["s3:GetObject", "s3:PutObject", "sts:AssumeRole"]));
    const result = await succeed(
      "sts",
      "AssumeRole",
      { RoleArn: ROLE, RoleSessionName: "job-1", Policy: READ },
      { credentials },
    );
    expect(namesOf(result)).toEqual(["Credentials", "AssumedRoleUser", "PackedPolicySize"]);
    const role = only(result, "AssumedRoleUser");
    expect(textOf(role, "Arn")).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/path/r/job-1`);
    expect(textOf(role, "AssumedRoleId")).toMatch(/^AROA[0-9A-F]{16}:job-1$/);
    const session = credentialsOf(result);
    expect(Math.abs(secondsLeft(session.expiration) - 3600)).toBeLessThan(10);
    expect([await read(session), await write(session)]).toEqual([200, 403]);
    expect(await callerOf(session)).toEqual({
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/path/r/job-1`,
      UserId: textOf(role, "AssumedRoleId"),
      Account: ACCOUNT,
    });
    await refuse("iam", "GetUser", {}, [400, "ValidationError", "Must specify userName"], { credentials: session });
    await refuse("iam", "GetUser", { UserName: name }, [403, "AccessDenied"], { credentials: session });
    const again: Parameters = { RoleArn: ROLE, RoleSessionName: "again" };
    await refuse("sts", "AssumeRole", again, [403, "AccessDenied"], { credentials: session });
  });

  it("requires permission for the role, and a role of this account", async () => {
    const { credentials } = await freshUser(allow("sts:AssumeRole", `arn:aws:iam::${ACCOUNT}:role/path/*`));
    await begin("AssumeRole", {}, { credentials });
    const other = (RoleArn: string): Parameters => ({ RoleArn, RoleSessionName: "session" });
    await refuse("sts", "AssumeRole", other(`arn:aws:iam::${ACCOUNT}:role/r`), [403, "AccessDenied"], { credentials });
    await refuse("sts", "AssumeRole", other("arn:aws:iam::111111111111:role/r"), [403, "AccessDenied"]);
    for (const arn of ["", "r", `arn:aws:iam::${ACCOUNT}:user/some-user`, `arn:aws:iam::${ACCOUNT}:role/`]) {
      await refuse("sts", "AssumeRole", other(arn), [400, "ValidationError"]);
    }
    for (const RoleSessionName of ["", "x", "a b", "x".repeat(65)]) {
      await refuse("sts", "AssumeRole", { RoleArn: ROLE, RoleSessionName }, [400, "ValidationError"]);
    }
    for (const DurationSeconds of ["899", "43201"]) {
      await refuse("sts", "AssumeRole", { ...other(ROLE), DurationSeconds }, [400, "ValidationError"]);
    }
    await refuse("sts", "AssumeRole", { ...other(ROLE), SourceIdentity: "me" }, [400, "ValidationError"]);
  });

  it("called by a session ends with that session: a session cannot extend itself", async () => {
    const { credentials } = await freshUser(allow("sts:AssumeRole"));
    const first = await begin("AssumeRole", { DurationSeconds: "900" }, { credentials });
    const second = await begin("AssumeRole", { DurationSeconds: "3600" }, { credentials: first });
    const longer: Parameters = { RoleArn: ROLE, RoleSessionName: "session", DurationSeconds: "3601" };
    await refuse("sts", "AssumeRole", longer, [400, "ValidationError", "role chaining"], { credentials: first });
    expect(Math.abs(Date.parse(second.expiration) - Date.parse(first.expiration))).toBeLessThanOrEqual(1000);
    await refuse("sts", "GetSessionToken", {}, [403, "AccessDenied"], { credentials: second });
  });

  it("returns credentials that manage identities as far as both policies allow", async () => {
    const session = await begin("AssumeRole", { Policy: JSON.stringify(allow("iam:ListUsers")) });
    await succeed("iam", "ListUsers", { MaxItems: "1" }, { credentials: session });
    await refuse("iam", "GetUser", {}, [403, "AccessDenied"], { credentials: session });
    await refuse("iam", "CreateUser", { UserName: "never-made" }, [403, "AccessDenied"], { credentials: session });
  });
});

describe("the permission to start a session", () => {
  it("can depend on the session's name and on its requested duration", async () => {
    const { name, credentials } = await freshUser();
    const grant = (Condition: object) => ({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:*", Resource: "*", Condition }],
    });
    await putPolicy(name, grant({ StringEquals: { "sts:RoleSessionName": "${aws:username}" } }));
    const named = (RoleSessionName: string): Parameters => ({ RoleArn: ROLE, RoleSessionName });
    await succeed("sts", "AssumeRole", named(name), { credentials });
    await refuse("sts", "AssumeRole", named("another"), [403, "AccessDenied"], { credentials });
    await putPolicy(name, grant({ NumericLessThanEquals: { "sts:DurationSeconds": "900" } }));
    for (const action of ["AssumeRole", "GetFederationToken"]) {
      const parameters = action === "AssumeRole" ? named(name) : { Name: "guest" };
      await succeed("sts", action, { ...parameters, DurationSeconds: "900" }, { credentials });
      await refuse("sts", action, { ...parameters, DurationSeconds: "901" }, [403, "AccessDenied"], { credentials });
      await refuse("sts", action, parameters, [403, "AccessDenied"], { credentials });
    }
  });
});

describe("a role", () => {
  it("grants no session IAM rights that the assuming session lacks", async () => {
    const { credentials } = await freshUser(allow(["iam:*", "sts:*"]));
    for (const options of [{ credentials }, {}]) {
      const restricted = await begin("GetSessionToken", {}, options);
      const first = await begin("AssumeRole", {}, { credentials: restricted });
      const second = await begin("AssumeRole", {}, { credentials: first });
      for (const session of [first, second]) {
        await refuse("iam", "ListUsers", {}, [403, "AccessDenied", "session credentials"], { credentials: session });
      }
      await succeed("iam", "ListUsers", { MaxItems: "1" }, { credentials: await begin("AssumeRole", {}, options) });
    }
  });

  it("is a different role under another path, even with the same name", async () => {
    const open = await freshBucket();
    await putAll(open, { k: "text" });
    const user = await freshUser(allow("sts:AssumeRole", `arn:aws:iam::${ACCOUNT}:role/tenant1/*`));
    const assume = async (role: string) =>
      credentialsOf(
        await succeed(
          "sts",
          "AssumeRole",
          { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${role}`, RoleSessionName: "job" },
          { credentials: user.credentials },
        ),
      );
    const statusFor = async (element: object, role: string) => {
      const base = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${open}/*` };
      const policy = { Version: "2012-10-17", Statement: [{ ...base, ...element }] };
      expect((await send("PUT", `/${open}?policy`, { body: JSON.stringify(policy) })).status).toBe(204);
      return (await send("GET", `/${open}/k`, { credentials: await assume(role) })).status;
    };
    for (const [named, status] of [
      ["deploy", 403],
      ["tenant1/deploy", 200],
      ["tenant2/deploy", 403],
    ] as const) {
      for (const element of [
        { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/${named}` } },
        { Principal: { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/${named}/job` } },
        { Condition: { ArnEquals: { "aws:PrincipalArn": `arn:aws:iam::${ACCOUNT}:role/${named}` } } },
        { Condition: { StringEquals: { "aws:PrincipalArn": `arn:aws:iam::${ACCOUNT}:role/${named}` } } },
      ]) {
        expect(await statusFor(element, "tenant1/deploy"), JSON.stringify(element)).toBe(status);
      }
    }
    const other: Parameters = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/deploy`, RoleSessionName: "job" };
    await refuse("sts", "AssumeRole", other, [403, "AccessDenied"], { credentials: user.credentials });
  });
});
