import { describe, expect, it } from "vitest";

import { formatHttpDate } from "../../../src/bytes/dates.ts";
import {
  planObjectRead,
  readObjectRead,
  refuseAnonymousOverrides,
  requireVersion,
} from "../../../src/protocol/objects/object-reading.ts";
import type { StoredObject } from "../../../src/protocol/objects/stored-object.ts";
import { expectError, expectRefusal, errorOf, PRESIGNED, requestFor } from "./support.ts";

const ETAG = "d41d8cd98f00b204e9800998ecf8427e";
const VERSION = "0123456789abcdefghijklmnopqrstuv";
const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5) + 678;
const NOW = MODIFIED + 3_600_000;
const SSE_S3 = { "x-amz-server-side-encryption": "AES256" };
const LAST_MODIFIED = "Fri, 02 Jan 2026 03:04:05 GMT";

const OBJECT: StoredObject = {
  key: "key",
  versionId: VERSION,
  isNullVersion: true,
  modifiedAt: MODIFIED,
  size: 100,
  etag: ETAG,
  ownerId: "123456789012",
  blobId: "b/1",
  manifestId: undefined,
  tags: [],
  acl: undefined,
  encryption: undefined,
  retention: undefined,
  legalHold: undefined,
  storageClass: "STANDARD",
  checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "y/Q5Jg==" },
  contentType: "text/plain",
  systemMetadata: { "cache-control": "max-age=60" },
  userMetadata: { colour: "blue" },
};
const EMPTY: StoredObject = { ...OBJECT, size: 0 };

type Headers_ = Readonly<Record<string, string>>;

function input(query = "", headers: Headers_ = {}, clientAcceptEncoding?: string) {
  return readObjectRead(requestFor("GET", `/bucket/key${query}`, headers, clientAcceptEncoding));
}

function plan(query = "", headers: Headers_ = {}, object: StoredObject = OBJECT) {
  return planObjectRead(input(query, headers), object, {
    isVersioned: false,
    parts: [],
    encryption: SSE_S3,
    lock: {},
    lifecycle: null,
    now: NOW,
  });
}

describe("a read", () => {
  it("requests the whole current version by default", () => {
    expect(input()).toEqual({
      method: "GET",
      bucketName: "bucket",
      key: "key",
      versionId: undefined,
      conditions: {
        ifMatch: undefined,
        ifNoneMatch: undefined,
        ifModifiedSince: undefined,
        ifUnmodifiedSince: undefined,
      },
      range: undefined,
      ifRange: undefined,
      partNumber: undefined,
      wantsChecksum: false,
      overrides: {},
      acceptsCompression: false,
      asksUpstream: true,
    });
  });

  it.each(["0", "10001", "-1", "1.5", "", "x", "0x1", "1e1", "99999999999999999999", "+1"])(
    "rejects the part number %j",
    (value) =>
      expectRefusal(() => input(`?partNumber=${encodeURIComponent(value)}`), "InvalidArgument", 400, {
        fields: { ArgumentName: "partNumber", ArgumentValue: value },
        message: "Part number must be an integer between 1 and 10000, inclusive",
      }),
  );

  it("accepts part numbers from 1 to 10000, and no range with them", () => {
    expect(input("?partNumber=1").partNumber).toBe(1);
    expect(input("?partNumber=10000").partNumber).toBe(10_000);
    expectRefusal(() => input("?partNumber=1", { range: "bytes=0-1" }), "InvalidRequest", 400, {
      message: "Cannot specify both Range header and partNumber query parameter",
    });
  });

  it.each(["ENABLED", "enabled"])("requests the checksum with x-amz-checksum-mode: %s, presigned or not", (mode) => {
    expect(input("", { "x-amz-checksum-mode": mode }).wantsChecksum).toBe(true);
    expect(input(`?${PRESIGNED}&x-amz-checksum-mode=${mode}`).wantsChecksum).toBe(true);
    expect(input(`?x-amz-checksum-mode=${mode}`).wantsChecksum).toBe(false);
  });

  it.each([
    ["gzip, br", true],
    ["zstd", true],
    ["deflate;q=0.5", true],
    ["*", true],
    ["identity", false],
    ["", false],
  ])("allows compression by the edge when the client accepts %j: %s", (accepted, isAccepted) => {
    expect(input("", { "accept-encoding": accepted }).acceptsCompression).toBe(isAccepted);
    // The edge rewrites the header and passes the client's original separately.
    expect(input("", { "accept-encoding": "gzip, br" }, accepted).acceptsCompression).toBe(isAccepted);
  });

  it("rejects a malformed version id", () => {
    expect(input(`?versionId=${VERSION}`).versionId).toBe(VERSION);
    expect(input("?versionId=null").versionId).toBe("null");
    expectRefusal(() => input("?versionId=x"), "InvalidArgument", 400);
    expectRefusal(() => input("?versionId"), "InvalidArgument", 400);
  });
});

