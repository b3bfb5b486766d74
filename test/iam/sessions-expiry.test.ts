// Sessions end with their access key, with root's credentials and at their expiry.
import { describe, expect, it } from "vitest";

import { KeyRing } from "../../src/auth/identity/key-ring.ts";
import { rootSecretDigest, createSessionToken, type SessionFacts } from "../../src/auth/identity/session-token.ts";
import { deliver, presigned, ROOT, send, type SendOptions } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { allow, freshUser, refuse, succeed, type Credentials } from "../support/query-api.ts";
import { MASTER_KEY, READ, begin, bucket, read, useBucket } from "./sessions-fixture.ts";

useBucket();

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
