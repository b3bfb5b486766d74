// The runner of lifecycle rules against a naive second implementation, over random histories and rules: after every
// pass, exactly the same versions, delete markers and uploads remain, in the same storage classes.
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { clearRules, lifecycleOf, midnight, sendLifecycle } from "../support/lifecycle.ts";
import { setVersioning } from "../support/versioning.ts";
import {
  pass,
  ruleXml,
  type ModelBucket,
  type ModelRule,
  type ModelVersion,
  type Versioning,
} from "./lifecycle-model.ts";

const RUNS = numberFrom("MODEL_RUNS") ?? 40;
const SEED = numberFrom("MODEL_SEED");
const LARGE = 131_072;

const tags = fc.constantFrom<Record<string, string>>({}, {}, { k: "v" }, { k: "w" }, { k: "v", l: "m" });
const daysAgo = fc.integer({ min: 0, max: 40 });
const hour = fc.integer({ min: 0, max: 23 });

const history = fc.array(
  fc.record({
    isMarker: fc.boolean(),
    isNull: fc.boolean(),
    size: fc.constantFrom(0, 1, 4, 5, 6, LARGE),
    tags,
    daysAgo,
    hour,
    storageClass: fc.constantFrom("STANDARD", "STANDARD", "INTELLIGENT_TIERING"),
  }),
  { minLength: 1, maxLength: 7, size: "max" },
);

const few = fc.integer({ min: 1, max: 4 });
const rule: fc.Arbitrary<ModelRule> = fc
  .record({
    isEnabled: fc.constantFrom(true, true, true, false),
    prefix: fc.constantFrom("", "", "", "a", "ab", "b/", "z"),
    tags: fc.constantFrom<Record<string, string>>({}, {}, {}, { k: "v" }, { k: "v", l: "m" }),
    above: fc.constantFrom(undefined, undefined, undefined, 0, 4),
    below: fc.constantFrom(undefined, undefined, undefined, 6, 100_000),
    action: fc.constantFrom("days", "date", "markers", "move", "none"),
    noncurrentAction: fc.constantFrom("expire", "move", "none"),
    days: fc.integer({ min: 1, max: 20 }),
    date: fc.integer({ min: -5, max: 20 }),
    to: fc.constantFrom("INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER"),
    noncurrentDays: fc.integer({ min: 1, max: 20 }),
    noncurrentTo: fc.constantFrom("INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER"),
    keep: fc.option(few, { nil: undefined }),
    abortDays: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  })
  .map((drawn) => {
    const { action, noncurrentAction, keep } = drawn;
    const isBare = drawn.above === undefined && drawn.below === undefined && Object.keys(drawn.tags).length === 0;
    const made: ModelRule = {
      isEnabled: drawn.isEnabled,
      prefix: drawn.prefix,
      tags: drawn.tags,
      above: drawn.above,
      below: drawn.below,
      expireDays: action === "days" ? drawn.days : undefined,
      expireDate: action === "date" ? midnight(drawn.date) : undefined,
      soleMarkers: action === "markers" && isBare,
      move: action === "move" ? { days: drawn.days, to: drawn.to } : undefined,
      noncurrentDays: noncurrentAction === "expire" ? drawn.noncurrentDays : undefined,
      keep: noncurrentAction === "expire" ? keep : undefined,
      noncurrentMove:
        noncurrentAction === "move" ? { days: drawn.noncurrentDays, to: drawn.noncurrentTo, keep } : undefined,
      abortDays: isBare ? drawn.abortDays : undefined,
    };
    const isIdle = Object.values({ ...made, isEnabled: 0, prefix: 0, tags: 0, above: 0, below: 0 }).every(
      (value) => value === undefined || value === false || value === 0,
    );
    return isIdle ? Object.assign(made, { expireDays: drawn.days }) : made;
  });

const scene = fc.record({
  versioning: fc.constantFrom<Versioning>(undefined, "Enabled", "Enabled", "Suspended"),
  keys: fc.dictionary(fc.constantFrom("a", "ab", "b/x", "b/y", "é"), history, { minKeys: 2, maxKeys: 5, size: "max" }),
  uploads: fc.array(fc.record({ key: fc.constantFrom("a", "ab", "b/x"), daysAgo, hour }), { maxLength: 4 }),
  rules: fc.array(rule, { minLength: 2, maxLength: 6 }),
  varies: fc.boolean(),
  days: fc.uniqueArray(fc.integer({ min: 0, max: 25 }), { minLength: 3, maxLength: 4 }),
});

type Drawn = typeof history extends fc.Arbitrary<infer Value> ? Value : never;

const timeOf = ({ daysAgo, hour }: { daysAgo: number; hour: number }): number =>
  Math.min(midnight(-daysAgo) + hour * 3_600_000, Date.now() - 60_000);

/** A possible history of a bucket with this versioning; newest first. */
function possible(key: string, drawn: Drawn, versioning: Versioning): ModelVersion[] {
  const oldestFirst = drawn
    .map((one) => ({ ...one, madeAt: timeOf(one) }))
    .toSorted((one, other) => one.madeAt - other.madeAt);
  const rows = (versioning === undefined ? oldestFirst.slice(-1) : oldestFirst).map(
    ({ isMarker, isNull, size, tags, madeAt, storageClass }, index): ModelVersion => {
      const isGone = versioning !== undefined && isMarker;
      return {
        name: `${key} ${index}`,
        isMarker: isGone,
        isNull: versioning === undefined || isNull,
        size: isGone ? 0 : size,
        tags: isGone ? {} : tags,
        madeAt,
        storageClass: isGone ? "STANDARD" : storageClass,
      };
    },
  );
  const lastNull = rows.findLastIndex(({ isNull }) => isNull);
  for (const [index, row] of rows.entries()) row.isNull = index === lastNull;
  return rows.toReversed();
}

