// Annotations of copies: CopyObject copies them unless it excludes them, and restored snapshots have them.
import { describe, expect, it } from "vitest";

import { annotate, annotatedBucket, namesOf, payloadOf } from "../support/annotations.ts";
import { send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { freshUser } from "../support/users.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";

const DIRECTIVE = "x-amz-object-annotation-directive";

function copy(
  source: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  options: SendOptions = {},
): Promise<Response> {
  return send("PUT", `/${target}`, { ...options, headers: { "x-amz-copy-source": `/${source}`, ...headers } });
}

describe("CopyObject", () => {
  it.each([{}, { [DIRECTIVE]: "COPY" }])("with %j copies every annotation, also to another bucket", async (headers) => {
    const [bucket, other] = [await annotatedBucket(), await freshBucket()];
    await annotate(`${bucket}/k`, "small", '"é"\n');
    await annotate(`${bucket}/k`, "large", "x".repeat(1024 * 1024));
    for (const at of [`${bucket}/copy`, `${other}/copy`]) {
      expect((await copy(`${bucket}/k`, at, headers)).status).toBe(200);
      expect((await namesOf(at)).names).toEqual(["large", "small"]);
      expect(await payloadOf(at, "small")).toBe('"é"\n');
      expect(String(await payloadOf(at, "large"))).toHaveLength(1024 * 1024);
    }
    // The copies are independent of each other.
    await annotate(`${bucket}/k`, "small", "changed");
    expect(await payloadOf(`${other}/copy`, "small")).toBe('"é"\n');
  });

  it("with EXCLUDE copies none, in a header or a parameter", async () => {
    const bucket = await annotatedBucket();
    await annotate(`${bucket}/k`, "a", "1");
    expect((await copy(`${bucket}/k`, `${bucket}/one`, { [DIRECTIVE]: "EXCLUDE" })).status).toBe(200);
    expect((await copy(`${bucket}/k`, `${bucket}/two?${DIRECTIVE}=EXCLUDE`)).status).toBe(200);
    for (const key of ["one", "two"]) expect((await namesOf(`${bucket}/${key}`)).names).toEqual([]);
  });

  it.each([
    [`k2`, { [DIRECTIVE]: "SOME" }],
    [`k2`, { [DIRECTIVE]: "" }],
    [`k2?${DIRECTIVE}=copy`, {}],
    [`k2?${DIRECTIVE}=COPY`, { [DIRECTIVE]: "EXCLUDE" }],
  ])("to %s with %j is refused", async (target, headers) => {
    const bucket = await annotatedBucket();
    const response = await copy(`${bucket}/k`, `${bucket}/${target}`, headers);
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining("<Code>InvalidArgument</Code>"),
    ]);
  });

  it("replaces what an overwritten object had, and keeps those of an object that is copied to itself", async () => {
    const bucket = await annotatedBucket();
    await annotate(`${bucket}/k`, "a", "1");
    await putAll(bucket, { other: "1" });
    await annotate(`${bucket}/other`, "b", "2");
    expect((await copy(`${bucket}/k`, `${bucket}/other`)).status).toBe(200);
    expect((await namesOf(`${bucket}/other`)).names).toEqual(["a"]);
    const headers = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-m": "1" };
    expect((await copy(`${bucket}/k`, `${bucket}/k`, headers)).status).toBe(200);
    expect(await payloadOf(`${bucket}/k`, "a")).toBe("1");
  });

  it("copies those of the version that it names", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "1");
    await annotate(`${bucket}/k`, "first", "1");
    await putVersion(bucket, "k", "2");
    await annotate(`${bucket}/k`, "second", "2");
    expect((await copy(`${bucket}/k?versionId=${first}`, `${bucket}/old`)).status).toBe(200);
    expect((await copy(`${bucket}/k`, `${bucket}/new`)).status).toBe(200);
    expect((await namesOf(`${bucket}/old`)).names).toEqual(["first"]);
    expect((await namesOf(`${bucket}/new`)).names).toEqual(["second"]);
  });

  it("to a customer's key is refused if there are annotations, unless it excludes them", async () => {
    const bucket = await annotatedBucket();
    await annotate(`${bucket}/k`, "a", "1");
    const key = keyHeaders(customerKey(3));
    const refused = await copy(`${bucket}/k`, `${bucket}/sealed`, key);
    await expectS3Error(refused, { status: 400, code: "InvalidRequest" });
    expect((await copy(`${bucket}/k`, `${bucket}/sealed`, { ...key, [DIRECTIVE]: "EXCLUDE" })).status).toBe(200);
  });

  it.each(["s3:GetObjectAnnotation", "s3:PutObjectAnnotation"])(
    "needs %s only if there are annotations",
    async (action) => {
      const bucket = await annotatedBucket();
      await putAll(bucket, { plain: "1" });
      await annotate(`${bucket}/k`, "a", "1");
      const allowed = { Effect: "Allow", Action: "s3:*", Resource: "*" };
      const { credentials } = await freshUser(allowed, { Effect: "Deny", Action: action, Resource: "*" });
      expect((await copy(`${bucket}/plain`, `${bucket}/a`, {}, { credentials })).status).toBe(200);
      await expectS3Error(await copy(`${bucket}/k`, `${bucket}/b`, {}, { credentials }), {
        status: 403,
        code: "AccessDenied",
      });
      const excluded = await copy(`${bucket}/k`, `${bucket}/b`, { [DIRECTIVE]: "EXCLUDE" }, { credentials });
      expect(excluded.status).toBe(200);
    },
  );

  it("needs the action on versions for a version", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "1");
    await annotate(`${bucket}/k`, "a", "1");
    const denied = { Effect: "Deny", Action: "s3:GetObjectVersionAnnotation", Resource: "*" };
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" }, denied);
    expect((await copy(`${bucket}/k`, `${bucket}/a`, {}, { credentials })).status).toBe(200);
    const refused = await copy(`${bucket}/k?versionId=${version}`, `${bucket}/b`, {}, { credentials });
    await expectS3Error(refused, { status: 403, code: "AccessDenied" });
  });

  it("costs objects without annotations no round trip and no row", async () => {
    const bucket = await annotatedBucket();
    const excluded = costOf(await copy(`${bucket}/k`, `${bucket}/a`, { [DIRECTIVE]: "EXCLUDE" }));
    const copied = costOf(await copy(`${bucket}/k`, `${bucket}/b`));
    expect(copied).toMatchObject({ roundTrips: excluded.roundTrips, rowsWritten: excluded.rowsWritten });
    expect(copied.rowsRead - excluded.rowsRead).toBeLessThanOrEqual(2);
  });
});

it("a restored snapshot has the annotations of its versions", async () => {
  const bucket = await versionedBucket();
  await putVersion(bucket, "k", "1");
  await annotate(`${bucket}/k`, "a", "kept");
  await takeSnapshot(bucket, "s");
  await putVersion(bucket, "k", "2");
  await annotate(`${bucket}/k`, "b", "newer");
  expect((await send("POST", `/${bucket}?restoreSnapshot=s`)).status).toBe(200);
  expect((await namesOf(`${bucket}/k`)).names).toEqual(["a"]);
  expect(await payloadOf(`${bucket}/k`, "a")).toBe("kept");
});
