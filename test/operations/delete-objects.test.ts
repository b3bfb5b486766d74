// DeleteObjects: the results of all keys and of single ones, limits and cost.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { md5Base64, md5Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { measuredD1, PARAMETER_MAX_BYTES } from "../support/parameters.ts";
import { namesOf, plain, readXml } from "../support/read-xml.ts";
import { versionedBucket } from "../support/versioning.ts";
import { NAMESPACE, deleted, document, post, results } from "./delete-objects-fixture.ts";

describe("DeleteObjects", () => {
  it("sends parameters within D1's limits, however long the keys are as JSON", async () => {
    const [bucket, versioned] = [await freshBucket(), await versionedBucket()];
    const keys = Array.from({ length: 1000 }, (_, index) => `${index}`.padEnd(1024, '"'));
    await putAll(bucket, { [keys[999] ?? ""]: "x" });
    const { DB, longest } = measuredD1();
    const objects = [keys, keys.map((key) => ({ Key: key, VersionId: "null" }))];
    for (const [index, name] of [bucket, versioned].entries()) {
      const body = utf8(document(objects[index] ?? []));
      const options = { body, headers: { "content-md5": md5Base64(body) } };
      const response = await send("POST", `/${name}?delete`, options, { DB });
      expect(response.status).toBe(200);
      expect((await response.text()).match(/<Deleted>/g)).toHaveLength(1000);
    }
    expect((await storedStateOf(bucket)).objects).toEqual({});
    expect(longest()).toBeLessThan(PARAMETER_MAX_BYTES);
  });

  it("deletes objects, reports every key in the document's order, and turns the bytes into garbage", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", "b/c": "2", kept: "3" });
    const response = await post(bucket, document(["b/c", "never was", "a"]));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expectAnswerHeaders(response);
    const root = readXml(await response.text());
    expect(root.name).toBe("DeleteResult");
    expect(root.attributes).toEqual({ xmlns: NAMESPACE });
    expect(root.children.map((child) => [child.name, plain(child)])).toEqual([
      deleted("b/c"),
      deleted("never was"),
      deleted("a"),
    ]);
    const storedState = await storedStateOf(bucket);
    expect(Object.keys(storedState.objects)).toEqual(["kept"]);
    expect(storedState.garbage).toHaveLength(2);
    expectNothingLeftOver(storedState);
  });

  it("omits successes in quiet mode", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    const response = await post(bucket, document(["a", { Key: "b", VersionId: "bad" }], "<Quiet>true</Quiet>"));
    expect(response.status).toBe(200);
    const root = readXml(await response.text());
    expect(namesOf(root)).toEqual(["Error"]);
    expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["b"]);
    expect(await results(bucket, document(["b"], "<Quiet>TRUE</Quiet>"))).toEqual([]);
    expect(await results(bucket, document(["b"], "<Quiet>false</Quiet>"))).toEqual([deleted("b")]);
  });

  it("accepts 1000 keys over all coordinators at once, and costs a row or two for each", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 1000 }, (_, index) => `key ${index} ${"x".repeat(900)}`);
    const some = keys.slice(0, 40);
    await putAll(bucket, Object.fromEntries(some.map((key) => [key, key])));
    expect(await results(bucket, document(keys))).toEqual(keys.map(deleted));
    const storedState = await storedStateOf(bucket);
    expect(storedState.objects).toEqual({});
    expect(storedState.garbage).toHaveLength(40);
    expectNothingLeftOver(storedState);
  });

  it("rejects 1001 keys, no key, and a document over 8 MiB, and deletes nothing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k0: "1" });
    for (const body of [
      document(Array.from({ length: 1001 }, (_, index) => `k${index}`)),
      document([]),
      document(["k0"], " ".repeat(8 * 1024 * 1024)),
    ]) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await post(bucket, body), { status: 400, code: "MalformedXML" }),
      );
    }
  });

  it("keeps keys verbatim: spaces, numbers, entities, and JavaScript's property names", async () => {
    const bucket = await freshBucket();
    const keys = [
      " a ",
      "007",
      "true",
      "1e3",
      "a&b<c>",
      "__proto__",
      "constructor",
      "e\u0301",
      "\u{1f600}",
      "x\ry",
      "  ",
    ];
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, key])));
    await putAll(bucket, { a: "1", "7": "2", "\u00e9": "3" });
    expect(await results(bucket, document(keys))).toEqual(keys.map(deleted));
    expect(Object.keys((await storedStateOf(bucket)).objects).toSorted()).toEqual(["7", "a", "\u00e9"].toSorted());
  });

  it("reports a duplicate key as deleted twice", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    expect(await results(bucket, document(["k", "k"]))).toEqual([deleted("k"), deleted("k")]);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("never deletes a key that it reports as failed, also for duplicates with different conditions", async () => {
    const bucket = await freshBucket();
    const [good, bad] = [md5Hex("1"), md5Hex("2")];
    const error = (code: string): [string, unknown] => ["Error", { Key: "k", Code: code, Message: expect.any(String) }];
    // Once the key is deleted, no condition on it can hold.
    for (const [etags, outcomes] of [
      [
        [good, good],
        [deleted("k"), error("NoSuchKey")],
      ],
      [
        [good, bad],
        [deleted("k"), error("NoSuchKey")],
      ],
      [
        [bad, good],
        [error("PreconditionFailed"), deleted("k")],
      ],
    ] as const) {
      await putAll(bucket, { k: "1" });
      expect(await results(bucket, document(etags.map((ETag) => ({ Key: "k", ETag }))))).toEqual(outcomes);
      expect((await storedStateOf(bucket)).objects).toEqual({});
    }
    await putAll(bucket, { k: "1" });
    await expectNoTrace(bucket, async () => {
      const outcome = await results(
        bucket,
        document([
          { Key: "k", ETag: bad },
          { Key: "k", ETag: bad },
        ]),
      );
      expect(outcome.map(([name]) => name)).toEqual(["Error", "Error"]);
    });
  });

  describe("an error of a single key", () => {
    it("is NoSuchVersion for a malformed version id, and stops no other key", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { a: "1", b: "2" });
      expect(await results(bucket, document([{ Key: "a", VersionId: "x" }, "b"]))).toEqual([
        [
          "Error",
          { Key: "a", VersionId: "x", Code: "NoSuchVersion", Message: "The specified version does not exist." },
        ],
        deleted("b"),
      ]);
      expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["a"]);
    });

    it("is KeyTooLongError over 1024 bytes", async () => {
      const bucket = await freshBucket();
      const [long, longest] = ["\u00e9".repeat(513), "\u00e9".repeat(512)];
      expect(await results(bucket, document([long, longest]))).toEqual([
        ["Error", { Key: long, Code: "KeyTooLongError", Message: "Your key is too long" }],
        deleted(longest),
      ]);
    });

    it("is PreconditionFailed when ETag, Size or LastModifiedTime differ, and NoSuchKey for a missing key", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { a: "1", b: "22", c: "333", d: "4444" });
      const failed = (key: string): [string, unknown] => [
        "Error",
        {
          Key: key,
          Code: "PreconditionFailed",
          Message: "At least one of the pre-conditions you specified did not hold",
        },
      ];
      const outcome = await results(
        bucket,
        document([
          { Key: "a", ETag: md5Hex("other") },
          { Key: "b", Size: "1" },
          { Key: "c", LastModifiedTime: "1970-01-01T00:00:00Z" },
          { Key: "d", ETag: `"${md5Hex("4444")}"`, Size: "4" },
          { Key: "e", ETag: "*" },
        ]),
      );
      expect(outcome).toEqual([
        failed("a"),
        failed("b"),
        failed("c"),
        deleted("d"),
        ["Error", { Key: "e", Code: "NoSuchKey", Message: "The specified key does not exist." }],
      ]);
      expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["a", "b", "c"]);
    });

    it("does not occur when LastModifiedTime matches, as an HTTP date and as an ISO date", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { a: "1", b: "2" });
      const timeOf = async (key: string) =>
        (await send("HEAD", `/${bucket}/${key}`)).headers.get("last-modified") ?? "";
      const outcome = await results(
        bucket,
        document([
          { Key: "a", LastModifiedTime: await timeOf("a") },
          { Key: "b", LastModifiedTime: new Date(await timeOf("b")).toISOString() },
        ]),
      );
      expect(outcome).toEqual([deleted("a"), deleted("b")]);
    });
  });

  it("returns MissingContentLength without a length, and MalformedXML without a body", async () => {
    const bucket = await freshBucket();
    const headers = { "content-md5": md5Base64(utf8("")) };
    await expectS3Error(await send("POST", `/${bucket}?delete`, { headers }), { status: 400, code: "MalformedXML" });
    await expectS3Error(
      await send("POST", `/${bucket}?delete`, { headers, body: new Blob([document(["k"])]).stream() }),
      { status: 411, code: "MissingContentLength" },
    );
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await post(name, document(["k"])), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("rejects anonymous requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    const body = utf8(document(["k"]));
    await expectNoTrace(bucket, async () =>
      expectS3Error(
        await deliver(anonymous("POST", `/${bucket}?delete`, { body, headers: { "content-md5": md5Base64(body) } })),
        { status: 403, code: "AccessDenied" },
      ),
    );
  });
});
