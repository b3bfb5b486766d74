import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, expectBytes, md5Base64, md5Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { measuredD1, PARAMETER_MAX_BYTES } from "../support/parameters.ts";
import { namesOf, plain, readXml } from "../support/read-xml.ts";
import { expectBalanced } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}

/** A document with keys, or objects of several fields, and other elements. */
function document(objects: readonly (string | Readonly<Record<string, string>>)[], rest = ""): string {
  const entries = objects.map((object) => {
    const fields = typeof object === "string" ? { Key: object } : object;
    return `<Object>${Object.entries(fields)
      .map(([name, value]) => `<${name}>${escape(value)}</${name}>`)
      .join("")}</Object>`;
  });
  return `<Delete xmlns="${NAMESPACE}">${entries.join("")}${rest}</Delete>`;
}

function post(bucket: string, body: string | Uint8Array, headers: SendOptions["headers"] = {}): Promise<Response> {
  const bytes = typeof body === "string" ? utf8(body) : body;
  return send("POST", `/${bucket}?delete`, { body: bytes, headers: { "content-md5": md5Base64(bytes), ...headers } });
}

/** Sends a document and returns the elements of the result with their names. */
async function results(bucket: string, body: string): Promise<[string, unknown][]> {
  const response = await post(bucket, body);
  expect(response.status).toBe(200);
  return readXml(await response.text()).children.map((child) => [child.name, plain(child)]);
}