/** Writes a bucket's content to the database, with times in the past. The ETag identifies versions. */
async function store(id: string, { keys, uploads }: ModelBucket): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  for (const [key, versions] of keys) {
    let previous: string | undefined;
    for (const [index, version] of Array.from(versions.entries()).toReversed()) {
      const versionId = nextVersionId(version.madeAt, previous);
      previous = versionId;
      const blobId = version.isMarker ? null : `${id}/${versionId}`;
      if (blobId !== null) await env.BLOBS.put(blobId, new Uint8Array(version.size));
      const isCurrent = index === 0 && !version.isMarker;
      const tagsJson = Object.keys(version.tags).length === 0 ? null : JSON.stringify(Object.entries(version.tags));
      statements.push(
        env.DB.prepare(
          `INSERT INTO ${isCurrent ? "objects" : "versions"} (bucket_id, key, version_id, is_null_version, size, etag,
             modified_at, owner_id, blob_id, tags, storage_class ${isCurrent ? "" : ", is_delete_marker"})
           VALUES (?, ?, ?, ?, ?, ?, ?, 'o', ?, ?, ? ${isCurrent ? "" : `, ${version.isMarker ? 1 : 0}`})`,
        ).bind(
          id,
          key,
          versionId,
          version.isNull ? 1 : 0,
          version.size,
          version.name,
          version.madeAt,
          blobId,
          tagsJson,
          version.storageClass,
        ),
      );
    }
  }
  for (const { key, name, madeAt } of uploads) {
    statements.push(
      env.DB.prepare(
        `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, storage_class)
         VALUES (?, ?, ?, ?, 'o', 'STANDARD')`,
      ).bind(id, key, name, madeAt),
    );
  }
  await env.DB.batch(statements);
}

/** The remaining content of a bucket, as text. */
async function stored(id: string): Promise<string[]> {
  const { results } = await env.DB.prepare(
    `SELECT key, version_id, etag, storage_class, is_null_version AS n, 0 AS m FROM objects WHERE bucket_id = ?1
     UNION ALL SELECT key, version_id, etag, storage_class, is_null_version, is_delete_marker FROM versions WHERE bucket_id = ?1
     UNION ALL SELECT key, upload_id, 'upload ' || upload_id, '', 0, 0 FROM uploads WHERE bucket_id = ?1`,
  )
    .bind(id)
    .all<{ key: string; etag: string; storage_class: string; n: number; m: number }>();
  return results.map(({ key, etag, storage_class: storageClass, n, m }) =>
    [key, m === 1 ? "marker" : etag, storageClass, n === 1 ? "null" : ""].join("|"),
  );
}

function modelled({ keys, uploads }: ModelBucket): string[] {
  return [
    ...Array.from(keys, ([key, versions]) =>
      versions.map(({ name, isMarker, storageClass, isNull }) =>
        [key, isMarker ? "marker" : name, storageClass, isNull ? "null" : ""].join("|"),
      ),
    ).flat(),
    ...uploads.map(({ key, name }) => [key, `upload ${name}`, "", ""].join("|")),
  ];
}

describe("lifecycle rules", () => {
  it("have the same result as a naive implementation, pass by pass", async () => {
    let effects = 0;
    await fc.assert(
      fc.asyncProperty(scene, async ({ versioning, keys, uploads, rules, varies, days }) => {
        await clearRules();
        const name = await freshBucket();
        if (versioning !== undefined) await setVersioning(name, versioning);
        const id = await bucketId(name);
        const bucket: ModelBucket = {
          versioning,
          keys: new Map(Object.entries(keys).map(([key, drawn]) => [key, possible(key, drawn, versioning)])),
          uploads: uploads.map((upload, index) => ({
            key: upload.key,
            name: `u${index}-${id}`,
            madeAt: timeOf(upload),
          })),
        };
        await store(id, bucket);
        const headers = varies ? { "x-amz-transition-default-minimum-object-size": "varies_by_storage_class" } : {};
        const response = await sendLifecycle(name, lifecycleOf(...rules.map(ruleXml)), headers);
        expect(response.status, await response.text()).toBe(200);
        for (const day of days.toSorted((one, other) => one - other)) {
          const before = modelled(bucket).join("\n");
          const now = midnight(day);
          const { report } = await runPass(lifecycle, now);
          pass(bucket, rules, varies, now, Date.now());
          expect((await stored(id)).toSorted(), `day ${day}`).toEqual(modelled(bucket).toSorted());
          expect([report["failed"], report["changedMeanwhile"]]).toEqual([undefined, undefined]);
          if (modelled(bucket).join("\n") !== before) effects += 1;
        }
        await expectSoundReferences(name);
      }),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) },
    );
    // Agreement on rules without effect would prove nothing.
    expect(effects).toBeGreaterThan(RUNS / 2);
  }, 600_000);
});

function numberFrom(name: string): number | undefined {
  const value: unknown = Reflect.get(env, name);
  return typeof value === "string" && value !== "" ? Number(value) : undefined;
}
