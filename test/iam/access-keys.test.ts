import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { presigned, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  allow,
  call,
  fieldsOf,
  freshKey,
  freshUser,
  freshUserName,
  membersOf,
  only,
  refuse,
  s3Status,
  succeed,
  type Parameters,
} from "../support/query-api.ts";
import { namesOf, plain, textOf } from "../support/read-xml.ts";

interface KeyRow {
  readonly secret: string;
  readonly key_version: string;
  readonly last_used_at: number | null;
}

async function rowOf(id: string): Promise<KeyRow | null> {
  return env.DB.prepare("SELECT * FROM access_keys WHERE id = ?").bind(id).first<KeyRow>();
}

async function listKeys(name: string, parameters: Parameters = {}): Promise<Readonly<Record<string, string>>[]> {
  const result = await succeed("iam", "ListAccessKeys", { UserName: name, ...parameters });
  return membersOf(result, "AccessKeyMetadata").map(fieldsOf);
}

describe("CreateAccessKey", () => {
  it("returns a key and its secret, which no other call returns", async () => {
    const name = freshUserName();
    await succeed("iam", "CreateUser", { UserName: name });
    const key = only(await succeed("iam", "CreateAccessKey", { UserName: name }), "AccessKey");
    expect(namesOf(key)).toEqual(["UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"]);
    const shown = fieldsOf(key);
    expect(shown).toMatchObject({
      UserName: name,
      AccessKeyId: expect.stringMatching(/^AKIA[0-9A-V]{16}$/),
      Status: "Active",
      SecretAccessKey: expect.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{39}$/),
    });
    const { SecretAccessKey: _, ...others } = shown;
    expect(await listKeys(name)).toEqual([others]);
  });

  it("creates two keys and no third, also with concurrent requests", async () => {
    const name = freshUserName();
    await succeed("iam", "CreateUser", { UserName: name });
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => (await call("iam", "CreateAccessKey", { UserName: name })).status),
    );
    expect(answers.toSorted((one, other) => one - other)).toEqual([200, 200, 409, 409, 409]);
    await refuse("iam", "CreateAccessKey", { UserName: name }, [
      409,
      "LimitExceeded",
      "Cannot exceed quota for AccessKeysPerUser: 2",
    ]);
    expect(await listKeys(name)).toHaveLength(2);
  });

  it("returns NoSuchEntity when the user does not exist", async () => {
    const UserName = freshUserName();
    for (const action of ["CreateAccessKey", "ListAccessKeys"]) {
      await refuse("iam", action, { UserName }, [404, "NoSuchEntity", UserName]);
    }
  });

  it("stores only encrypted secrets: a row is useless without the master key", async () => {
    const { credentials } = await freshUser();
    const row = await rowOf(credentials.accessKeyId);
    expect(row?.key_version).toMatch(/^[0-9a-f]{8}$/);
    const stored = JSON.stringify(row);
    expect(stored).not.toContain(credentials.secretAccessKey);
    expect(stored).not.toContain(btoa(credentials.secretAccessKey).replaceAll("=", ""));
    for (const secretAccessKey of [
      row?.secret ?? "",
      atob((row?.secret ?? "").replaceAll("-", "+").replaceAll("_", "/")),
    ]) {
      const guessed = { ...credentials, secretAccessKey };
      await refuse("sts", "GetCallerIdentity", {}, [403, "SignatureDoesNotMatch"], { credentials: guessed });
    }
  });

  it("binds a secret to its key: in another key's row it does not decrypt", async () => {
    const [first, second] = [await freshUser(), await freshUser()];
    const row = await rowOf(first.credentials.accessKeyId);
    await env.DB.prepare("UPDATE access_keys SET secret = ? WHERE id = ?")
      .bind(row?.secret ?? "", second.credentials.accessKeyId)
      .run();
    const moved = { ...second.credentials, secretAccessKey: first.credentials.secretAccessKey };
    await refuse("sts", "GetCallerIdentity", {}, [500, "InternalFailure"], { credentials: moved });
    await succeed("iam", "DeleteAccessKey", { UserName: second.name, AccessKeyId: moved.accessKeyId });
  });
});

