// RenameObject with x-amz-client-token: repeated requests are idempotent.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { expireTokens } from "../../src/jobs/expire-tokens.ts";
import { send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { allow, credentialsOf, freshUser, succeed } from "../support/query-api.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf } from "../support/versioning.ts";
import { FUTURE, bucketOf, expectRefused, keysOf, rename } from "./rename-object-fixture.ts";

describe("RenameObject", () => {
  describe("a client token", () => {
    it("returns the first response for a repeated rename, without a second rename", async () => {
      const bucket = await bucketOf({ a: "first" });
      const headers = { "x-amz-client-token": "token-1", "if-none-match": "*" };
      expect((await rename(bucket, "a", "b", headers)).status).toBe(200);
      await putAll(bucket, { a: "second" });
      await expectUntouched(bucket, async () => {
        const again = await rename(bucket, "a", "b", headers);
        expect(again.status).toBe(200);
        expect(costOf(again)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0 });
      });
      expect(await bodyOf(bucket, "a")).toBe("second");
      expect(await bodyOf(bucket, "b")).toBe("first");
    });

    it("is rejected with other parameters, whichever differs", async () => {
      const bucket = await bucketOf({ a: "x", c: "y" });
      const token = { "x-amz-client-token": "token-1" };
      expect((await rename(bucket, "a", "b", token)).status).toBe(200);
      for (const [source, destination, headers] of [
        ["c", "b", {}],
        ["/a", "b", {}],
        ["a", "d", {}],
        ["a", "b", { "if-none-match": "*" }],
        ["a", "b", { "if-unmodified-since": FUTURE }],
        ["a", "b", { "x-amz-rename-source-if-match": "*" }],
      ] as const) {
        await expectRefused(bucket, () => rename(bucket, source, destination, { ...token, ...headers }), {
          status: 400,
          code: "IdempotencyParameterMismatch",
        });
      }
    });

    it("belongs to the user who first sent it, under every name and session", async () => {
      const bucket = await bucketOf({ a: "x" });
      const [user, other] = [await freshUser(allow("s3:*")), await freshUser(allow("s3:*"))];
      const headers = { "x-amz-client-token": "token-1", "x-amz-rename-source": "a" };
      const statusFor = async (credentials: SendOptions["credentials"]): Promise<number> =>
        (await send("PUT", `/${bucket}/b`, { headers, ...(credentials === undefined ? {} : { credentials }) })).status;
      expect(await statusFor(user.credentials)).toBe(200);
      const session = credentialsOf(await succeed("sts", "GetSessionToken", {}, { credentials: user.credentials }));
      expect(await statusFor(session)).toBe(200);
      await succeed("iam", "UpdateUser", { UserName: user.name, NewUserName: `${user.name}-2` });
      expect(await statusFor(user.credentials)).toBe(200);
      for (const another of [other.credentials, undefined]) expect(await statusFor(another)).toBe(400);
      expect(await keysOf(bucket)).toEqual(["b"]);
    });

    it("is not consumed by a failed rename", async () => {
      const bucket = await bucketOf({ b: "x" });
      const headers = { "x-amz-client-token": "t" };
      expect((await rename(bucket, "a", "c", headers)).status).toBe(404);
      await putAll(bucket, { a: "now" });
      expect((await rename(bucket, "a", "c", headers)).status).toBe(200);
    });

    it("belongs to its bucket", async () => {
      for (const bucket of [await bucketOf({ a: "1" }), await bucketOf({ a: "2" })]) {
        expect((await rename(bucket, "a", "b", { "x-amz-client-token": "shared" })).status).toBe(200);
      }
    });

    it("executes one of several concurrent renames", async () => {
      const bucket = await bucketOf({ a: "x" });
      const headers = { "x-amz-client-token": "t" };
      const responses = await Promise.all([1, 2, 3, 4, 5].map(() => rename(bucket, "a", "b", headers)));
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(await keysOf(bucket)).toEqual(["b"]);
      await expectBalanced(bucket);
    });

    it("is valid for at least a day and then expires", async () => {
      const bucket = await bucketOf({ a: "x" });
      await rename(bucket, "a", "b", { "x-amz-client-token": "t" });
      const id = await bucketId(bucket);
      const left = async (): Promise<number> =>
        (await env.DB.prepare("SELECT 1 FROM rename_tokens WHERE bucket_id = ?").bind(id).all()).results.length;
      await runPass(expireTokens, Date.now() + 24 * 3_600_000);
      expect(await left()).toBe(1);
      await env.DB.prepare("UPDATE rename_tokens SET created_at = created_at - 93600000 WHERE bucket_id = ?")
        .bind(id)
        .run();
      await runPass(expireTokens, Date.now());
      expect(await left()).toBe(0);
    });

    it.each(["", "t".repeat(65), "a b", "é"])("is rejected as %j", async (token) => {
      const bucket = await bucketOf({ a: "x" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { "x-amz-client-token": token }), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "x-amz-client-token", ArgumentValue: token },
      });
    });

    it.each(["!", "~".repeat(64), "3b241101-e2bb-4255-8caf-4136c566a962"])("can be %j", async (token) => {
      const bucket = await bucketOf({ a: "x" });
      expect((await rename(bucket, "a", "b", { "x-amz-client-token": token })).status).toBe(200);
    });
  });
});
