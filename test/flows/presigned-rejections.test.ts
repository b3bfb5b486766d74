// Presigned URLs that are altered, expired, revoked or sent with additional headers.
import { describe, expect, it } from "vitest";

import { ROOT, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { freshUser } from "../support/users.ts";
import { urlOf, use, type Signing } from "./presigned-fixture.ts";

const MINUTE = 60_000;

describe("a presigned URL is rejected", () => {
  async function refused(response: Response): Promise<void> {
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
  }

  it("for another method, bucket, key or version", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    await putAll(bucket, { k: "x", "k/": "x", K: "x" });
    await putAll(other, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k`);
    expect((await use("HEAD", url)).status).toBe(403);
    for (const method of ["PUT", "DELETE", "POST"]) await refused(await use(method, url));
    await refused(await use("GET", url.replace(bucket, other)));
    for (const key of ["K", "k/", "k%2F", "/k", "k%00", "j"]) {
      const response = await use("GET", url.replace("/k?", `/${key}?`));
      await response.bytes();
      expect([400, 403]).toContain(response.status);
    }
    expect((await use("GET", url)).status).toBe(200);
  });

  it.each([
    "acl",
    "acl=",
    "versionId=null",
    "response-content-type=text%2Fhtml",
    "x-amz-meta-a=1",
    "x-amz-copy-source=b%2Fk",
    "partNumber=1",
    "x-id=GetObject",
    "_=1",
  ])("with additional parameters in its query: %s", async (addition) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const method of ["GET", "PUT", "DELETE"]) {
      const url = await urlOf(method, `/${bucket}/k`);
      await expectNoTrace(bucket, async () => refused(await use(method, `${url}&${addition}`)));
    }
  });

  it("with parameters removed from its query", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k?response-content-type=text%2Fplain`);
    await refused(await use("GET", url.replace("response-content-type=text%2Fplain&", "")));
    await expectS3Error(await use("GET", url.replace(/&X-Amz-Signature=\w+/, "")), {
      status: 400,
      code: "AuthorizationQueryParametersError",
    });
  });

  it("with a duplicate signature parameter", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k`, { signedAt: Date.now() - 10 * MINUTE });
    for (const addition of [
      "X-Amz-Expires=604800",
      "x-amz-expires=604800",
      `X-Amz-Date=${new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "")}`,
      "X-Amz-Signature=0",
      "X-Amz-SignedHeaders=host",
    ]) {
      for (const doubled of [`${url}&${addition}`, url.replace("?", `?${addition}&`)]) {
        const response = await use("GET", doubled);
        await response.bytes();
        expect([400, 403], addition).toContain(response.status);
      }
    }
  });

  it("with unsigned x-amz- headers", async () => {
    const bucket = await freshBucket();
    const url = await urlOf("PUT", `/${bucket}/k`);
    for (const [name, value] of [
      ["x-amz-meta-a", "1"],
      ["x-amz-acl", "public-read"],
      ["x-amz-copy-source", `${bucket}/other`],
      ["content-md5", "CY9rzUYh03PK3k6DJie09g=="],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await use("PUT", url, "x", { [name]: value }), {
          status: 403,
          code: "AccessDenied",
          fields: { HeadersNotSigned: name },
        }),
      );
    }
  });

  it.each(["-1", "0", "604801", "1e3", "0x100", "NaN", "%20300", "300.5", "9".repeat(20), ""])(
    "with an expiry of %j",
    async (expires) => {
      const bucket = await freshBucket();
      const url = (await urlOf("GET", `/${bucket}/k`)).replace("X-Amz-Expires=60", `X-Amz-Expires=${expires}`);
      const response = await use("GET", url);
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining("<Code>AuthorizationQueryParametersError</Code>"),
      ]);
    },
  );

  it("before its date, after its expiry, and with an expiry over a week", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const status = async (signing: Signing): Promise<readonly [number, string | undefined]> => {
      const response = await use("GET", await urlOf("GET", `/${bucket}/k`, signing));
      return [response.status, /<Message>([^<]*)/.exec(await response.text())?.[1]];
    };
    const now = Date.now();
    expect(await status({ signedAt: now - 2 * MINUTE, expires: 60 })).toEqual([403, "Request has expired"]);
    expect(await status({ signedAt: now - 2 * MINUTE, expires: 180 })).toEqual([200, undefined]);
    expect(await status({ signedAt: now + 20 * MINUTE })).toEqual([403, "Request is not valid yet"]);
    expect(await status({ signedAt: now + 10 * MINUTE })).toEqual([200, undefined]);
    const WEEK = 7 * 24 * 60 * MINUTE;
    expect(await status({ signedAt: now - WEEK + MINUTE, expires: 604_800 })).toEqual([200, undefined]);
    expect(await status({ signedAt: now - WEEK - MINUTE, expires: 604_800 })).toEqual([403, "Request has expired"]);
  });

  it("with a session token that was never issued, or without its token", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k`, { credentials: { ...ROOT, sessionToken: "made-up" } });
    expect(url).toContain("X-Amz-Security-Token=made-up");
    expect(await (await use("GET", url)).text()).toContain("<Code>InvalidToken</Code>");
    await refused(await use("GET", url.replace("X-Amz-Security-Token=made-up&", "")));
  });

  it("when it is older than a policy allows", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const { arn, credentials } = await freshUser({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/*`,
    });
    const body = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Principal: { AWS: arn },
          Action: "s3:GetObject",
          Resource: `arn:aws:s3:::${bucket}/*`,
          Condition: { NumericGreaterThan: { "s3:signatureAge": 10 * MINUTE } },
        },
      ],
    });
    expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
    const statusAfter = async (age: number): Promise<number> => {
      const url = await urlOf("GET", `/${bucket}/k`, { signedAt: Date.now() - age, expires: 3600, credentials });
      const response = await use("GET", url);
      await response.bytes();
      return response.status;
    };
    expect(await statusAfter(5 * MINUTE)).toBe(200);
    expect(await statusAfter(15 * MINUTE)).toBe(403);
  });
});
