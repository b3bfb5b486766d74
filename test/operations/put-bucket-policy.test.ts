import { describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { readAction } from "../../src/auth/policy/actions.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { policyText, publicReadPolicy, putPolicy, putPublicAccessBlock } from "../support/policies.ts";
import { expectUntouched } from "../support/rows.ts";

async function policyOf(bucket: string): Promise<string> {
  return (await send("GET", `/${bucket}?policy`)).text();
}

/** A policy with this number of bytes. */
function policyOfSize(bucket: string, bytes: number): string {
  const text = publicReadPolicy(bucket);
  return text.replace("{", `{"Id":"${"x".repeat(bytes - utf8(text).length - '"Id":"",'.length)}",`);
}

describe("PutBucketPolicy", () => {
  it("replaces the policy and returns 204 without a body", async () => {
    const bucket = await freshBucket();
    const texts = [publicReadPolicy(bucket), publicReadPolicy(bucket).replace("GetObject", "PutObject")];
    for (const text of texts) {
      const response = await putPolicy(bucket, text);
      expect(response.status).toBe(204);
      expect(response.body).toBeNull();
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      expect(await policyOf(bucket)).toBe(text);
    }
  });

  it("accepts a policy of 20 KB and rejects a larger one, however it is announced", async () => {
    const bucket = await freshBucket();
    const expected = { status: 400, code: "MalformedPolicy", message: /maximum allowed document size/ };
    expect((await putPolicy(bucket, policyOfSize(bucket, 20_480))).status).toBe(204);
    await expectUntouched(bucket, async () => {
      await expectS3Error(await putPolicy(bucket, policyOfSize(bucket, 20_481)), expected);
      await expectS3Error(await putPolicy(bucket, "x".repeat(3_000_000)), expected);
      await expectS3Error(
        await putPolicy(bucket, policyOfSize(bucket, 20_481).replaceAll("x", "é").slice(8000)),
        expected,
      );
    });
  });

  it("accepts the headers that clients send with it", async () => {
    const bucket = await freshBucket();
    const text = publicReadPolicy(bucket);
    const headers = { "x-amz-confirm-remove-self-bucket-access": "true", "content-md5": md5Base64(utf8(text)) };
    expect((await putPolicy(bucket, text, { headers })).status).toBe(204);
  });

  it("requires no digest, and verifies one that is sent", async () => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () => {
      const headers = { "content-md5": md5Base64(utf8("other")) };
      await expectS3Error(await putPolicy(bucket, publicReadPolicy(bucket), { headers }), {
        status: 400,
        code: "BadDigest",
        fields: {
          ExpectedDigest: md5Base64(utf8("other")),
          CalculatedDigest: md5Base64(utf8(publicReadPolicy(bucket))),
        },
      });
    });
  });

  it.each([
    ["nothing", () => "", "Policies must be valid JSON and the first byte must be '{'"],
    ["XML", () => "<Policy/>", "Policies must be valid JSON and the first byte must be '{'"],
    ["a space before it", (b: string) => ` ${publicReadPolicy(b)}`, /first byte/],
    ["an element twice", (b: string) => publicReadPolicy(b).replace("{", '{"Version":"2012-10-17",'), /valid JSON/],
    ["no statement", () => "{}", "Missing required field Statement"],
    ["a misspelt element", (b: string) => publicReadPolicy(b).replace("Effect", "effect"), "Unknown field effect"],
    ["another bucket", () => publicReadPolicy("other"), "Policy has invalid resource", "arn:aws:s3:::other/*"],
    ["no principal", (b: string) => publicReadPolicy(b).replace('"Principal":"*",', ""), /field Principal/],
    [
      "an unknown action",
      (b: string) => publicReadPolicy(b).replace("GetObject", "GetObjct"),
      "Policy has invalid action",
      "s3:GetObjct",
    ],
    [
      "a principal that is none",
      (b: string) => publicReadPolicy(b).replace('"*"', '{"AWS":"me"}'),
      "Invalid principal in policy",
      "me",
    ],
    [
      "an unknown condition key",
      (b: string) =>
        policyText({
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: `arn:aws:s3:::${b}/*`,
          Condition: { Bool: { "aws:SecureTransprt": "false" } },
        }),
      "Policy has an invalid condition key",
      "aws:SecureTransprt",
    ],
    [
      "an action that does not apply",
      (b: string) => publicReadPolicy(b).replace("s3:GetObject", "s3:ListBucket"),
      "Action does not apply to any resource(s) in statement",
    ],
    [
      "a bad range of addresses",
      (b: string) =>
        policyText({
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: `arn:aws:s3:::${b}/*`,
          Condition: { NotIpAddress: { "aws:SourceIp": "203.0.113.0/33" } },
        }),
      /Invalid value for NotIpAddress/,
    ],
  ])("refuses a policy with %s and keeps the old one", async (_name, textFor, message, detail?: string) => {
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket));
    await expectUntouched(bucket, async () =>
      expectS3Error(await putPolicy(bucket, textFor(bucket)), {
        status: 400,
        code: "MalformedPolicy",
        message,
        fields: detail === undefined ? {} : { Detail: detail },
      }),
    );
    expect(await policyOf(bucket)).toBe(publicReadPolicy(bucket));
  });

  it("rejects a document that is not UTF-8", async () => {
    const bucket = await freshBucket();
    const body = utf8(publicReadPolicy(bucket).replace("{", '{"Id":"~",')).map((byte) => (byte === 0x7e ? 0xff : byte));
    const response = await send("PUT", `/${bucket}?policy`, { body });
    await expectS3Error(response, { status: 400, code: "MalformedPolicy", message: /valid JSON/ });
  });

  it("rejects a public policy while public policies are blocked, and no other", async () => {
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "BlockPublicPolicy");
    await expectUntouched(bucket, async () =>
      expectS3Error(await putPolicy(bucket, publicReadPolicy(bucket)), { status: 403, code: "AccessDenied" }),
    );
    const bound = publicReadPolicy(bucket).replace('"*"', '{"AWS":"111122223333"}');
    expect((await putPolicy(bucket, bound)).status).toBe(204);
    await putPublicAccessBlock(bucket, "BlockPublicAcls", "IgnorePublicAcls", "RestrictPublicBuckets");
    expect((await putPolicy(bucket, publicReadPolicy(bucket))).status).toBe(204);
  });

  it("accepts every action that an operation checks", () => {
    const actions = OPERATIONS.flatMap(({ implementation }) =>
      [implementation?.actions ?? [], implementation?.versionActions ?? []].flat(),
    );
    expect(actions.length).toBeGreaterThan(60);
    expect(actions.filter((action) => readAction(action, "s3") === undefined)).toEqual([]);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await putPolicy(missing, publicReadPolicy(missing)), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?policy`, { body: publicReadPolicy(bucket) })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });

  it("leaves no policy to a bucket recreated under the name", async () => {
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket));
    await send("DELETE", `/${bucket}`);
    await send("PUT", `/${bucket}`);
    expect((await send("GET", `/${bucket}?policy`)).status).toBe(404);
  });
});
