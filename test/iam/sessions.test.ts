import { AwsClient } from "aws4fetch";
import { beforeAll, describe, expect, it } from "vitest";

import { KeyRing } from "../../src/auth/identity/key-ring.ts";
import {
  readSessionToken,
  rootSecretDigest,
  createSessionToken,
  type SessionFacts,
} from "../../src/auth/identity/session-token.ts";
import { deliver, presigned, ROOT, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
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
  type CallOptions,
  type Credentials,
  type Parameters,
} from "../support/query-api.ts";
import { namesOf, plain, textOf } from "../support/read-xml.ts";

const ACCOUNT = "000000000000";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/path/r`;
const MASTER_KEY = btoa("the master key of the tests only");

let bucket: string;
beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, { k: "x" });
});

async function begin(
  action: "GetSessionToken" | "GetFederationToken" | "AssumeRole",
  parameters: Parameters = {},
  options: CallOptions = {},
): Promise<Required<Credentials> & { readonly expiration: string }> {
  const usual: Parameters = {
    ...(action === "GetFederationToken" ? { Name: "fed" } : {}),
    ...(action === "AssumeRole" ? { RoleArn: ROLE, RoleSessionName: "session" } : {}),
  };
  return credentialsOf(await succeed("sts", action, { ...usual, ...parameters }, options));
}

async function callerOf(credentials: Credentials): Promise<unknown> {
  return plain(await succeed("sts", "GetCallerIdentity", {}, { credentials }));
}

function read(credentials: Credentials): Promise<number> {
  return s3Status(credentials, "GET", `/${bucket}/k`);
}

const write = (credentials: Credentials): Promise<number> => s3Status(credentials, "PUT", `/${bucket}/k`, "x");

function secondsLeft(expiration: string): number {
  expect(expiration).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  return Math.round((Date.parse(expiration) - Date.now()) / 1000);
}

const READ = JSON.stringify(allow("s3:GetObject"));

describe("GetCallerIdentity", () => {
  it("succeeds for every authenticated caller, whatever their policies state", async () => {
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
  it("gives no session IAM rights that the assuming session lacks", async () => {
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

describe("a session ends", () => {
  const ended = async (session: Credentials): Promise<void> => {
    await expectS3Error(await send("GET", `/${bucket}/k`, { credentials: session }), {
      status: 403,
      code: "InvalidAccessKeyId",
      fields: { AWSAccessKeyId: session.accessKeyId },
    });
    await refuse("sts", "GetCallerIdentity", {}, [403, "InvalidClientTokenId"], { credentials: session });
  };

  it("at once with the access key that started it, and so do sessions started by it", async () => {
    const { name, credentials } = await freshUser(allow(["s3:*", "sts:*"]));
    const { accessKeyId: AccessKeyId } = credentials;
    const role = await begin("AssumeRole", {}, { credentials });
    const sessions = [
      await begin("GetSessionToken", {}, { credentials }),
      await begin("GetFederationToken", { Policy: READ }, { credentials }),
      role,
      await begin("AssumeRole", {}, { credentials: role }),
    ];
    const url = await presigned("GET", `/${bucket}/k`, { credentials: role });
    for (const session of sessions) expect(await read(session)).toBe(200);
    expect((await deliver(url.clone())).status).toBe(200);
    await succeed("iam", "UpdateAccessKey", { UserName: name, AccessKeyId, Status: "Inactive" });
    for (const session of sessions) await ended(session);
    expect((await deliver(url.clone())).status).toBe(403);
    await succeed("iam", "UpdateAccessKey", { UserName: name, AccessKeyId, Status: "Active" });
    for (const session of sessions) expect(await read(session)).toBe(200);
    await succeed("iam", "DeleteAccessKey", { UserName: name, AccessKeyId });
    for (const session of sessions) await ended(session);
  });

  it("with the previous root credentials, which act as root until they are revoked", async () => {
    const current = { accessKeyId: "NEXTROOTKEY000000000", secretAccessKey: "next/secret+of/root" };
    const both = {
      CAIRN_ROOT_ACCESS_KEY_ID: current.accessKeyId,
      CAIRN_ROOT_SECRET_ACCESS_KEY: current.secretAccessKey,
      CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID: ROOT.accessKeyId,
      CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
    };
    const status = async (credentials: NonNullable<SendOptions["credentials"]>, scope: object) =>
      (await send("GET", `/${bucket}/k`, { credentials }, scope)).status;
    const begun = (credentials: typeof ROOT) => begin("AssumeRole", {}, { credentials, scope: both });
    const [ofPrevious, ofCurrent] = [await begun(ROOT), await begun(current)];
    for (const credentials of [ROOT, current, ofPrevious, ofCurrent]) expect(await status(credentials, both)).toBe(200);
    const wrong = { ...ROOT, secretAccessKey: current.secretAccessKey };
    expect(await status(wrong, both)).toBe(403);
    const dropped = {
      ...both,
      CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID: "",
      CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY: "",
    };
    for (const credentials of [current, ofCurrent]) expect(await status(credentials, dropped)).toBe(200);
    for (const credentials of [ROOT, ofPrevious]) expect(await status(credentials, dropped)).toBe(403);
    for (const scope of [
      { ...both, ROOT_CREDENTIALS: "disabled" },
      { ...both, CAIRN_ROOT_SECRET_ACCESS_KEY: "" },
      { ...both, CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY: "" },
    ]) {
      for (const credentials of [ROOT, ofPrevious]) expect(await status(credentials, scope)).toBe(403);
    }
  });

  it("when root's credentials are revoked, replaced or disabled", async () => {
    const session = await begin("AssumeRole");
    expect(await read(session)).toBe(200);
    for (const scope of [
      { CAIRN_ROOT_ACCESS_KEY_ID: "ANOTHERROOTKEY000000" },
      { CAIRN_ROOT_SECRET_ACCESS_KEY: "" },
      { CAIRN_ROOT_SECRET_ACCESS_KEY: "another/secret+of/root" },
      { ROOT_CREDENTIALS: "disabled" },
    ]) {
      const response = await send("GET", `/${bucket}/k`, { credentials: session }, scope);
      await expectS3Error(response, {
        status: 403,
        code: "InvalidAccessKeyId",
        fields: { AWSAccessKeyId: session.accessKeyId },
      });
    }
    const misspelt = await send("GET", `/${bucket}/k`, { credentials: session }, { ROOT_CREDENTIALS: "off" });
    expect(misspelt.status).toBe(200);
    const byRoot = await send("GET", "/", {}, { ROOT_CREDENTIALS: "disabled" });
    expect(byRoot.status).toBe(403);
    const { credentials } = await freshUser(allow("s3:*"));
    const byUser = await send("GET", `/${bucket}/k`, { credentials }, { ROOT_CREDENTIALS: "disabled" });
    expect(byUser.status).toBe(200);
  });

  it("at its expiry", async () => {
    const keys = await KeyRing.of([MASTER_KEY]);
    const accessKeyId = "ASIA0000000000000000";
    const secretAccessKey = "secret";
    const facts: SessionFacts = {
      kind: "role",
      name: "n",
      role: "r",
      secretAccessKey,
      parentAccessKeyId: ROOT.accessKeyId,
      rootDigest: await rootSecretDigest(ROOT.secretAccessKey),
      issuedAt: 0,
      expiresAt: Date.now() + 60_000,
    };
    const token = async (expiresAt: number): Promise<Credentials> => ({
      accessKeyId,
      secretAccessKey,
      sessionToken: await createSessionToken(keys, accessKeyId, { ...facts, expiresAt }),
    });
    expect(await read(await token(Date.now() + 60_000))).toBe(200);
    for (const expiresAt of [Date.now() - 1, 0]) {
      const credentials = await token(expiresAt);
      await expectS3Error(await send("GET", `/${bucket}/k`, { credentials }), { status: 400, code: "ExpiredToken" });
      await refuse("sts", "GetCallerIdentity", {}, [403, "ExpiredToken"], { credentials });
    }
  });
});

describe("a session token", () => {
  const invalid = { status: 400, code: "InvalidToken" } as const;

  it("returns InvalidToken when a bit is changed, deleted or added", async () => {
    const { credentials } = await freshUser(allow("s3:*"));
    const session = await begin("GetSessionToken", {}, { credentials });
    const { sessionToken: token } = session;
    const keys = await KeyRing.of([MASTER_KEY]);
    expect(await readSessionToken(keys, session.accessKeyId, token)).toMatchObject({
      parentAccessKeyId: credentials.accessKeyId,
    });
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (let index = 0; index < token.length; index += 1) {
      const old = token.charAt(index);
      const changed = old === "." ? "," : alphabet.charAt(alphabet.indexOf(old) ^ (1 << (index % 6)));
      const forged = token.slice(0, index) + changed + token.slice(index + 1);
      expect(await readSessionToken(keys, session.accessKeyId, forged), forged).toBeUndefined();
    }
    for (const forged of [
      "",
      ".",
      "x",
      token.slice(1),
      token.slice(0, -1),
      `${token}A`,
      `${token}.`,
      token.slice(0, token.indexOf(".") + 1),
      `${token.slice(0, 9)}AAAA`,
      token.replace(/^[^.]*/, "00000000"),
    ]) {
      expect(await readSessionToken(keys, session.accessKeyId, forged), forged).toBeUndefined();
      if (forged === "") continue;
      const response = await send("GET", `/${bucket}/k`, { credentials: { ...session, sessionToken: forged } });
      await expectS3Error(response, invalid);
    }
    const options = { credentials: { ...session, sessionToken: `${token}A` } };
    await refuse("sts", "GetCallerIdentity", {}, [403, "InvalidClientTokenId"], options);
  });

  it("is valid only with its own access key, and only its secret signs", async () => {
    const { credentials } = await freshUser(allow("s3:*"));
    const [one, other] = [
      await begin("GetSessionToken", {}, { credentials }),
      await begin("GetSessionToken", {}, { credentials }),
    ];
    const mixed = { ...one, sessionToken: other.sessionToken };
    await expectS3Error(await send("GET", "/", { credentials: mixed }), invalid);
    const { accessKeyId, secretAccessKey } = one;
    await expectS3Error(await send("GET", "/", { credentials: { accessKeyId, secretAccessKey } }), {
      status: 403,
      code: "InvalidAccessKeyId",
      fields: { AWSAccessKeyId: accessKeyId },
    });
    expect(await s3Status({ ...one, secretAccessKey: other.secretAccessKey }, "GET", "/")).toBe(403);
    for (const longLived of [credentials, ROOT]) {
      const response = await send("GET", "/", { credentials: { ...longLived, sessionToken: one.sessionToken } });
      await expectS3Error(response, invalid);
    }
    const byOtherMaster = await send("GET", "/", { credentials: one }, { CAIRN_MASTER_KEY: btoa("y".repeat(32)) });
    await expectS3Error(byOtherMaster, invalid);
  });

  it("in a presigned URL is honoured, and is part of what is signed", async () => {
    const session = await begin("AssumeRole", { Policy: READ });
    const url = await presigned("GET", `/${bucket}/k`, { credentials: session });
    expect(url.url).toContain("X-Amz-Security-Token=");
    expect((await deliver(url.clone())).status).toBe(200);
    const other = await begin("AssumeRole", { Policy: READ });
    const token = encodeURIComponent(other.sessionToken);
    const swapped = url.url.replace(/X-Amz-Security-Token=[^&]*/, `X-Amz-Security-Token=${token}`);
    await expectS3Error(await deliver(new Request(swapped)), invalid);
    const stripped = url.url.replace(/&?X-Amz-Security-Token=[^&]*/, "");
    expect((await deliver(new Request(stripped))).status).toBe(403);
  });

  it("does not decrypt as an access key's secret, although the same key encrypts both", async () => {
    const keys = await KeyRing.of([MASTER_KEY]);
    const { keyVersion, ciphertext } = await keys.encrypt("secret", "ASIA0000000000000000");
    expect(await readSessionToken(keys, "ASIA0000000000000000", `${keyVersion}.${ciphertext}`)).toBeUndefined();
  });
});
