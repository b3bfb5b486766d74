import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { md5Base64, md5Hex, utf8 } from "../support/digests.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { bodyOf, versionedBucket } from "../support/versioning.ts";

const PAST = "Sat, 01 Jan 2000 00:00:00 GMT";

/** Dates that denote no moment, or that match no HTTP date format. */
const UNREADABLE = [
  "yesterday",
  "",
  " ",
  "1767323045",
  "Sat, 31 Feb 2026 00:00:00 GMT",
  "2026-01-02",
  "Sat, 01 Jan 2000",
];

/** A moment in the three formats of RFC 9110 and their common variants. */
function spellings(time: number): string[] {
  const utc = new Date(time).toUTCString();
  const [, day = "", month = "", year = "", clock = ""] = utc.split(" ");
  const name = new Date(time).toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" });
  return [
    utc,
    utc.replace("GMT", "+0000"),
    utc.replace("GMT", "-0000"),
    utc.replace(/, 0/, ", "),
    `${name}, ${day}-${month}-${year.slice(2)} ${clock} GMT`,
    `${name.slice(0, 3)} ${month} ${day.replace(/^0/, " ")} ${clock} ${year}`,
  ];
}

async function put(bucket: string, key: string, body: string): Promise<string> {
  const response = await send("PUT", `/${bucket}/${key}`, { body });
  return response.headers.get("x-amz-version-id") ?? "";
}

async function expectCode(response: Response, status: number, code: string): Promise<void> {
  expect(await response.text()).toContain(`<Code>${code}</Code>`);
  expect(response.status).toBe(status);
}

async function versionIs(bucket: string, key: string, versionId: string): Promise<number> {
  return (await send("HEAD", `/${bucket}/${key}?versionId=${versionId}`)).status;
}

describe("a deletion with a version id", () => {
  async function twoVersions() {
    const bucket = await versionedBucket();
    const older = await put(bucket, "k", "old");
    const newer = await put(bucket, "k", "newest");
    return { bucket, older, newer };
  }

  it.each([
    ["if-match", md5Hex("newest")],
    ["if-match", '"no etag'],
    ["if-match", ""],
    ["x-amz-if-match-size", "6"],
    ["x-amz-if-match-last-modified-time", PAST],
  ])(
    "evaluates %s: %s on that version, not on the current one, and deletes nothing when it fails",
    async (name, value) => {
      const { bucket, older } = await twoVersions();
      await expectCode(
        await send("DELETE", `/${bucket}/k?versionId=${older}`, { headers: { [name]: value } }),
        412,
        "PreconditionFailed",
      );
      expect(await versionIs(bucket, "k", older)).toBe(200);
    },
  );

  it.each([
    ["if-match", md5Hex("old")],
    ["if-match", `"x", W/"${md5Hex("old")}"`],
    ["if-match", "*"],
    ["x-amz-if-match-size", "3"],
  ])("deletes when %s: %s holds", async (name, value) => {
    const { bucket, older, newer } = await twoVersions();
    const headers = { [name]: value };
    expect((await send("DELETE", `/${bucket}/k?versionId=${older}`, { headers })).status).toBe(204);
    expect(await versionIs(bucket, "k", older)).toBe(404);
    expect(await versionIs(bucket, "k", newer)).toBe(200);
  });

  it("evaluates the conditions on the null version", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const headers = { "if-match": md5Hex("y") };
    expect((await send("DELETE", `/${bucket}/k?versionId=null`, { headers })).status).toBe(412);
    expect(await bodyOf(bucket, "k")).toBe("x");
  });

  it("fails with a condition when the version is a delete marker or missing", async () => {
    const { bucket, older } = await twoVersions();
    const marker = (await send("DELETE", `/${bucket}/k`)).headers.get("x-amz-version-id") ?? "";
    for (const headers of [{ "if-match": "*" }, { "x-amz-if-match-size": "0" }]) {
      expect((await send("DELETE", `/${bucket}/k?versionId=${marker}`, { headers })).status).toBe(412);
    }
    expect((await send("GET", `/${bucket}/k`)).headers.get("x-amz-delete-marker")).toBe("true");
    await send("DELETE", `/${bucket}/k?versionId=${older}`);
    const headers = { "if-match": md5Hex("old") };
    await expectCode(await send("DELETE", `/${bucket}/k?versionId=${older}`, { headers }), 404, "NoSuchVersion");
  });

  it("evaluates the conditions of each DeleteObjects entry on the version that it names", async () => {
    const { bucket, older, newer } = await twoVersions();
    const entry = (versionId: string, condition: string) =>
      `<Object><Key>k</Key><VersionId>${versionId}</VersionId>${condition}</Object>`;
    const ask = async (...entries: string[]) => {
      const body = `<Delete>${entries.join("")}</Delete>`;
      const headers = { "content-md5": md5Base64(utf8(body)) };
      return (await send("POST", `/${bucket}?delete`, { body, headers })).text();
    };
    const refused = await ask(
      entry(older, `<ETag>${md5Hex("newest")}</ETag>`),
      entry(older, "<Size>6</Size>"),
      entry(older, `<LastModifiedTime>${PAST}</LastModifiedTime>`),
      entry(newer, `<ETag>${md5Hex("old")}</ETag>`),
    );
    expect(refused.match(/<Code>PreconditionFailed<\/Code>/g)).toHaveLength(4);
    expect(await versionIs(bucket, "k", older)).toBe(200);
    expect(await versionIs(bucket, "k", newer)).toBe(200);
    const done = await ask(entry(older, `<ETag>"${md5Hex("old")}"</ETag><Size>3</Size>`));
    expect(done).toContain("<Deleted>");
    expect(await versionIs(bucket, "k", older)).toBe(404);
    expect(await ask(entry(older, "<Size>3</Size>"))).toContain("<Code>NoSuchVersion</Code>");
  });
});

