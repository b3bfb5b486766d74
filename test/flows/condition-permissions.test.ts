import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { md5Base64, md5Hex, utf8 } from "../support/digests.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { freshUser } from "../support/users.ts";
import { setVersioning } from "../support/versioning.ts";

const ETAG = md5Hex("secret");
const MISS = md5Hex("another");
const PAST = "Sat, 01 Jan 2000 00:00:00 GMT";

/** A bucket with an object that its tag makes unreadable, and a user with all other rights. */
async function taggedSecret(isVersioned = false) {
  const bucket = await freshBucket();
  if (isVersioned) await setVersioning(bucket, "Enabled");
  const headers = { "x-amz-tagging": "class=secret" };
  const put = await send("PUT", `/${bucket}/k`, { body: "secret", headers });
  await putAll(bucket, { open: "another" });
  const versionId = put.headers.get("x-amz-version-id") ?? "null";
  const denial = {
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:GetObject", "s3:GetObjectVersion"],
    Resource: `arn:aws:s3:::${bucket}/*`,
    Condition: { StringEquals: { "s3:ExistingObjectTag/class": "secret" } },
  };
  expect((await putPolicy(bucket, policyText(denial))).status).toBe(204);
  const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
  const ask = (method: string, target: string, options: SendOptions = {}) =>
    send(method, `/${bucket}${target}`, { ...options, credentials });
  return { bucket, versionId, ask };
}

describe("an object that its tags make unreadable", () => {
  it.each([
    ["GET", "/k", { "if-match": ETAG }],
    ["GET", "/k", { "if-none-match": ETAG }],
    ["PUT", "/k", { "if-match": ETAG }],
    ["PUT", "/k", { "if-match": MISS }],
    ["DELETE", "/k", { "if-match": MISS }],
    ["DELETE", "/k", { "x-amz-if-match-size": "6" }],
    ["DELETE", "/k", { "x-amz-if-match-size": "7" }],
    ["DELETE", "/k", { "x-amz-if-match-last-modified-time": PAST }],
    ["DELETE", "/k?versionId=null", { "if-match": MISS }],
    ["DELETE", "/k?versionId=null", { "x-amz-if-match-size": "7" }],
    ["PUT", "/k", { "x-amz-copy-source": "BUCKET/open", "if-match": MISS }],
    ["PUT", "/new", { "x-amz-copy-source": "BUCKET/k", "x-amz-copy-source-if-match": MISS }],
    ["PUT", "/new", { "x-amz-copy-source": "BUCKET/k", "x-amz-copy-source-if-unmodified-since": PAST }],
    ["PUT", "/new", { "x-amz-rename-source": "k", "x-amz-rename-source-if-match": MISS }],
    ["PUT", "/k", { "x-amz-rename-source": "open", "if-match": MISS }],
    ["PUT", "/k", { "x-amz-rename-source": "open", "if-modified-since": PAST }],
    ["PUT", "/k", { "x-amz-rename-source": "open", "if-unmodified-since": PAST }],
  ])("is not disclosed by a condition: %s %s %j returns 403", async (method, target, conditions) => {
    const { bucket, ask } = await taggedSecret();
    const headers = Object.fromEntries(
      Object.entries(conditions).map(([name, value]) => [name, value.replace("BUCKET", bucket)]),
    );
    const response = await ask(method, target, { headers });
    expect(response.status).toBe(403);
    expect((await send("HEAD", `/${bucket}/k`, { headers: { "if-match": ETAG } })).status).toBe(403);
    const listing = await (await send("GET", `/${bucket}?list-type=2`)).text();
    expect(listing.match(/<Key>[^<]+/g)).toEqual(["<Key>k", "<Key>open"]);
    expect(listing).toContain(ETAG);
  });

  it("is not disclosed by the conditions of a completion", async () => {
    const { bucket, ask } = await taggedSecret();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "x");
    for (const etag of [ETAG, MISS]) {
      const options = { body: completionOf([part]), headers: { "if-match": etag } };
      expect((await ask("POST", `/k?uploadId=${uploadId}`, options)).status).toBe(403);
    }
  });

  it.each([false, true])("is not disclosed by the entries of DeleteObjects (named versions: %s)", async (isNamed) => {
    const { versionId, ask } = await taggedSecret(true);
    const version = isNamed ? `<VersionId>${versionId}</VersionId>` : "";
    const conditions = [`<ETag>${MISS}</ETag>`, `<ETag>${ETAG}</ETag>`, "<Size>6</Size>", "<Size>7</Size>"];
    const entries = conditions.map((condition) => `<Object><Key>k</Key>${version}${condition}</Object>`);
    const body = `<Delete>${entries.join("")}</Delete>`;
    const answer = await (
      await ask("POST", "?delete", { body, headers: { "content-md5": md5Base64(utf8(body)) } })
    ).text();
    expect(answer.match(/<Code>AccessDenied<\/Code>/g)).toHaveLength(4);
    expect(answer).not.toContain("<Deleted>");
  });

  it("can be deleted without a condition", async () => {
    const { ask } = await taggedSecret();
    expect((await ask("DELETE", "/k", { headers: { "if-match": "*" } })).status).toBe(204);
  });

  it("is disclosed to callers who may read it", async () => {
    const { ask } = await taggedSecret();
    expect((await ask("PUT", "/open", { headers: { "if-match": ETAG } })).status).toBe(412);
    expect((await ask("DELETE", "/open", { headers: { "x-amz-if-match-size": "1" } })).status).toBe(412);
  });
});
