// Forms signed with users' and temporary credentials.
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";

import { expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { allow, credentialsOf, freshUser, succeed, type Credentials } from "../support/query-api.ts";

let bucket: string;
beforeAll(async () => {
  bucket = await freshBucket();
});

function upload(
  credentials: Credentials,
  key: string,
  spoil: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const fields = { key, ...signPolicy([{ bucket }, { key }], { credentials }), ...spoil };
  return sendForm(bucket, formOf([...Object.entries(fields), ["file", "x", "f"]]));
}

const policy = (): object => allow(["s3:PutObject", "sts:*"]);

async function isRecorded(id: string): Promise<boolean> {
  const row = await env.DB.prepare("SELECT last_used_at FROM access_keys WHERE id = ?")
    .bind(id)
    .first<{ last_used_at: number | null }>();
  return row?.last_used_at !== null;
}

it("a user's form has the user's rights, and records the use of the key after the signature is verified", async () => {
  const { credentials } = await freshUser(allow("s3:PutObject", `arn:aws:s3:::${bucket}/a/*`));
  const wrong = await upload(credentials, "a/1", { "x-amz-signature": "0".repeat(64) });
  expect(await wrong.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
  expect(await isRecorded(credentials.accessKeyId)).toBe(false);
  expect((await upload(credentials, "a/1")).status).toBe(204);
  expect(await isRecorded(credentials.accessKeyId)).toBe(true);
  expect((await upload(credentials, "b/1")).status).toBe(403);
});

it("a session's form is limited by the session policy and ends with its access key", async () => {
  const { name, credentials } = await freshUser(policy());
  const Policy = JSON.stringify(allow("s3:PutObject", `arn:aws:s3:::${bucket}/a/*`));
  const began = await succeed("sts", "GetFederationToken", { Name: "form", Policy }, { credentials });
  const session = credentialsOf(began);
  expect((await upload(session, "a/2")).status).toBe(204);
  expect((await upload(session, "b/2")).status).toBe(403);
  const forged = { ...session, sessionToken: `${session.sessionToken}A` };
  await expectS3Error(await upload(forged, "a/2"), { status: 400, code: "InvalidToken" });
  await succeed("iam", "DeleteAccessKey", { UserName: name, AccessKeyId: credentials.accessKeyId });
  await expectS3Error(await upload(session, "a/2"), {
    status: 403,
    code: "InvalidAccessKeyId",
    fields: { AWSAccessKeyId: session.accessKeyId },
  });
});
