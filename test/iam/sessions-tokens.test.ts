// Session tokens: altered, replaced and in presigned URLs.
import { describe, expect, it } from "vitest";

import { KeyRing } from "../../src/auth/identity/key-ring.ts";
import { readSessionToken } from "../../src/auth/identity/session-token.ts";
import { deliver, presigned, ROOT, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { allow, freshUser, refuse, s3Status } from "../support/query-api.ts";
import { MASTER_KEY, READ, begin, bucket, useBucket } from "./sessions-fixture.ts";

useBucket();

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
