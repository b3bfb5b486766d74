// CopyObject's metadata and tagging directives, also in a copy of an object onto itself.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { expectBalanced } from "../support/rows.ts";
import { tagsOf } from "../support/tagging.ts";
import { bodyOf, putVersion, removeVersion, versionedBucket, versionsOf } from "../support/versioning.ts";
import { bucketOf, collectGarbage, copy, described, expectRefused } from "./copy-object-fixture.ts";

const METADATA = {
  "content-type": "text/css",
  "cache-control": "max-age=60",
  "content-disposition": "inline",
  "content-encoding": "gzip",
  "content-language": "de",
  expires: "Wed, 21 Oct 2037 07:28:00 GMT",
  "x-amz-meta-m": "1",
};

describe("CopyObject", () => {
  describe("directives", () => {
    const source = { ...METADATA, "x-amz-tagging": "a=1&b=2", "x-amz-storage-class": "STANDARD_IA" };

    it("copy metadata and tags by default, and never the storage class", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/a`, { body: "x", headers: source });
      const before = await described(bucket, "a");
      for (const headers of [
        {},
        { "x-amz-metadata-directive": "COPY", "x-amz-tagging-directive": "COPY" },
        { "content-type": "text/html", "x-amz-meta-n": "2", "x-amz-tagging": "c=3" },
      ]) {
        await copy(`${bucket}/a`, bucket, "b", headers);
        const { "x-amz-storage-class": _, ...rest } = before;
        expect(await described(bucket, "b")).toEqual(rest);
        expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({ a: "1", b: "2" });
      }
    });

    it("replace all metadata", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/a`, { body: "x", headers: source });
      const headers = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-n": "2" };
      expect((await copy(`${bucket}/a`, bucket, "b", headers)).status).toBe(200);
      const after = await described(bucket, "b");
      expect(after["x-amz-meta-n"]).toBe("2");
      expect(after["content-type"]).toBe("binary/octet-stream");
      for (const name of Object.keys(METADATA).filter((name) => name !== "content-type")) {
        expect(after[name], name).toBeUndefined();
      }
      expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({ a: "1", b: "2" });
    });

    it("replace all tags", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/a`, { body: "x", headers: source });
      const replace = { "x-amz-tagging-directive": "REPLACE" };
      await copy(`${bucket}/a`, bucket, "b", { ...replace, "x-amz-tagging": "c=3" });
      expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({ c: "3" });
      await copy(`${bucket}/a`, bucket, "b", replace);
      expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({});
      expect((await described(bucket, "b"))["content-type"]).toBe("text/css");
    });

    it("store the copy in the requested storage class", async () => {
      const bucket = await bucketOf({ a: "x" });
      await copy(`${bucket}/a`, bucket, "b", { "x-amz-storage-class": "ONEZONE_IA" });
      expect((await described(bucket, "b"))["x-amz-storage-class"]).toBe("ONEZONE_IA");
    });

    it.each([
      ["x-amz-metadata-directive", "Unknown metadata directive."],
      ["x-amz-tagging-directive", "Unknown tagging directive."],
    ])("with invalid values are rejected: %s", async (name, message) => {
      const bucket = await bucketOf({ a: "x" });
      await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", { [name]: "MERGE" }), {
        status: 400,
        code: "InvalidArgument",
        message,
        fields: { ArgumentName: name, ArgumentValue: "MERGE" },
      });
    });
  });

  describe("onto itself", () => {
    it("is rejected when it would change nothing", async () => {
      const bucket = await bucketOf({ a: "x" });
      for (const headers of [{}, { "x-amz-metadata-directive": "COPY", "x-amz-meta-n": "2" }]) {
        await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "a", headers), {
          status: 400,
          code: "InvalidRequest",
          message:
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        });
      }
    });

    it("replaces its metadata or its storage class, any number of times, and keeps its bytes", async () => {
      const bucket = await bucketOf({ a: "x" });
      for (const turn of ["1", "2", "3"]) {
        const headers = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-turn": turn };
        expect((await copy(`${bucket}/a`, bucket, "a", headers)).status).toBe(200);
        expect((await described(bucket, "a"))["x-amz-meta-turn"]).toBe(turn);
        await expectBalanced(bucket);
      }
      expect((await copy(`${bucket}/a`, bucket, "a", { "x-amz-storage-class": "STANDARD_IA" })).status).toBe(200);
      expect((await storedStateOf(bucket)).garbage).toEqual([]);
      await collectGarbage();
      expect(await bodyOf(bucket, "a")).toBe("x");
      await expectBalanced(bucket);
    });

    it("makes an older version current", async () => {
      const bucket = await versionedBucket();
      const first = await putVersion(bucket, "k", "first");
      const second = await putVersion(bucket, "k", "second");
      const response = await copy(`${bucket}/k?versionId=${first}`, bucket, "k");
      expect(response.headers.get("x-amz-copy-source-version-id")).toBe(first);
      const third = response.headers.get("x-amz-version-id") ?? "";
      expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([third, second, first]);
      expect(await bodyOf(bucket, "k")).toBe("first");
      await removeVersion(bucket, "k", first);
      await collectGarbage();
      expect(await bodyOf(bucket, "k")).toBe("first");
      await expectBalanced(bucket);
    });
  });
});
