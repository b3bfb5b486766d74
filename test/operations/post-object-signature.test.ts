// PostObject's signature of the policy, and forms without one.
import { describe, expect, it } from "vitest";

import { deliver, ROOT, send, signed } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { BOUNDARY, formOf, sendForm, signPolicy, type FormPart } from "../support/forms.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { POLICY, get, partsFor } from "./post-object-fixture.ts";

describe("PostObject", () => {
  describe("the signature", () => {
    /** Signs a form with a policy for any key, and changes its fields afterwards. */
    async function altered(
      change: (fields: Record<string, string | undefined>) => void,
      signing = {},
    ): Promise<Response> {
      const bucket = await freshBucket();
      const fields: Record<string, string | undefined> = {
        key: "k",
        ...signPolicy([{ bucket }, ["starts-with", "$key", ""]], signing),
      };
      change(fields);
      const parts = Object.entries(fields).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      return expectNoTrace(bucket, () => sendForm(bucket, formOf([...parts, ["file", "x", "f"]])));
    }

    it("covers the policy exactly as it was sent", async () => {
      const bucket = await freshBucket();
      const fields: Record<string, string> = { key: "k", ...signPolicy([{ bucket }, { key: "k" }]) };
      const policy = (fields["policy"] ?? "").slice(0, -4);
      const response = await sendForm(bucket, formOf([...Object.entries({ ...fields, policy }), ["file", "x"]]));
      await expectS3Error(response, {
        status: 403,
        code: "SignatureDoesNotMatch",
        fields: {
          AWSAccessKeyId: ROOT.accessKeyId,
          StringToSign: policy,
          SignatureProvided: fields["x-amz-signature"],
          StringToSignBytes: expect.stringMatching(/^[0-9a-f]{2}( [0-9a-f]{2})+$/),
        },
      });
    });

    it.each<[string, (fields: Record<string, string | undefined>) => void]>([
      ["another secret", (fields) => (fields["x-amz-signature"] = "0".repeat(64))],
      ["no hexadecimal", (fields) => (fields["x-amz-signature"] = "é")],
      [
        "another region",
        (fields) => (fields["x-amz-credential"] = fields["x-amz-credential"]?.replace("us-east-1", "eu-west-1")),
      ],
      [
        "capitals",
        (fields) => (fields["x-amz-signature"] = fields["x-amz-signature"]?.toUpperCase().replace(/^\d*$/, "A")),
      ],
    ])("that is not right is refused: %s", async (_, change) => {
      const response = await altered(change);
      expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
    });

    it.each(["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature", "Policy", "key"])(
      "requires the field %s",
      async (name) => {
        for (const value of [undefined, ""]) {
          const response = await altered((fields) => (fields[name.toLowerCase()] = value));
          await expectS3Error(response, {
            status: 400,
            code: "InvalidArgument",
            message: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
            fields: { ArgumentName: name, ArgumentValue: "" },
          });
        }
      },
    );

    it.each([
      ["x-amz-algorithm", "AWS4-HMAC-SHA1", "X-Amz-Algorithm"],
      ["x-amz-date", "2026-01-02", "X-Amz-Date"],
      ["x-amz-credential", "AKID/20260102/us-east-1/s3", "X-Amz-Credential"],
      ["x-amz-credential", `${ROOT.accessKeyId}/20200102/us-east-1/s3/aws4_request`, "X-Amz-Credential"],
      ["x-amz-credential", `${ROOT.accessKeyId}/20200102/us-east-1/sts/aws4_request`, "X-Amz-Credential"],
    ])("is refused where %s is %s", async (field, value, ArgumentName) => {
      const response = await altered((fields) => (fields[field] = value));
      await expectS3Error(response, {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName, ArgumentValue: value },
      });
    });

    it("requires a known access key and a valid token", async () => {
      const unknown = await altered(() => undefined, { credentials: { ...ROOT, accessKeyId: "UNKNOWN" } });
      await expectS3Error(unknown, {
        status: 403,
        code: "InvalidAccessKeyId",
        fields: { AWSAccessKeyId: "UNKNOWN" },
      });
      const token = await altered(() => undefined, { credentials: { ...ROOT, sessionToken: "made-up" } });
      expect(await token.text()).toContain("<Code>InvalidToken</Code>");
    });

    it("is valid from its date on, until the policy expires, for at most a week", async () => {
      const now = Date.now();
      const DAY = 86_400_000;
      const refusal = async (signing: object): Promise<string | undefined> => {
        const response = await altered(() => undefined, signing);
        return /<Message>([^<]*)/.exec(await response.text())?.[1];
      };
      expect(await refusal({ signedAt: now - 8 * DAY, expiresAt: now + DAY })).toBe(`${POLICY}Policy expired.`);
      expect(await refusal({ signedAt: now - DAY, expiresAt: now - 1000 })).toBe(`${POLICY}Policy expired.`);
      expect(await refusal({ signedAt: now + DAY })).toBe("Request is not valid yet");
      const bucket = await freshBucket();
      const fields = {
        key: "k",
        ...signPolicy([{ bucket }, { key: "k" }], { signedAt: now - 6 * DAY, expiresAt: now + DAY }),
      };
      expect((await sendForm(bucket, formOf([...Object.entries(fields), ["file", "x"]]))).status).toBe(204);
    });

    it("of version 2 is rejected, and never treated as absent", async () => {
      const bucket = await freshBucket();
      const form = formOf([
        ["key", "k"],
        ["AWSAccessKeyId", ROOT.accessKeyId],
        ["signature", "x"],
        ["file", "x"],
      ]);
      await expectS3Error(await sendForm(bucket, form), { status: 400, code: "InvalidRequest" });
    });

    it("is rejected in a header", async () => {
      const bucket = await freshBucket();
      const body = formOf(partsFor(bucket, "k", ["file", "x"]));
      const headers = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
      const response = await deliver(await signed("POST", `/${bucket}`, { body, headers }));
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining("Only one auth mechanism"),
      ]);
    });
  });

  describe("a form without a signature", () => {
    it("is anonymous", async () => {
      const bucket = await freshBucket();
      const policy = signPolicy([{ bucket }])["policy"] ?? "";
      for (const fields of [{}, { policy }]) {
        const form = formOf([...Object.entries({ key: "k", ...fields }), ["file", "x"]]);
        await expectNoTrace(bucket, async () =>
          expectS3Error(await sendForm(bucket, form), { status: 403, code: "AccessDenied" }),
        );
      }
    });

    it("is stored when a policy allows anonymous writes, and does not redirect", async () => {
      const bucket = await freshBucket();
      const body = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/public/*` },
        ],
      });
      expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
      const redirect: FormPart = ["success_action_redirect", "https://example.com/"];
      const response = await sendForm(bucket, formOf([["key", "public/k"], redirect, ["file", "x"]]));
      expect(response.status).toBe(204);
      await expectBytes(await get(bucket, "public/k"), "x");
      const elsewhere = await sendForm(
        bucket,
        formOf([
          ["key", "private/k"],
          ["file", "x"],
        ]),
      );
      await expectS3Error(elsewhere, { status: 403, code: "AccessDenied" });
    });
  });
});