describe("a missing, short or different master key", () => {
  const none = { scope: { CAIRN_MASTER_KEY: "" } };

  it("does not affect root, and key operations report what is missing", async () => {
    const name = freshUserName();
    await succeed("iam", "CreateUser", { UserName: name }, none);
    for (const key of ["", "c2hvcnQ=", "not base64", "A".repeat(44)]) {
      const scope = { CAIRN_MASTER_KEY: key };
      await refuse("iam", "CreateAccessKey", { UserName: name }, [501, "NotImplemented", "CAIRN_MASTER_KEY"], {
        scope,
      });
      await refuse("sts", "GetSessionToken", {}, [501, "NotImplemented", "CAIRN_MASTER_KEY"], { scope });
      await succeed("sts", "GetCallerIdentity", {}, { scope });
    }
    expect((await send("GET", "/", {}, none.scope)).status).toBe(200);
  });

  it("rejects users' requests, and unknown keys stay unknown", async () => {
    const { credentials } = await freshUser(allow("s3:*"));
    for (const key of ["", btoa("x".repeat(32))]) {
      const response = await send("GET", "/", { credentials }, { CAIRN_MASTER_KEY: key });
      const said = await response.text();
      expect(response.status).toBe(500);
      expect(said).not.toContain("master");
    }
    const unknown = { accessKeyId: "AKIAUNKNOWN000000000", secretAccessKey: "x" };
    await expectS3Error(await send("GET", "/", { credentials: unknown }, none.scope), {
      status: 403,
      code: "InvalidAccessKeyId",
      fields: { AWSAccessKeyId: unknown.accessKeyId },
    });
  });
});

