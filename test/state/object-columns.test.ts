// One list of columns stands behind every statement that stores, moves or restores a version.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { columnsOf, parametersOf, required, selectList, valueFromRow } from "../../src/state/d1/row-mapping.ts";
import { OBJECT_FIELDS, VERSION_COLUMNS } from "../../src/state/metadata/object-columns.ts";
import type { StoredObject } from "../../src/protocol/objects/stored-object.ts";

const sources: Record<string, string> = import.meta.glob("../../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

async function columnsOfTable(table: string): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info(?)").bind(table).all<{ name: string }>();
  return results.map(({ name }) => name);
}

const OBJECT: StoredObject = {
  key: "k",
  versionId: "v",
  isNullVersion: true,
  size: 3,
  etag: "e",
  modifiedAt: 5,
  ownerId: "o",
  blobId: "b",
  manifestId: undefined,
  contentType: "text/plain",
  systemMetadata: { "cache-control": "no-store" },
  userMetadata: {},
  tags: [{ key: "a", value: "1" }],
  storageClass: "STANDARD",
  checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "y/Q5Jg==" },
  acl: undefined,
  encryption: undefined,
  retention: { mode: "COMPLIANCE", retainUntil: 7 },
  legalHold: "ON",
};

describe("the columns of a version", () => {
  it("equal those of the objects table, and those of versions except for the delete marker's flag", async () => {
    expect((await columnsOfTable("objects")).toSorted()).toEqual(VERSION_COLUMNS.toSorted());
    const versions = (await columnsOfTable("versions")).filter((name) => name !== "is_delete_marker");
    expect(versions.toSorted()).toEqual(VERSION_COLUMNS.toSorted());
  });

  it("are listed in one file", () => {
    const listing = Object.entries(sources).filter(([, text]) =>
      /\bis_null_version\b[^;]*\bsystem_metadata\b/.test(text),
    );
    expect(listing.map(([path]) => path.replace(/.*\//, ""))).toEqual(["object-columns.ts"]);
  });

  it("store and return every field of a version", () => {
    const columns = columnsOf(OBJECT_FIELDS);
    const parameters = parametersOf(OBJECT_FIELDS, OBJECT);
    expect(parameters).toHaveLength(columns.length);
    const row = Object.fromEntries(columns.map((column, index) => [column, parameters[index]]));
    expect(valueFromRow(OBJECT_FIELDS, row)).toEqual(OBJECT);
  });

  it("grow by one entry for a new field, in the select list, the parameters and the value read", () => {
    const fields = { ...OBJECT_FIELDS, lockedUntil: required<number>("locked_until") };
    expect(selectList(fields, "o")).toBe(`${selectList(OBJECT_FIELDS, "o")}, o.locked_until`);
    expect(parametersOf(fields, { ...OBJECT, lockedUntil: 7 }).at(-1)).toBe(7);
    expect(valueFromRow(fields, { key: "k", locked_until: 7 }).lockedUntil).toBe(7);
  });
});
