// CreateBucket: the response, the owner, repeated and concurrent requests.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { CREATION_ROUND_TRIPS } from "../support/placement.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { allow, freshUser } from "../support/users.ts";
import { configuration, configurationOf, exists, expectRefused, statement } from "./create-bucket-fixture.ts";

describe("CreateBucket", () => {
  it("creates a bucket, names it in Location and returns no body", async () => {
    const name = freshBucketName();
    const response = await send("PUT", `/${name}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("location")).toBe(`/${name}`);
    expect(await response.text()).toBe("");
    expectAnswerHeaders(response);
    expect(await exists(name)).toBe(true);
  });

  it("ignores a slash after the name", async () => {
    const name = freshBucketName();
    expect((await send("PUT", `/${name}/`)).status).toBe(200);
    expect(await exists(name)).toBe(true);
  });

  it("assigns the bucket to the account of the settings", async () => {
    const name = freshBucketName();
    expect((await send("PUT", `/${name}`, {}, { ACCOUNT_ID: "123456789012" })).status).toBe(200);
    const row = await env.DB.prepare("SELECT owner_id, versioning FROM buckets WHERE name = ?").bind(name).first();
    expect(row).toEqual({ owner_id: "123456789012", versioning: null });
  });

  it("costs one round trip and one written row", async () => {
    const response = await send("PUT", `/${freshBucketName()}`);
    expect(costOf(response)).toMatchObject({
      roundTrips: CREATION_ROUND_TRIPS,
      rowsWritten: 1,
      coordinatorCalls: 0,
      blobCalls: 0,
    });
  });

  describe("recreated by its owner", () => {
    const row = (name: string) => env.DB.prepare("SELECT * FROM buckets WHERE name = ?").bind(name).first();

    it("without a LocationConstraint returns 200 and changes nothing", async () => {
      const name = freshBucketName();
      await send("PUT", `/${name}`, { body: configuration("EU") });
      const before = await row(name);
      for (const options of [
        {},
        { body: configuration("") },
        { body: configurationOf({ b: "2" }) },
        { headers: { "x-amz-object-ownership": "ObjectWriter" } },
      ]) {
        const response = await send("PUT", `/${name}`, options);
        expect(response.status).toBe(200);
        expect(response.headers.get("location")).toBe(`/${name}`);
        expect(await row(name)).toEqual(before);
      }
    });

    it("by a user of the account with the right returns BucketAlreadyExists to another user", async () => {
      const name = freshBucketName();
      await send("PUT", `/${name}`);
      const user = await freshUser();
      await allow(user, statement("Allow", "s3:CreateBucket", "*"));
      await expectS3Error(await send("PUT", `/${name}`, { credentials: user.credentials }), {
        status: 409,
        code: "BucketAlreadyExists",
        fields: { BucketName: name },
      });
    });
  });

  it("returns BucketAlreadyOwnedByYou to its owner and BucketAlreadyExists to others, and changes nothing", async () => {
    const name = freshBucketName();
    await send("PUT", `/${name}`, { body: configuration("auto") });
    const row = () => env.DB.prepare("SELECT * FROM buckets WHERE name = ?").bind(name).first();
    const before = await row();
    await expectS3Error(await send("PUT", `/${name}`, { body: configuration("EU") }), {
      status: 409,
      code: "BucketAlreadyOwnedByYou",
      fields: { BucketName: name },
    });
    await expectS3Error(await send("PUT", `/${name}`, {}, { ACCOUNT_ID: "999999999999" }), {
      status: 409,
      code: "BucketAlreadyExists",
      fields: { BucketName: name },
    });
    expect(await row()).toEqual(before);
  });

  it("lets exactly one of many concurrent requests succeed", async () => {
    const name = freshBucketName();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => send("PUT", `/${name}`, { body: configuration("auto") })),
    );
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  it("enables Object Lock and versioning with its header", async () => {
    const name = freshBucketName();
    const header = "x-amz-bucket-object-lock-enabled";
    expect((await send("PUT", `/${name}`, { headers: { [header]: "true" } })).status).toBe(200);
    expect(await (await send("GET", `/${name}?object-lock`)).text()).toContain(
      "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    );
    expect(await (await send("GET", `/${name}?versioning`)).text()).toContain("<Status>Enabled</Status>");
  });

  it("does not accept an existing bucket that lacks the Object Lock of the request", async () => {
    const headers = { "x-amz-bucket-object-lock-enabled": "true" };
    const [plain, locked] = [freshBucketName(), freshBucketName()];
    await send("PUT", `/${plain}`);
    await send("PUT", `/${locked}`, { headers });
    await expectS3Error(await send("PUT", `/${plain}`, { headers }), {
      status: 409,
      code: "BucketAlreadyOwnedByYou",
      fields: { BucketName: plain },
    });
    for (const options of [{ headers }, {}]) expect((await send("PUT", `/${locked}`, options)).status).toBe(200);
    expect((await send("GET", `/${locked}?object-lock`)).status).toBe(200);
  });

  it("accepts Object Lock disabled, and rejects other values", async () => {
    const header = "x-amz-bucket-object-lock-enabled";
    expect((await send("PUT", `/${freshBucketName()}`, { headers: { [header]: "False" } })).status).toBe(200);
    for (const value of ["", "yes"]) {
      await expectRefused(
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: header, ArgumentValue: value } },
        { headers: { [header]: value } },
      );
    }
  });

  it("rejects anonymous requests", async () => {
    const name = freshBucketName();
    await expectS3Error(await deliver(anonymous("PUT", `/${name}`)), { status: 403, code: "AccessDenied" });
    expect(await exists(name)).toBe(false);
  });
});