describe("response-* parameters", () => {
  it("are allowed in signed requests only", () => {
    const overridden = input("?response-content-type=text%2Fhtml");
    expect(() => refuseAnonymousOverrides(overridden, false)).not.toThrow();
    expect(() => refuseAnonymousOverrides(input(), true)).not.toThrow();
    expectRefusal(() => refuseAnonymousOverrides(overridden, true), "InvalidRequest", 400, {
      message: "Request specific response headers cannot be used for anonymous GET requests.",
    });
  });

  it("change the headers of 200 and of 206, and none that identifies the object", () => {
    const query = "?response-content-type=text%2Fhtml&response-cache-control=no-store&response-expires=never";
    for (const headers of [{}, { range: "bytes=0-1" }]) {
      expect(plan(query, headers as Headers_).headers).toMatchObject({
        "content-type": "text/html",
        "cache-control": "no-store",
        expires: "never",
        etag: `"${ETAG}"`,
        "last-modified": LAST_MODIFIED,
      });
    }
  });

  it("do not change those of 304", () => {
    const { status, headers } = plan("?response-cache-control=no-store", { "if-none-match": "*" });
    expect(status).toBe(304);
    expect(headers["cache-control"]).toBe("max-age=60");
  });
});

describe("the version of a read", () => {
  const marker = { key: "key", versionId: VERSION, isNullVersion: false, modifiedAt: MODIFIED };

  it("is the one found", () => {
    expect(requireVersion(input(), { object: OBJECT, deleteMarker: undefined })).toBe(OBJECT);
  });

  it("is missing", () => {
    const nothing = { object: undefined, deleteMarker: undefined };
    expectRefusal(() => requireVersion(input(), nothing), "NoSuchKey", 404, { fields: { Key: "key" } });
    for (const versionId of ["null", VERSION]) {
      expectRefusal(() => requireVersion(input(`?versionId=${versionId}`), nothing), "NoSuchVersion", 404, {
        fields: { Key: "key", VersionId: versionId },
      });
    }
  });

  it("is hidden by a delete marker, whose id the response contains", () => {
    const found = { object: undefined, deleteMarker: marker };
    const error = errorOf(() => requireVersion(input(), found));
    expectError(error, "NoSuchKey", 404, { fields: { Key: "key" } });
    expect(error).toMatchObject({ headers: { "x-amz-delete-marker": "true", "x-amz-version-id": VERSION } });
  });

  it("cannot be a delete marker", () => {
    const found = { object: undefined, deleteMarker: { ...marker, isNullVersion: true } };
    const error = errorOf(() => requireVersion(input("?versionId=null"), found));
    expectError(error, "MethodNotAllowed", 405, { fields: { Method: "GET", ResourceType: "DeleteMarker" } });
    expect(error).toMatchObject({
      headers: {
        "x-amz-delete-marker": "true",
        "x-amz-version-id": "null",
        "Last-Modified": LAST_MODIFIED,
        Allow: "DELETE",
      },
    });
  });
});

