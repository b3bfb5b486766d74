import { describe, expect, it } from "vitest";

import { utf8Length } from "../../../src/bytes/text.ts";
import { recoveryMetadata, parseRecoveryMetadata } from "../../../src/protocol/objects/recovery-metadata.ts";

const NO_METADATA = { contentType: undefined, systemMetadata: {}, userMetadata: {} };
const LEAST = { bucketId: "b", bucketName: "name", key: "k", metadata: NO_METADATA };

describe("recovery metadata", () => {
  it("round-trips any content, one line for each field", () => {
    const fields = {
      bucketId: "bucket-id",
      bucketName: "bucket-name",
      key: 'k"\r\né',
      uploadId: "upload-id",
      partNumber: 7,
      metadata: {
        contentType: "text/é",
        systemMetadata: { "cache-control": "no-store" },
        userMetadata: Object.fromEntries([["__proto__", "\u{1f600}"]]),
      },
      tags: [{ key: "a", value: "\n" }],
      encryption: '{"x":1}',
      modifiedAt: 1_700_000_000_000,
      role: "slice" as const,
      versionId: "version-id",
      seen: { versionId: "seen-id", referenceId: "bucket-id/blob-id" },
    };
    const metadata = recoveryMetadata(fields);
    expect(parseRecoveryMetadata(metadata)).toEqual(fields);
    for (const value of Object.values(metadata)) expect(value).not.toMatch(/[\r\n]/);
  });

  it("is short when it contains little", () => {
    const metadata = recoveryMetadata(LEAST);
    expect(metadata).toEqual({ bucket: "b", key: '"k"', name: "name" });
    const nothing = {
      uploadId: undefined,
      partNumber: undefined,
      tags: [],
      encryption: undefined,
      modifiedAt: undefined,
    };
    expect(parseRecoveryMetadata(metadata)).toEqual({ ...LEAST, ...nothing, role: "object" });
  });

  it.each([{ versionId: null }, { versionId: "marker" }, { versionId: "v", referenceId: "b/id" }])(
    "contains the head that the writer saw: %j",
    (seen) => {
      expect(parseRecoveryMetadata(recoveryMetadata({ ...LEAST, seen }))?.seen).toEqual(seen);
    },
  );

  it.each([
    [{}, "object"],
    [{ uploadId: "u", partNumber: 1 }, "part"],
    [{ uploadId: "u", partNumber: 1, role: "slice" as const }, "slice"],
    [{ uploadId: "u", role: "proof" as const }, "proof"],
  ])("identifies %j as the metadata of a blob of role %s", (fields, role) => {
    expect(parseRecoveryMetadata(recoveryMetadata({ ...LEAST, ...fields }))?.role).toBe(role);
  });

  it("stays below R2's limit and omits the least important fields", () => {
    const metadata = recoveryMetadata({
      ...LEAST,
      key: "k".repeat(1024),
      metadata: {
        contentType: "text/plain",
        systemMetadata: { "cache-control": "x".repeat(8000) },
        userMetadata: { a: "v".repeat(2047) },
      },
    });
    expect(Object.keys(metadata)).toEqual(["bucket", "key", "name", "type", "user"]);
    const size = Object.entries(metadata).reduce((sum, pair) => sum + utf8Length(pair.join("")), 0);
    expect(size).toBeLessThan(8192);
  });

  it.each([{}, { bucket: "b" }, { key: '"k"' }, { bucket: "b", key: "k" }, { bucket: "b", key: '"k"', tags: "[" }])(
    "is not %j",
    (metadata) => {
      expect(parseRecoveryMetadata(metadata as Record<string, string>)).toBeUndefined();
    },
  );
});
