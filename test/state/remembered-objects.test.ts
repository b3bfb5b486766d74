// What an isolate remembers of reads: bounded, by caller and version, and never a blob that cannot be read ahead.
import { describe, expect, it } from "vitest";

import {
  discardObject,
  recallObject,
  rememberObject,
  type RepeatedRead,
} from "../../src/state/reads/remembered-objects.ts";

const MAX_ENTRIES = 2000;
const OBJECT = {
  blobId: "bucket/blob",
  size: 5,
  etag: "etag",
  modifiedAt: 0,
  storageClass: "STANDARD",
  encryption: undefined,
} as const;

let reads = 0;

/** A read that no other test does. */
function newRead(): RepeatedRead {
  reads += 1;
  return { caller: "caller", bucketName: "bucket", key: `key-${reads}`, versionId: undefined };
}

describe("an object that a caller has read", () => {
  it("is remembered, and confirmed once a second read in sequence finds the same blob", () => {
    const read = newRead();
    expect(recallObject(read)).toBeUndefined();
    for (const isConfirmed of [false, true, true]) {
      rememberObject(read, OBJECT, undefined);
      expect(recallObject(read)).toMatchObject({ blobId: OBJECT.blobId, isConfirmed });
    }
    rememberObject(read, { ...OBJECT, blobId: "bucket/other" }, undefined);
    expect(recallObject(read)).toMatchObject({ blobId: "bucket/other", isConfirmed: false });
  });

  it("is unknown to other callers, and under other keys and versions", () => {
    const read = newRead();
    rememberObject(read, OBJECT, undefined);
    for (const other of [
      { caller: "" },
      { caller: "other" },
      { bucketName: "b" },
      { key: "k" },
      { versionId: "null" },
    ]) {
      expect(recallObject({ ...read, ...other }), JSON.stringify(other)).toBeUndefined();
    }
  });

  it("is confirmed again only by two further reads after it was discarded", () => {
    const read = newRead();
    for (let times = 0; times < 2; times += 1) rememberObject(read, OBJECT, undefined);
    discardObject(read);
    expect(recallObject(read)).toBeUndefined();
    rememberObject(read, OBJECT, undefined);
    expect(recallObject(read)?.isConfirmed).toBe(false);
  });

  it.each([
    ["in several blobs", { ...OBJECT, blobId: undefined }, undefined],
    ["under a customer's key", { ...OBJECT, encryption: "fingerprint" }, undefined],
    [
      "in the database",
      OBJECT,
      { blobId: OBJECT.blobId, length: 5, place: { kind: "inline", bytes: new Uint8Array(5) } },
    ],
  ] as const)("replaces what was remembered with nothing if it is %s", (_, object, small) => {
    const read = newRead();
    rememberObject(read, OBJECT, undefined);
    rememberObject(read, object, small);
    expect(recallObject(read)).toBeUndefined();
  });

  it("is dropped once that many others were read after it", () => {
    const [first, second] = [newRead(), newRead()];
    rememberObject(first, OBJECT, undefined);
    rememberObject(second, OBJECT, undefined);
    for (let count = 0; count < MAX_ENTRIES - 2; count += 1) rememberObject(newRead(), OBJECT, undefined);
    rememberObject(first, OBJECT, undefined);
    rememberObject(newRead(), OBJECT, undefined);
    expect(recallObject(second)).toBeUndefined();
    expect(recallObject(first)).toMatchObject({ isConfirmed: true });
  });
});
