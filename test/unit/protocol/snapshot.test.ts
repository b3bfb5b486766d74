import { describe, expect, it } from "vitest";

import { parseAddress } from "../../../src/protocol/core/addressing.ts";
import { pageAfter } from "../../../src/protocol/listings/listing.ts";
import { addressOfSnapshot, checkSnapshotName, splitSnapshot } from "../../../src/protocol/core/snapshot.ts";
import { cutoffAt, nextVersionId, timeOfVersion } from "../../../src/protocol/core/version-id.ts";
import { expectQuick } from "../../support/quick.ts";
import { expectRefusal } from "./support.ts";

const LONGEST = "a".repeat(63);

describe("the address of a snapshot", () => {
  it.each([
    ["bucket_snap", "bucket", "snap"],
    ["my.bucket-1_2026-11-21", "my.bucket-1", "2026-11-21"],
    [`${LONGEST}_${LONGEST}`, LONGEST, LONGEST],
    ["abc_-", "abc", "-"],
  ])("%s consists of a bucket and a snapshot", (name, bucket, snapshot) => {
    expect(splitSnapshot(name)).toEqual({ bucket, snapshot });
    expect(addressOfSnapshot(bucket, snapshot)).toBe(name);
    expect(parseAddress(`/${name}`, undefined)).toEqual({ level: "bucket", bucket, snapshot });
    expect(parseAddress(`/${name}/k_1`, undefined)).toEqual({ level: "object", bucket, snapshot, key: "k_1" });
    expect(parseAddress("/k", name)).toEqual({ level: "object", bucket, snapshot, key: "k" });
  });

  it.each([
    "bucket",
    "bucket_",
    "_snap",
    "ab_snap",
    "bucket_a_b",
    "bucket_Snap",
    "Bucket_snap",
    "bucket@snap",
    "-bucket_snap",
    `bucket_${"a".repeat(64)}`,
    `${"a".repeat(64)}_snap`,
    "",
  ])("%j is invalid, and is left unchanged", (name) => {
    expect(splitSnapshot(name)).toEqual({ bucket: name });
    expect(addressOfSnapshot(name, undefined)).toBe(name);
  });

  it("is parsed in bounded time", () =>
    expectQuick(() => splitSnapshot(`${"a".repeat(100_000)}_${"b".repeat(100_000)}`)));
});

describe("the name of a snapshot", () => {
  it.each(["a", "-", "0", "2026-11-21", LONGEST])("can be %s", (name) =>
    expect(() => checkSnapshotName(name)).not.toThrow(),
  );

  it.each(["", "A", "a_b", "a.b", "a b", "ä", `${LONGEST}a`, "a\n", "a/b"])("cannot be %j", (name) =>
    expectRefusal(() => checkSnapshotName(name), "InvalidArgument", 400, {
      fields: { ArgumentName: "snapshot", ArgumentValue: name },
    }),
  );
});

describe("a cutoff", () => {
  it("separates the version ids of its time and before from those of later", () => {
    for (const time of [0, 1, 1_795_000_000_000, 2 ** 42]) {
      const cutoff = cutoffAt(time);
      let id = nextVersionId(time, undefined);
      expect(timeOfVersion(id)).toBe(time);
      for (let write = 0; write < 100; write += 1) {
        expect(id > cutoff, `${id} at ${time}`).toBe(true);
        id = nextVersionId(time, id);
      }
      const later = nextVersionId(time + 1, undefined);
      expect(timeOfVersion(later)).toBe(time + 1);
      expect(later < cutoff).toBe(true);
    }
  });

  it("includes the last id of its time", () => {
    const cutoff = cutoffAt(7);
    expect(`${cutoff}${"0".repeat(19)}` > cutoff).toBe(true);
    expect(timeOfVersion(`${cutoff}${"0".repeat(19)}`)).toBe(7);
    expect(timeOfVersion(nextVersionId(0, `${cutoff}${"0".repeat(19)}`))).toBe(8);
  });
});

describe("a page of a snapshot", () => {
  it("begins after a key within a common prefix that may be hidden, or past the prefix itself", () => {
    const scope = { prefix: "", delimiter: "/" };
    expect(pageAfter("dir/k", scope, 1, "s").from).toBe("dir/k\0");
    expect(pageAfter("dir/", scope, 1, "s").from).toBe("dir0");
    expect(pageAfter("dir/k", scope, 1).from).toBe("dir0");
  });
});