describe("a date that cannot be parsed", () => {
  it.each([
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-rename-source-if-modified-since",
    "x-amz-rename-source-if-unmodified-since",
    "if-modified-since",
    "if-unmodified-since",
  ])("as %s fails the copy, part copy or rename", async (name) => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x" });
    const uploadId = await createUpload(bucket, "b");
    const isCopy = name.startsWith("x-amz-copy");
    const source = isCopy ? { "x-amz-copy-source": `/${bucket}/a` } : { "x-amz-rename-source": "a" };
    const part = `/${bucket}/b?partNumber=1&uploadId=${uploadId}`;
    for (const value of UNREADABLE) {
      for (const target of [`/${bucket}/b`, ...(isCopy ? [part] : [])]) {
        await expectCode(await send("PUT", target, { headers: { ...source, [name]: value } }), 400, "InvalidArgument");
      }
    }
    expect(await bodyOf(bucket, "a")).toBe("x");
    expect((await send("HEAD", `/${bucket}/b`)).status).toBe(404);
  });

  it("fails a deletion, a DeleteObjects entry and an abort", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x" });
    const uploadId = await createUpload(bucket, "a");
    for (const value of UNREADABLE) {
      const modified = { "x-amz-if-match-last-modified-time": value };
      expect((await send("DELETE", `/${bucket}/a`, { headers: modified })).status, value).toBe(400);
      expect((await send("DELETE", `/${bucket}/a?versionId=null`, { headers: modified })).status, value).toBe(400);
      const initiated = { "x-amz-if-match-initiated-time": value };
      const end = await send("DELETE", `/${bucket}/a?uploadId=${uploadId}`, { headers: initiated });
      expect(end.status, value).toBe(400);
      const body = `<Delete><Object><Key>a</Key><LastModifiedTime>${value}</LastModifiedTime></Object></Delete>`;
      const headers = { "content-md5": md5Base64(utf8(body)) };
      expect((await send("POST", `/${bucket}?delete`, { body, headers })).status, value).toBe(400);
    }
    expect(await bodyOf(bucket, "a")).toBe("x");
    await putPart(bucket, "a", uploadId, 1, "y");
  });

  it("is ignored on a read, as RFC 9110 requires", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x" });
    for (const name of ["if-modified-since", "if-unmodified-since"]) {
      for (const value of UNREADABLE) {
        expect((await send("GET", `/${bucket}/a`, { headers: { [name]: value } })).status).toBe(200);
      }
    }
  });
});

