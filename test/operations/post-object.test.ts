// PostObject: the stored object, its metadata, tags and versions, and the response to a success.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { checksum, expectBytes, md5Base64, md5Hex, noise, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { r2With } from "../support/faults.ts";
import { BOUNDARY, formOf, post, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { namesOf, readXml } from "../support/read-xml.ts";
import { expectRefused, get, partsFor } from "./post-object-fixture.ts";

describe("PostObject", () => {
  it("stores a form's file", async () => {
    const bucket = await freshBucket();
    const response = await post(bucket, { key: "a/b" }, "something body");
    expect(response.status).toBe(204);
    expectAnswerHeaders(response);
    expect(await response.text()).toBe("");
    expect(response.headers.get("etag")).toBe(`"${md5Hex("something body")}"`);
    expect(response.headers.get("location")).toBe(`http://localhost:9000/${bucket}/a%2Fb`);
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", utf8("something body")));
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    const stored = await get(bucket, "a/b");
    expect(stored.headers.get("content-type")).toBe("binary/octet-stream");
    await expectBytes(stored, "something body");
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it.each([0, 1, 262_143, 262_144, 262_145, 1_000_000, 6_000_000])("stores %d bytes unchanged", async (length) => {
    const bucket = await freshBucket();
    const bytes = noise(length);
    // Bytes that look like boundaries, at the beginning and the end.
    const edge = utf8(`\r\n--${BOUNDARY.slice(0, -1)}\r\n--`);
    if (length > 1000) {
      bytes.set(edge, 0);
      bytes.set(edge, length - edge.length);
      if (length > 300_000) bytes.set(edge, 262_144 - 20);
    }
    const response = await post(bucket, { key: "k" }, bytes);
    expect(response.status).toBe(204);
    expect(response.headers.get("etag")).toBe(`"${md5Hex(bytes)}"`);
    await expectBytes(await get(bucket, "k"), bytes);
    const storedState = await storedStateOf(bucket);
    expectNothingLeftOver(storedState);
    expect(storedState.objects["k"]?.size).toBe(length);
  });

  it("uses the metadata of the fields, and ignores the request's headers", async () => {
    const bucket = await freshBucket();
    const fields = {
      key: "k",
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "max-age=1",
      "Content-Disposition": 'attachment; filename="a.txt"',
      "Content-Encoding": "gzip",
      "Content-Language": "de",
      Expires: "Fri, 02 Jan 2026 03:04:05 GMT",
      "x-amz-meta-UUID": "1",
      "X-Amz-Meta-Text": "ÄMÄZÕÑ S3",
      "x-amz-storage-class": "STANDARD_IA",
      acl: "private",
      "x-ignore-me": "1",
    };
    const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
    const form = formOf([...Object.entries({ ...fields, ...signPolicy(conditions) }), ["file", "x", "f"]]);
    const headers = { "x-amz-meta-other": "1", "content-language": "fr", "x-amz-storage-class": "ONEZONE_IA" };
    expect((await sendForm(bucket, form, headers)).status).toBe(204);
    const stored = await get(bucket, "k");
    expect(Object.fromEntries(stored.headers)).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "max-age=1",
      "content-disposition": 'attachment; filename="a.txt"',
      "content-encoding": "gzip",
      "content-language": "de",
      expires: "Fri, 02 Jan 2026 03:04:05 GMT",
      "x-amz-meta-uuid": "1",
      "x-amz-meta-text": `=?UTF-8?B?${Buffer.from("ÄMÄZÕÑ S3").toString("base64")}?=`,
      "x-amz-storage-class": "STANDARD_IA",
    });
    expect(stored.headers.has("x-amz-meta-other")).toBe(false);
  });

  it("stores tags", async () => {
    const bucket = await freshBucket();
    const tagging =
      "<Tagging><TagSet><Tag><Key>a b</Key><Value>1=2+3</Value></Tag><Tag><Key>é</Key><Value/></Tag></TagSet></Tagging>";
    expect((await post(bucket, { key: "k", tagging }, "x")).status).toBe(204);
    const text = await (await send("GET", `/${bucket}/k?tagging`)).text();
    expect(text).toContain("<Tag><Key>a b</Key><Value>1=2+3</Value></Tag><Tag><Key>é</Key><Value/></Tag>");
    await expectRefused({ status: 400, code: "MalformedXML" }, { tagging: "not-xml" });
  });

  it("creates a version in a versioned bucket", async () => {
    const bucket = await freshBucket();
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    await send("PUT", `/${bucket}?versioning`, { body, headers: { "content-md5": md5Base64(utf8(body)) } });
    const versions = [];
    for (const content of ["1", "2"]) {
      versions.push((await post(bucket, { key: "k" }, content)).headers.get("x-amz-version-id"));
    }
    expect(new Set(versions).size).toBe(2);
    const first = await send("GET", `/${bucket}/k?versionId=${versions[0] ?? ""}`);
    expect(await first.text()).toBe("1");
  });

  it("honours the conditions of the request", async () => {
    const bucket = await freshBucket();
    const body = formOf(partsFor(bucket, "k", ["file", "x", "f"]));
    const headers = { "if-none-match": "*" };
    expect((await sendForm(bucket, body, headers)).status).toBe(204);
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendForm(bucket, body, headers), {
        status: 412,
        code: "PreconditionFailed",
        fields: { Condition: "If-None-Match" },
      }),
    );
  });

  describe("success", () => {
    it.each([
      ["200", 200],
      ["204", 204],
      ["404", 204],
      ["", 204],
      ["0x1", 204],
    ])("returns the requested status: %j", async (success_action_status, status) => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "k", success_action_status }, "x");
      expect(response.status).toBe(status);
      expect(await response.text()).toBe("");
      expect(response.headers.get("content-type")).toBeNull();
    });

    it("returns XML with 201", async () => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "a/é <b>", success_action_status: "201" }, "x");
      expect(response.status).toBe(201);
      expect(response.headers.get("content-type")).toBe("application/xml");
      const root = readXml(await response.text());
      const etag = `"${md5Hex("x")}"`;
      const location = `http://localhost:9000/${bucket}/a%2F%C3%A9%20%3Cb%3E`;
      expect([root.name, root.attributes, namesOf(root)]).toEqual([
        "PostResponse",
        {},
        ["Location", "Bucket", "Key", "ETag"],
      ]);
      expect(root.children.map(({ text }) => text)).toEqual([location, bucket, "a/é <b>", etag]);
      expect(response.headers.get("location")).toBe(location);
      expect(response.headers.get("etag")).toBe(etag);
      expect((await send("GET", new URL(location).pathname)).status).toBe(200);
    });

    it.each([
      ["https://example.com/done", "https://example.com/done?"],
      ["http://example.com", "http://example.com/?"],
      ["https://example.com/done?a=b%20c", "https://example.com/done?a=b%20c&"],
      ["https://example.com/done?", "https://example.com/done?"],
      ["https://example.com/done?a=??", "https://example.com/done?a=??&"],
      ["https://example.com/done#", "https://example.com/done?"],
      ["https://example.com/done#part", "https://example.com/done?"],
      ["HTTPS://Example.com/ü", "https://example.com/%C3%BC?"],
    ])("sends on to a page that the policy names: %s", async (success_action_redirect, start) => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "a b/c", success_action_redirect }, "x");
      expect(response.status).toBe(303);
      expect(await response.text()).toBe("");
      const fragment = new URL(success_action_redirect).hash;
      expect(response.headers.get("location")).toBe(
        `${start}bucket=${bucket}&key=a+b%2Fc&etag=%22${md5Hex("x")}%22${fragment}`,
      );
      expect((await send("HEAD", `/${bucket}/a%20b/c`)).status).toBe(200);
    });

    it("redirects by the old name of the field as well", async () => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "k", redirect: "https://example.com/" }, "x");
      expect(response.status).toBe(303);
    });

    it.each([
      "javascript:alert(1)",
      "JavaScript:alert(1)",
      "data:text/html,x",
      "/relative",
      "//example.com/",
      "ftp://example.com/",
      "https://",
      "https://exa mple.com/",
      " https://example.com/",
      "https://example.com/\r\nSet-Cookie: a=b",
      "https://example.com/\tx",
      "https:\\\\example.com",
      "https://example.com\\@evil.example/",
      "",
    ])("does not redirect to %j", async (success_action_redirect) => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "k", success_action_redirect }, "x");
      expect(response.status).toBe(204);
      expect(response.headers.get("location")).toBe(`http://localhost:9000/${bucket}/k`);
      expect(response.headers.get("set-cookie")).toBeNull();
    });
  });

  it.each([
    [{ "x-amz-storage-class": "FakeClass" }, 400, "InvalidStorageClass", { StorageClassRequested: "FakeClass" }],
    [{ acl: "nonsense" }, 400, "InvalidArgument", { ArgumentName: "x-amz-acl", ArgumentValue: "nonsense" }],
    [{ "x-amz-checksum-crc32": "sailorjerry" }, 400, "InvalidRequest", {}],
    [{ "x-amz-checksum-algorithm": "CRC32" }, 400, "InvalidRequest", {}],
    [{ "x-amz-checksum-crc32": "AAAAAA==" }, 400, "BadDigest", {}],
    [{ "x-amz-website-redirect-location": "x" }, 400, "InvalidRedirectLocation", {}],
    [
      { "Content-Disposition": "a\r\nb" },
      400,
      "InvalidArgument",
      { ArgumentName: "content-disposition", ArgumentValue: "a\r\nb" },
    ],
    [{ "x-amz-meta-a b": "1" }, 400, "InvalidArgument", { ArgumentName: "x-amz-meta-a b", ArgumentValue: "1" }],
  ])("refuses fields as PutObject refuses headers: %j", async (fields, status, code, shown) => {
    await expectRefused({ status, code, fields: shown }, fields);
  });

  it("accepts a key of 1024 bytes, and rejects one of 1025 or with NUL in it", async () => {
    const bucket = await freshBucket();
    expect((await post(bucket, { key: "k".repeat(1024) }, "x")).status).toBe(204);
    await expectS3Error(await post(bucket, { key: "k".repeat(1025) }, "x"), {
      status: 400,
      code: "KeyTooLongError",
      fields: { Size: "1025", MaxSizeAllowed: "1024" },
    });
    await expectS3Error(await post(bucket, { key: "a\0b" }, "x"), {
      status: 400,
      code: "InvalidURI",
      fields: { URI: "a%00b" },
    });
  });

  it("leaves neither an object nor an unhandled rejection when the store fails", async () => {
    const bucket = await freshBucket();
    const scope = { ...IN_STORE, BLOBS: r2With({ put: () => Promise.reject(new Error("R2 is down")) }) };
    for (const length of [10, 700_000]) {
      const form = formOf(partsFor(bucket, "k", ["file", noise(length), "f"]));
      await expectNoTrace(bucket, async () => {
        expect((await sendForm(bucket, form, {}, scope)).status).toBe(500);
      });
    }
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await post(name, { key: "k" }, "x"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });
});