describe("an access key", () => {
  it("stops at once when deactivated, presigned URLs too, and works again when activated", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const { name, credentials } = await freshUser(allow("s3:*"));
    const second = await freshKey(name);
    const url = await presigned("GET", `/${bucket}/k`, { credentials });
    const read = async (): Promise<number[]> => {
      const byUrl = await deliver(url.clone());
      await byUrl.arrayBuffer();
      return [await s3Status(credentials, "GET", `/${bucket}/k`), byUrl.status];
    };
    expect(await read()).toEqual([200, 200]);
    const update = (Status: string) =>
      succeed("iam", "UpdateAccessKey", { UserName: name, AccessKeyId: credentials.accessKeyId, Status });
    await update("Inactive");
    expect(await read()).toEqual([403, 403]);
    await expectS3Error(await send("GET", `/${bucket}/k`, { credentials }), {
      status: 403,
      code: "InvalidAccessKeyId",
      fields: { AWSAccessKeyId: credentials.accessKeyId },
    });
    await refuse("sts", "GetCallerIdentity", {}, [403, "InvalidClientTokenId", "is invalid"], { credentials });
    // The user's other key is not affected.
    expect(await s3Status(second, "GET", `/${bucket}/k`)).toBe(200);
    expect(new Set((await listKeys(name)).map((key) => key["Status"]))).toEqual(new Set(["Active", "Inactive"]));
    await update("Active");
    expect(await read()).toEqual([200, 200]);
    await succeed("iam", "DeleteAccessKey", { UserName: name, AccessKeyId: credentials.accessKeyId });
    expect(await read()).toEqual([403, 403]);
    expect(await rowOf(credentials.accessKeyId)).toBeNull();
  });

  it("can be changed and deleted by its own user when the policy allows, without the user name", async () => {
    const { name, credentials } = await freshUser(
      allow("iam:*AccessKey*", "arn:aws:iam::000000000000:user/${aws:username}"),
    );
    const own = { credentials };
    const created = only(await succeed("iam", "CreateAccessKey", {}, own), "AccessKey");
    const AccessKeyId = textOf(created, "AccessKeyId") ?? "";
    const listed = await succeed("iam", "ListAccessKeys", {}, own);
    expect(membersOf(listed, "AccessKeyMetadata").map((key) => textOf(key, "UserName"))).toEqual([name, name]);
    await succeed("iam", "UpdateAccessKey", { AccessKeyId, Status: "Inactive" }, own);
    await succeed("iam", "DeleteAccessKey", { AccessKeyId }, own);
    const other = await freshUser();
    for (const action of ["CreateAccessKey", "ListAccessKeys"]) {
      await refuse("iam", action, { UserName: other.name }, [403, "AccessDenied"], own);
    }
  });

  it("cannot be changed through another user", async () => {
    const [one, other] = [await freshUser(), await freshUser()];
    const parameters = { UserName: one.name, AccessKeyId: other.credentials.accessKeyId };
    await refuse("iam", "UpdateAccessKey", { ...parameters, Status: "Inactive" }, [404, "NoSuchEntity"]);
    await refuse("iam", "DeleteAccessKey", parameters, [404, "NoSuchEntity"]);
    expect(await rowOf(other.credentials.accessKeyId)).not.toBeNull();
  });

  it("rejects an invalid status", async () => {
    const { name, credentials } = await freshUser();
    for (const Status of ["active", "Expired", ""]) {
      await refuse("iam", "UpdateAccessKey", { UserName: name, AccessKeyId: credentials.accessKeyId, Status }, [
        400,
        "ValidationError",
      ]);
    }
    for (const AccessKeyId of ["", "short", "A".repeat(129), "AKIA-0000000000000000"]) {
      await refuse("iam", "DeleteAccessKey", { UserName: name, AccessKeyId }, [400, "ValidationError"]);
    }
  });

  it("is listed with pagination", async () => {
    const { name } = await freshUser();
    await freshKey(name);
    const first = await succeed("iam", "ListAccessKeys", { UserName: name, MaxItems: "1" });
    expect(textOf(first, "IsTruncated")).toBe("true");
    const Marker = textOf(first, "Marker") ?? "";
    const second = await succeed("iam", "ListAccessKeys", { UserName: name, MaxItems: "1", Marker });
    expect(textOf(second, "IsTruncated")).toBe("false");
    const ids = [first, second].flatMap((page) =>
      membersOf(page, "AccessKeyMetadata").map((key) => textOf(key, "AccessKeyId")),
    );
    expect(new Set(ids).size).toBe(2);
    // A marker belongs to one listing.
    const other = await freshUser();
    await refuse("iam", "ListAccessKeys", { UserName: other.name, Marker }, [400, "ValidationError", "Invalid Marker"]);
  });
});