describe("a date in any format of RFC 9110", () => {
  it("is evaluated on reads, copies, renames and deletions", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x" });
    const modified = Date.parse((await send("HEAD", `/${bucket}/a`)).headers.get("last-modified") ?? "");
    for (const text of spellings(modified)) {
      expect((await send("GET", `/${bucket}/a`, { headers: { "if-modified-since": text } })).status, text).toBe(304);
      const range = await send("GET", `/${bucket}/a`, { headers: { range: "bytes=0-0", "if-range": text } });
      expect(range.status, text).toBe(206);
    }
    for (const text of spellings(modified - 1000)) {
      expect((await send("GET", `/${bucket}/a`, { headers: { "if-unmodified-since": text } })).status).toBe(412);
      const range = await send("GET", `/${bucket}/a`, { headers: { range: "bytes=0-0", "if-range": text } });
      expect(range.status, text).toBe(200);
      for (const headers of [
        { "x-amz-copy-source": `${bucket}/a`, "x-amz-copy-source-if-unmodified-since": text },
        { "x-amz-rename-source": "a", "x-amz-rename-source-if-unmodified-since": text },
      ] as Record<string, string>[]) {
        expect((await send("PUT", `/${bucket}/b`, { headers })).status, text).toBe(412);
      }
      const headers = { "x-amz-if-match-last-modified-time": text };
      expect((await send("DELETE", `/${bucket}/a`, { headers })).status, text).toBe(412);
    }
    const [, ...others] = spellings(modified);
    for (const text of others) {
      const headers = { "x-amz-if-match-last-modified-time": text };
      expect((await send("DELETE", `/${bucket}/a?versionId=null`, { headers })).status, text).toBe(204);
      await putAll(bucket, { a: "x" });
      const again = Date.parse((await send("HEAD", `/${bucket}/a`)).headers.get("last-modified") ?? "");
      if (again !== modified) break;
    }
  });
});

describe("a list of ETags that cannot be parsed", () => {
  it.each(['"abc', 'abc"', "", '"a" "b"', '*, "a"x'])("fails a copy or rename that it excludes: %j", async (list) => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x" });
    for (const [source, name] of [
      [{ "x-amz-copy-source": `${bucket}/a` }, "x-amz-copy-source-if-none-match"],
      [{ "x-amz-rename-source": "a" }, "x-amz-rename-source-if-none-match"],
    ] as const) {
      const response = await send("PUT", `/${bucket}/b`, { headers: { ...source, [name]: list } });
      await expectCode(response, 400, "InvalidArgument");
    }
    expect((await send("HEAD", `/${bucket}/b`)).status).toBe(404);
  });
});

describe("AbortMultipartUpload with x-amz-if-match-initiated-time", () => {
  it("aborts the upload with that initiation time and no other", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const abort = (time: string) =>
      send("DELETE", `/${bucket}/k?uploadId=${uploadId}`, { headers: { "x-amz-if-match-initiated-time": time } });
    await expectCode(await abort(PAST), 412, "PreconditionFailed");
    const listing = await (await send("GET", `/${bucket}?uploads`)).text();
    const initiated = /<Initiated>([^<]+)</.exec(listing)?.[1] ?? "";
    expect((await abort(new Date(initiated).toUTCString())).status).toBe(204);
  });
});