const deleted = (key: string): [string, unknown] => ["Deleted", { Key: key }];

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

  describe("a digest of the document", () => {
    it("is optional", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      expect((await send("POST", `/${bucket}?delete`, { body: document(["k"]) })).status).toBe(200);
      expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
    });

    it.each(ALGORITHMS)("of kind %s is verified", async (algorithm) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      const body = utf8(document(["k"]));
      const sendWith = (value: string) =>
        send("POST", `/${bucket}?delete`, { body, headers: { [checksumHeader(algorithm)]: value } });
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendWith(checksum(algorithm, utf8("other"))), { status: 400, code: "BadDigest" }),
      );
      expect((await sendWith(checksum(algorithm, body))).status).toBe(200);
      expect((await storedStateOf(bucket)).objects).toEqual({});
    });

    it("by Content-MD5 is verified", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      const body = utf8(document(["k"]));
      await expectNoTrace(bucket, async () =>
        expectS3Error(await post(bucket, body, { "content-md5": md5Base64(utf8("other")) }), {
          status: 400,
          code: "BadDigest",
          fields: { ExpectedDigest: md5Base64(utf8("other")), CalculatedDigest: md5Base64(body) },
        }),
      );
    });

    it("by the signed payload hash is verified", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      const wrong = "0".repeat(64);
      await expectNoTrace(bucket, async () => {
        await expectS3Error(await post(bucket, document(["k"]), { "x-amz-content-sha256": wrong }), {
          status: 400,
          code: "XAmzContentSHA256Mismatch",
          fields: { ClientComputedContentSHA256: wrong, S3ComputedContentSHA256: expect.any(String) },
        });
      });
    });
  });

  describe("the document", () => {
    it.each([
      ["no XML", "k"],
      ["another root", "<Deletes><Object><Key>k</Key></Object></Deletes>"],
      ["no key", "<Delete><Object></Object></Delete>"],
      ["an empty key", "<Delete><Object><Key></Key></Object></Delete>"],
      ["two keys in one object", "<Delete><Object><Key>k</Key><Key>l</Key></Object></Delete>"],
      ["an unknown element", "<Delete><Object><Key>k</Key><Other/></Object></Delete>"],
      ["an unknown element beside the objects", "<Delete><Object><Key>k</Key></Object><Other/></Delete>"],
      ["Quiet twice", document(["k"], "<Quiet>true</Quiet><Quiet>false</Quiet>")],
      ["a Quiet that is neither", document(["k"], "<Quiet>yes</Quiet>")],
      ["a size that is none", document([{ Key: "k", Size: "-1" }])],
      ["a time that is none", document([{ Key: "k", LastModifiedTime: "yesterday" }])],
      ["a DTD", `<!DOCTYPE Delete [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>`],
      ["an entity that is unknown", "<Delete><Object><Key>&k;</Key></Object></Delete>"],
      ["a character that is none", "<Delete><Object><Key>&#9999999999;</Key></Object></Delete>"],
      ["a NUL", "<Delete><Object><Key>k\0</Key></Object></Delete>"],
      ["an end too early", "<Delete><Object><Key>k</Key></Object>"],
      ["depth", "<Delete>".repeat(100) + "</Delete>".repeat(100)],
    ])("is refused as MalformedXML with %s", async (_what, body) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      await expectNoTrace(bucket, async () =>
        expectS3Error(await post(bucket, body), { status: 400, code: "MalformedXML" }),
      );
    });

    it("returns MalformedXML when it is not UTF-8", async () => {
      const bucket = await freshBucket();
      const utf16 = new Uint8Array(Uint16Array.from(document(["k"]), (character) => character.charCodeAt(0)).buffer);
      for (const body of [utf16, Uint8Array.of(...utf8("<Delete><Object><Key>"), 0xff)]) {
        await expectS3Error(await post(bucket, body), { status: 400, code: "MalformedXML" });
      }
    });

    it("can have a declaration, a byte order mark, white space, and any namespace or none", async () => {
      const bucket = await freshBucket();
      for (const body of [
        `<?xml version="1.0" encoding="UTF-8"?>\n${document(["k"])}`,
        `\ufeff${document(["k"])}`,
        "<Delete>\n  <Object>\n    <Key>k</Key>\n  </Object>\n  <Quiet>false</Quiet>\n</Delete>\n",
        '<s3:Delete xmlns:s3="urn:x"><s3:Object><s3:Key>k</s3:Key></s3:Object></s3:Delete>',
      ]) {
        await putAll(bucket, { k: "1" });
        expect(await results(bucket, body)).toEqual([deleted("k")]);
        expect((await storedStateOf(bucket)).objects).toEqual({});
      }
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

  it("deletes the only version for null, and nothing for another id", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    const other = "0".repeat(32);
    const outcome = await results(
      bucket,
      document([
        { Key: "a", VersionId: "null" },
        { Key: "b", VersionId: other },
      ]),
    );
    expect(outcome).toEqual([
      ["Deleted", { Key: "a", VersionId: "null" }],
      ["Deleted", { Key: "b", VersionId: other }],
    ]);
    expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["b"]);
    await expectBytes(await send("GET", `/${bucket}/b`), "2");
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

  describe("in a bucket with versions", () => {
    it("adds a delete marker to each key, existing or not, and names it", async () => {
      const bucket = await versionedBucket();
      const version = await putVersion(bucket, "a", "1");
      const found = await results(bucket, document(["a", "never was"]));
      const listed = await versionsOf(bucket);
      expect(listed.map(({ kind, key, isLatest }) => [kind, key, isLatest])).toEqual([
        ["DeleteMarker", "a", true],
        ["Version", "a", false],
        ["DeleteMarker", "never was", true],
      ]);
      expect(found).toEqual(
        [listed[0], listed[2]].map((marker) => [
          "Deleted",
          { Key: marker?.key, DeleteMarker: "true", DeleteMarkerVersionId: marker?.versionId },
        ]),
      );
      expect(await bodyOf(bucket, "a", version)).toBe("1");
    });

    it("purges the named versions and markers, and an older version becomes current", async () => {
      const bucket = await versionedBucket();
      const [first, second] = [await putVersion(bucket, "k", "1"), await putVersion(bucket, "k", "2")];
      const marker = await deleteKey(bucket, "k");
      const absent = "0".repeat(32);
      const body = document([
        { Key: "k", VersionId: marker },
        { Key: "k", VersionId: second },
        { Key: "k", VersionId: absent },
        { Key: "k", VersionId: "nonsense" },
      ]);
      const found = await results(bucket, body);
      expect(found.slice(0, 3)).toEqual([
        ["Deleted", { Key: "k", VersionId: marker, DeleteMarker: "true", DeleteMarkerVersionId: marker }],
        ["Deleted", { Key: "k", VersionId: second }],
        ["Deleted", { Key: "k", VersionId: absent }],
      ]);
      expect(found[3]).toEqual([
        "Error",
        {
          Key: "k",
          VersionId: "nonsense",
          Code: "NoSuchVersion",
          Message: expect.stringMatching(/./) as unknown,
        },
      ]);
      expect((await versionsOf(bucket)).map(({ versionId, isLatest }) => [versionId, isLatest])).toEqual([
        [first, true],
      ]);
      expect(await bodyOf(bucket, "k")).toBe("1");
      await expectBalanced(bucket);
    });

    it("replaces the null version with a null delete marker while versioning is suspended", async () => {
      const bucket = await versionedBucket();
      const kept = await putVersion(bucket, "k", "kept");
      await setVersioning(bucket, "Suspended");
      await putVersion(bucket, "k", "null");
      expect(await results(bucket, document(["k"]))).toEqual([
        ["Deleted", { Key: "k", DeleteMarker: "true", DeleteMarkerVersionId: "null" }],
      ]);
      expect((await versionsOf(bucket)).map(({ kind, versionId }) => `${kind} ${versionId}`)).toEqual([
        "DeleteMarker null",
        `Version ${kept}`,
      ]);
      await results(bucket, document([{ Key: "k", VersionId: "null" }]));
      expect(await bodyOf(bucket, "k")).toBe("kept");
      await expectBalanced(bucket);
    });
  });
});