describe("GetAccessKeyLastUsed", () => {
  const lastUsed = async (AccessKeyId: string): Promise<unknown> =>
    plain(await succeed("iam", "GetAccessKeyLastUsed", { AccessKeyId }));

  it("returns the key's user, and when, where and for which service it was used", async () => {
    const { name, credentials } = await freshUser(allow("s3:ListAllMyBuckets"));
    const { accessKeyId } = credentials;
    expect(await lastUsed(accessKeyId)).toEqual({
      UserName: name,
      AccessKeyLastUsed: { ServiceName: "N/A", Region: "N/A" },
    });
    const response = await send("GET", "/", { credentials, region: "eu-west-3" });
    expect(response.status).toBe(200);
    const answer = await succeed("iam", "GetAccessKeyLastUsed", { AccessKeyId: accessKeyId });
    expect(plain(answer)).toEqual({
      UserName: name,
      AccessKeyLastUsed: {
        LastUsedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        ServiceName: "s3",
        Region: "eu-west-3",
      },
    });
    expect(
      Math.abs(Date.parse(textOf(only(answer, "AccessKeyLastUsed"), "LastUsedDate") ?? "") - Date.now()),
    ).toBeLessThan(60_000);
  });

  it("is updated after the response, once in some minutes, and never for a wrong signature", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const { credentials } = await freshUser(allow("s3:*"));
    const guessed = { ...credentials, secretAccessKey: "wrong" };
    expect(await s3Status(guessed, "GET", `/${bucket}/k`)).toBe(403);
    expect((await rowOf(credentials.accessKeyId))?.last_used_at).toBeNull();

    for (const method of ["GET", "HEAD", "GET"]) {
      const response = await send(method, `/${bucket}/k`, { credentials });
      expect(response.status).toBe(200);
      expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
      await response.arrayBuffer();
    }
    const { last_used_at: used } = (await rowOf(credentials.accessKeyId)) ?? { last_used_at: 0 };
    expect(used).toBeGreaterThan(Date.now() - 60_000);
    await send("HEAD", `/${bucket}/k`, { credentials });
    expect((await rowOf(credentials.accessKeyId))?.last_used_at).toBe(used);
    await env.DB.prepare("UPDATE access_keys SET last_used_at = ? WHERE id = ?")
      .bind(Date.now() - 3_600_000, credentials.accessKeyId)
      .run();
    await send("HEAD", `/${bucket}/k`, { credentials });
    expect((await rowOf(credentials.accessKeyId))?.last_used_at).toBeGreaterThanOrEqual(used ?? 0);
  });

  it("rejects missing keys, and reports them as missing only to callers with access to all keys", async () => {
    const AccessKeyId = "AKIA0000000000000000";
    await refuse("iam", "GetAccessKeyLastUsed", { AccessKeyId }, [404, "NoSuchEntity", AccessKeyId]);
    const { name, credentials } = await freshUser(
      allow("iam:GetAccessKeyLastUsed", "arn:aws:iam::000000000000:user/${aws:username}"),
    );
    const own = { AccessKeyId: credentials.accessKeyId };
    expect(textOf(await succeed("iam", "GetAccessKeyLastUsed", own, { credentials }), "UserName")).toBe(name);
    const other = await freshUser();
    for (const id of [AccessKeyId, other.credentials.accessKeyId]) {
      await refuse("iam", "GetAccessKeyLastUsed", { AccessKeyId: id }, [403, "AccessDenied"], { credentials });
    }
  });
});

describe("a request of a user", () => {
  it("costs the round trips of root's: GET 1, HEAD 1, PUT 2, and one row for the key, the user and each policy", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(allow("s3:*"));
    await succeed("iam", "PutUserPolicy", {
      UserName: name,
      PolicyName: "second",
      PolicyDocument: JSON.stringify(allow("s3:GetObject")),
    });
    for (const [method, body, roundTrips] of [
      ["PUT", "x", 2],
      ["GET", undefined, 1],
      ["HEAD", undefined, 1],
    ] as const) {
      const ofUser = await send(method, `/${bucket}/k`, { credentials, body });
      const ofRoot = await send(method, `/${bucket}/k`, { body });
      expect([ofUser.status, ofRoot.status]).toEqual([200, 200]);
      expect(costOf(ofUser).roundTrips).toBe(roundTrips);
      expect(costOf(ofRoot).roundTrips).toBe(roundTrips);
      // One row each for the key, the user and the two policies, and one to find the end of the policies.
      if (method !== "PUT") expect(costOf(ofUser).rowsRead).toBeLessThanOrEqual(costOf(ofRoot).rowsRead + 5);
      await Promise.all([ofUser.arrayBuffer(), ofRoot.arrayBuffer()]);
    }
  });

  it("is rejected with an additional session token, and with a key id that is a prototype name", async () => {
    const { credentials } = await freshUser(allow("s3:*"));
    await expectS3Error(await send("GET", "/", { credentials: { ...credentials, sessionToken: "x.y" } }), {
      status: 400,
      code: "InvalidToken",
    });
    for (const accessKeyId of ["__proto__", "constructor", "undefined", "' OR 1=1 --", "%"]) {
      const response = await send("GET", "/", { credentials: { accessKeyId, secretAccessKey: "undefined" } });
      await expectS3Error(response, {
        status: 403,
        code: "InvalidAccessKeyId",
        fields: { AWSAccessKeyId: accessKeyId },
      });
    }
  });
});
