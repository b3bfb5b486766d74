// DeleteObjects with version ids and in versioned buckets.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { expectBalanced } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";
import { document, results } from "./delete-objects-fixture.ts";

describe("DeleteObjects", () => {
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
