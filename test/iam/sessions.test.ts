// STS: GetCallerIdentity, GetSessionToken and GetFederationToken.
import { AwsClient } from "aws4fetch";
import { describe, expect, it } from "vitest";

import { deliver, ROOT, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import {
  allow,
  credentialsOf,
  expectApiError,
  freshUser,
  only,
  putPolicy,
  refuse,
  s3Status,
  signedCall,
  succeed,
  type Parameters,
} from "../support/query-api.ts";
import { namesOf, plain } from "../support/read-xml.ts";
import {
  ACCOUNT,
  READ,
  ROLE,
  begin,
  bucket,
  callerOf,
  read,
  secondsLeft,
  useBucket,
  write,
} from "./sessions-fixture.ts";

useBucket();

describe("GetCallerIdentity", () => {
  it("succeeds for every authenticated caller, also when a policy denies every action", async () => {
    expect(await callerOf(ROOT)).toEqual({ Arn: `arn:aws:iam::${ACCOUNT}:root`, UserId: ACCOUNT, Account: ACCOUNT });
    const { name, credentials } = await freshUser({
      Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
    });
    expect(await callerOf(credentials)).toEqual({
      Arn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
      UserId: expect.stringMatching(/^AIDA/),
      Account: ACCOUNT,
    });
  });

  it("accepts GET and presigned URLs", async () => {
    const response = await deliver(
      await signedCall("sts", "Action=GetCallerIdentity&Version=2011-06-15", { method: "GET" }),
    );
    expect(await response.text()).toContain(`<Arn>arn:aws:iam::${ACCOUNT}:root</Arn>`);
    const url = "http://localhost:9000/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60";
    const client = new AwsClient({ ...ROOT, service: "sts", region: "us-east-1" });
    const signed = await client.sign(url, { method: "GET", aws: { signQuery: true } });
    const byUrl = await deliver(signed.clone());
    expect(await byUrl.text()).toContain(`<Account>${ACCOUNT}</Account>`);
    const other = new Request(signed.url.replace("GetCallerIdentity", "GetSessionToken"));
    await expectApiError(await deliver(other), "sts", 403, "SignatureDoesNotMatch");
  });
});

describe("GetSessionToken", () => {
  it("returns credentials with the user's rights, which need no additional look-up", async () => {
    const { name, credentials } = await freshUser(allow("s3:GetObject"));
    const session = await begin("GetSessionToken", {}, { credentials });
    expect(session.accessKeyId).toMatch(/^ASIA[0-9A-V]{16}$/);
    expect(session.secretAccessKey).toMatch(/^[A-Za-z0-9_-]{40}$/);
    expect(secondsLeft(session.expiration)).toBeGreaterThan(43_190);
    const response = await send("GET", `/${bucket}/k`, { credentials: session });
    expect(response.status).toBe(200);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
    expect(await write(session)).toBe(403);
    expect(await callerOf(session)).toMatchObject({ Arn: `arn:aws:iam::${ACCOUNT}:user/${name}` });
    // The user's current rights apply, not those at the time of the call.
    await putPolicy(name, allow("s3:PutObject"));
    expect([await read(session), await write(session)]).toEqual([403, 200]);
  });

  it("returns credentials that may call no IAM action and only AssumeRole of STS", async () => {
    const { credentials } = await freshUser(allow(["iam:*", "sts:*"]));
    for (const options of [
      { credentials: await begin("GetSessionToken", {}, { credentials }) },
      { credentials: await begin("GetSessionToken") },
    ]) {
      await refuse("iam", "ListUsers", {}, [403, "AccessDenied", "session credentials"], options);
      await refuse("sts", "GetSessionToken", {}, [403, "AccessDenied"], options);
      await refuse("sts", "GetFederationToken", { Name: "xx" }, [403, "AccessDenied"], options);
      await begin("AssumeRole", {}, options);
    }
  });

  it("honours the requested duration, up to 12 hours, or one hour for root", async () => {
    const { credentials } = await freshUser();
    for (const [asked, lives] of [
      ["900", 900],
      ["43200", 43_200],
      ["129600", 43_200],
    ] as const) {
      const session = await begin("GetSessionToken", { DurationSeconds: asked }, { credentials });
      expect(Math.abs(secondsLeft(session.expiration) - lives)).toBeLessThan(10);
    }
    for (const parameters of [{}, { DurationSeconds: "43200" }]) {
      expect(secondsLeft((await begin("GetSessionToken", parameters)).expiration)).toBeLessThanOrEqual(3600);
    }
    for (const DurationSeconds of ["899", "129601", "", "x", "1e4", "-900"]) {
      await refuse("sts", "GetSessionToken", { DurationSeconds }, [400, "ValidationError", "durationSeconds"]);
    }
    for (const factor of [{ SerialNumber: "arn:aws:iam::000000000000:mfa/x" }, { TokenCode: "123456" }]) {
      await refuse("sts", "GetSessionToken", factor, [403, "AccessDenied", "MultiFactor"]);
    }
  });
});

describe("GetFederationToken", () => {
  it("returns credentials limited to what both the user and the session policy allow", async () => {
    const { credentials } = await freshUser(allow(["s3:GetObject", "s3:PutObject", "sts:GetFederationToken"]));
    const result = await succeed("sts", "GetFederationToken", { Name: "fed@x", Policy: READ }, { credentials });
    expect(namesOf(result)).toEqual(["Credentials", "FederatedUser", "PackedPolicySize"]);
    expect(plain(only(result, "FederatedUser"))).toEqual({
      FederatedUserId: `${ACCOUNT}:fed@x`,
      Arn: `arn:aws:sts::${ACCOUNT}:federated-user/fed@x`,
    });
    const session = credentialsOf(result);
    expect([await read(session), await write(session)]).toEqual([200, 403]);
    expect(await callerOf(session)).toEqual({
      Arn: `arn:aws:sts::${ACCOUNT}:federated-user/fed@x`,
      UserId: `${ACCOUNT}:fed@x`,
      Account: ACCOUNT,
    });
    // The session policy limits rights and grants none.
    const wide = await begin("GetFederationToken", { Policy: JSON.stringify(allow("s3:*")) }, { credentials });
    expect([await read(wide), await write(wide)]).toEqual([200, 200]);
    expect(await s3Status(wide, "DELETE", `/${bucket}/k`)).toBe(403);
  });

  it("limits root as well", async () => {
    const session = await begin("GetFederationToken", { Policy: READ });
    expect([await read(session), await write(session)]).toEqual([200, 403]);
    expect(await s3Status(session, "GET", "/")).toBe(403);
  });

  it("grants nothing without a policy, and no call but GetCallerIdentity", async () => {
    for (const parameters of [{}, { Policy: JSON.stringify(allow(["s3:*", "iam:*", "sts:*"])) }]) {
      const session = await begin("GetFederationToken", parameters);
      const options = { credentials: session };
      expect(await read(session)).toBe("Policy" in parameters ? 200 : 403);
      await refuse("iam", "ListUsers", {}, [403, "AccessDenied"], options);
      await refuse("sts", "GetSessionToken", {}, [403, "AccessDenied"], options);
      await refuse("sts", "AssumeRole", { RoleArn: ROLE, RoleSessionName: "xx" }, [403, "AccessDenied"], options);
      await callerOf(session);
    }
  });

  it("requires a permission, a name and a valid policy", async () => {
    const { credentials } = await freshUser(
      allow("sts:GetFederationToken", `arn:aws:sts::${ACCOUNT}:federated-user/allowed`),
    );
    await begin("GetFederationToken", { Name: "allowed" }, { credentials });
    await refuse("sts", "GetFederationToken", { Name: "other" }, [403, "AccessDenied"], { credentials });
    for (const Name of ["", "x", "x".repeat(33), "a b"]) {
      await refuse("sts", "GetFederationToken", { Name }, [400, "ValidationError"]);
    }
    await refuse("sts", "GetFederationToken", {}, [400, "ValidationError", "must not be null"]);
    await refuse("sts", "GetFederationToken", { Name: "fed", Policy: "{}" }, [400, "MalformedPolicyDocument"]);
    const long = JSON.stringify(allow("s3:GetObject", `arn:aws:s3:::${"x".repeat(2048)}`));
    await refuse("sts", "GetFederationToken", { Name: "fed", Policy: long }, [400, "ValidationError"]);
    // Parameters that would limit a session must not be ignored.
    for (const parameters of [
      { "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess" },
      { "Tags.member.1.Key": "k", "Tags.member.1.Value": "v" },
    ]) {
      const given: Parameters = { Name: "fed", ...parameters };
      await refuse("sts", "GetFederationToken", given, [400, "ValidationError", "not supported"]);
    }
  });
});
