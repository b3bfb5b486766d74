// Requests without credentials, with invalid ones, and with an expected bucket owner.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, presigned, ROOT, send, signed } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { bucketOfOne } from "./routing-fixture.ts";

describe("anonymous requests", () => {
  it.each([
    ["GET", "/"],
    ["PUT", "/b"],
    ["GET", "/b"],
    ["GET", "/b?list-type=2"],
    ["GET", "/b?location"],
    ["DELETE", "/b"],
    ["GET", "/b/k"],
    ["GET", "/b/not-there"],
    ["PUT", "/b/k"],
    ["DELETE", "/b/k"],
    ["POST", "/b?delete"],
    ["GET", "/b?policy"],
    ["GET", "/b/k?response-content-type=text%2Fhtml"],
  ])("are refused as AccessDenied and change nothing: %s %s", async (method, target) => {
    const bucket = await bucketOfOne();
    const body = method === "PUT" || method === "POST" ? "x" : undefined;
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(anonymous(method, target.replace("/b", `/${bucket}`), { body })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });

  it("are rejected without a body for HEAD", async () => {
    const bucket = await bucketOfOne();
    for (const target of [`/${bucket}`, `/${bucket}/k`, `/${bucket}/not-there`]) {
      await expectHeadError(await deliver(anonymous("HEAD", target)), 403);
    }
  });

  it("are requests without any credentials: malformed credentials are rejected", async () => {
    const bucket = await bucketOfOne();
    for (const [authorization, status] of [
      ["AWS4-HMAC-SHA256 nonsense", 400],
      ["AWS AKID:signature", 400],
      ["Basic dXNlcjpwYXNz", 400],
    ] as const) {
      const response = await deliver(anonymous("GET", `/${bucket}/k`, { headers: { authorization } }));
      expect(response.status, authorization).toBe(status);
      await response.arrayBuffer();
    }
  });
});

describe("invalid credentials", () => {
  it("are rejected equally whether or not the resource exists", async () => {
    const bucket = await bucketOfOne();
    const wrong = { accessKeyId: ROOT.accessKeyId, secretAccessKey: "wrong" };
    for (const target of [`/${bucket}/k`, `/${bucket}/not-there`, `/${freshBucketName()}/k`]) {
      const response = await send("GET", target, { credentials: wrong });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    }
    for (const accessKeyId of ["AKIDUNKNOWN", "__proto__", "constructor"]) {
      const credentials = { accessKeyId, secretAccessKey: ROOT.secretAccessKey };
      await expectS3Error(await send("GET", `/${bucket}/k`, { credentials }), {
        status: 403,
        code: "InvalidAccessKeyId",
        fields: { AWSAccessKeyId: accessKeyId },
      });
    }
  });

  it("are rejected with root's access key when root has none", async () => {
    const bucket = await bucketOfOne();
    for (const scope of [
      { CAIRN_ROOT_ACCESS_KEY_ID: "" },
      { CAIRN_ROOT_SECRET_ACCESS_KEY: "" },
      { CAIRN_ROOT_SECRET_ACCESS_KEY: "undefined" },
    ]) {
      expect((await send("GET", `/${bucket}/k`, {}, scope)).status).toBe(403);
    }
  });

  it("are accepted with any region when valid", async () => {
    const bucket = await bucketOfOne();
    for (const region of ["auto", "eu-west-1", "local"]) {
      await expectBytes(await send("GET", `/${bucket}/k`, { region }), "as it was");
    }
  });

  it("do not carry over to another method", async () => {
    const bucket = await bucketOfOne();
    const request = await signed("GET", `/${bucket}/k`);
    for (const method of ["DELETE", "PUT", "POST", "HEAD"]) {
      await expectNoTrace(bucket, async () => {
        const response = await deliver(new Request(request.url, { method, headers: request.headers }));
        expect(response.status, method).toBe(403);
        await response.arrayBuffer();
      });
    }
  });
});

describe("x-amz-expected-bucket-owner", () => {
  const owner = "000000000000";

  it("accepts the owner's account id and rejects any other", async () => {
    const bucket = await bucketOfOne();
    for (const [method, target] of [
      ["GET", `/${bucket}`],
      ["GET", `/${bucket}?list-type=2`],
      ["GET", `/${bucket}?location`],
      ["GET", `/${bucket}/k`],
      ["PUT", `/${bucket}/k`],
      ["DELETE", `/${bucket}/k`],
      ["DELETE", `/${bucket}`],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send(method, target, { headers: { "x-amz-expected-bucket-owner": "111111111111" } }), {
          status: 403,
          code: "AccessDenied",
        }),
      );
      const response = await send(method, target, { headers: { "x-amz-expected-bucket-owner": owner } });
      expect(response.status, `${method} ${target}`).toBeLessThan(300);
      await response.arrayBuffer();
    }
  });

  it("must be an account id", async () => {
    const bucket = await bucketOfOne();
    for (const value of ["me", "12345678901", "1234567890123", "12345678901x"]) {
      await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { "x-amz-expected-bucket-owner": value } }), {
        status: 400,
        code: "InvalidBucketOwnerAWSAccountID",
      });
    }
  });

  it("applies in a presigned URL too", async () => {
    const bucket = await bucketOfOne();
    const of = (id: string) => presigned("GET", `/${bucket}/k?x-amz-expected-bucket-owner=${id}`);
    await expectS3Error(await deliver(await of("111111111111")), { status: 403, code: "AccessDenied" });
    await expectBytes(await deliver(await of(owner)), "as it was");
  });
});