describe("the response to a read", () => {
  it("is the whole object with its headers", () => {
    expect(plan()).toEqual({
      status: 200,
      range: undefined,
      headers: {
        "content-type": "text/plain",
        "cache-control": "max-age=60",
        "x-amz-meta-colour": "blue",
        etag: `"${ETAG}"`,
        "last-modified": LAST_MODIFIED,
        "accept-ranges": "bytes",
        "content-length": "100",
        "x-amz-server-side-encryption": "AES256",
      },
    });
  });

  it("contains every storage class but STANDARD", () => {
    expect(plan().headers["x-amz-storage-class"]).toBeUndefined();
    expect(plan("", {}, { ...OBJECT, storageClass: "GLACIER_IR" }).headers["x-amz-storage-class"]).toBe("GLACIER_IR");
  });

  it.each([
    ["bytes=0-0", 0, 1, "bytes 0-0/100"],
    ["bytes=10-", 10, 90, "bytes 10-99/100"],
    ["bytes=-5", 95, 5, "bytes 95-99/100"],
    ["bytes=0-1000", 0, 100, "bytes 0-99/100"],
  ])("is 206 with the range %s", (range, offset, length, contentRange) => {
    const { status, headers, range: served } = plan("", { range });
    expect({ status, served }).toEqual({ status: 206, served: { offset, length } });
    expect(headers["content-range"]).toBe(contentRange);
    expect(headers["content-length"]).toBe(String(length));
  });

  it.each(["bytes=5-1", "bytes=0-1,3-4", "items=0-1", "x"])("is the whole with the range %s", (range) => {
    const { status, headers, range: served } = plan("", { range });
    expect({ status, served }).toEqual({ status: 200, served: undefined });
    expect(headers["content-range"]).toBeUndefined();
    expect(headers["content-length"]).toBe("100");
  });

  it("is 416 past the end, and for any range of an empty object", () => {
    const error = errorOf(() => plan("", { range: "bytes=100-" }));
    expectError(error, "InvalidRange", 416);
    expect(error.headers).toEqual({ "Content-Range": "bytes */100" });
    expect(errorOf(() => plan("", { range: "bytes=0-0" }, EMPTY)).headers).toEqual({ "Content-Range": "bytes */0" });
    expect(plan("", {}, EMPTY)).toMatchObject({ status: 200, range: undefined, headers: { "content-length": "0" } });
  });

  it.each([
    [`"${ETAG}"`, 206],
    [ETAG, 206],
    [LAST_MODIFIED, 206],
    [` "${ETAG}" `, 206],
    [LAST_MODIFIED.replace("GMT", "-0000"), 206],
    [`W/"${ETAG}"`, 200],
    ['"other"', 200],
    ["*", 200],
    [`"${ETAG}", "other"`, 200],
    [formatHttpDate(MODIFIED + 1000), 200],
    [formatHttpDate(MODIFIED - 1000), 200],
    ["", 200],
    ["x", 200],
  ])("serves the range only if If-Range matches exactly: %s returns %i", (ifRange, status) => {
    expect(plan("", { range: "bytes=0-1", "if-range": ifRange }).status).toBe(status);
  });

  it("ignores the range when If-Range fails", () => {
    expect(plan("", { range: "bytes=200-", "if-range": '"other"' }).status).toBe(200);
    expectRefusal(() => plan("", { range: "bytes=200-", "if-range": ETAG }), "InvalidRange", 416);
  });

  it("is 304 with the validators and the caching headers only", () => {
    const object = {
      ...OBJECT,
      systemMetadata: { ...OBJECT.systemMetadata, expires: "never", "content-language": "de" },
    };
    const headers = { "if-none-match": `"${ETAG}"`, "x-amz-checksum-mode": "ENABLED", range: "bytes=0-1" };
    expect(plan("", headers, object)).toEqual({
      status: 304,
      range: undefined,
      headers: { etag: `"${ETAG}"`, "last-modified": LAST_MODIFIED, "cache-control": "max-age=60", expires: "never" },
    });
  });

  it("is 412 before it is 416", () => {
    const headers = { "if-match": '"other"', range: "bytes=200-" };
    expectRefusal(() => plan("", headers), "PreconditionFailed", 412, { fields: { Condition: "If-Match" } });
  });
});

describe("a checksum in a response", () => {
  const wanted = { "x-amz-checksum-mode": "ENABLED" };
  const shown = { "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-type": "FULL_OBJECT" };

  it("is returned with the whole object when requested", () => {
    expect(plan("", wanted).headers).toMatchObject(shown);
    expect(plan("?partNumber=1", wanted).headers).toMatchObject(shown);
    expect(plan("", { ...wanted, range: "bytes=5-1" }).headers).toMatchObject(shown);
  });

  it.each([
    ["it was not asked for", {}, OBJECT],
    ["the object has none", wanted, { ...OBJECT, checksum: undefined }],
    ["a part of the bytes is served", { ...wanted, range: "bytes=0-9" }, OBJECT],
  ] as const)("is omitted when %s", (_what, headers, object) => {
    const names = Object.keys(plan("", headers, object).headers);
    expect(names.filter((name) => name.startsWith("x-amz-checksum-"))).toEqual([]);
  });
});

describe("a part number for a single-part object", () => {
  it("returns the whole, as 206", () => {
    const { status, headers, range } = plan("?partNumber=1");
    expect({ status, range }).toEqual({ status: 206, range: { offset: 0, length: 100 } });
    expect(headers["content-range"]).toBe("bytes 0-99/100");
    expect(headers["x-amz-mp-parts-count"]).toBeUndefined();
  });

  it("returns nothing, as 200, for an empty object", () => {
    expect(plan("?partNumber=1", {}, EMPTY)).toMatchObject({ status: 200, headers: { "content-length": "0" } });
  });

  it("can only be the first", () => {
    for (const part of [2, 10_000]) {
      expectRefusal(() => plan(`?partNumber=${part}`), "InvalidPartNumber", 416, {
        fields: { ActualPartCount: 1, PartNumberRequested: part },
      });
    }
  });
});

describe("compression by the edge", () => {
  const control = (headers: Headers_, systemMetadata: Headers_, query = "") =>
    plan(query, headers, { ...OBJECT, systemMetadata }).headers["cache-control"];
  const gzip = { "accept-encoding": "gzip" };

  it("is disabled when the client accepts it, in addition to the object's headers", () => {
    expect(control(gzip, {})).toBe("no-transform");
    expect(control(gzip, { "cache-control": "max-age=60" })).toBe("max-age=60, no-transform");
    expect(control(gzip, { "cache-control": "No-Transform, max-age=60" })).toBe("No-Transform, max-age=60");
    expect(control(gzip, {}, "?response-cache-control=no-store")).toBe("no-store, no-transform");
  });

  it("is not disabled when it cannot occur", () => {
    expect(control({}, {})).toBeUndefined();
    expect(control({ "accept-encoding": "identity" }, { "cache-control": "max-age=60" })).toBe("max-age=60");
    expect(control(gzip, { "content-encoding": "gzip" })).toBeUndefined();
  });
});
