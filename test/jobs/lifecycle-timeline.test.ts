// Every lifecycle action on one bucket over 400 days.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { expiresAfter, clearRules, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload } from "../support/multipart.ts";
import { movesAfter } from "./lifecycle-transitions-fixture.ts";

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

describe("400 days", () => {
  it("archive after 30, expire after 180, and abort unfinished uploads", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "data/k": "1", "tmp/k": "1", "kept/k": "1" });
    await createUpload(bucket, "data/upload");
    await putLifecycle(
      bucket,
      rule(movesAfter(30, "GLACIER_IR") + expiresAfter(180), {
        id: "archive",
        filter: "<Filter><And><Prefix>data/</Prefix><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter>",
      }),
      rule(expiresAfter(1), prefixed("tmp/")),
      rule(
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
      ),
    );
    const id = await bucketId(bucket);
    const changes: string[] = [];
    let before = "";
    for (let day = 0; day <= 400; day += 1) {
      await runPass(lifecycle, midnight(day));
      const { results } = await env.DB.prepare(
        `SELECT key || ' ' || storage_class AS shown FROM objects WHERE bucket_id = ?1
         UNION ALL SELECT key FROM uploads WHERE bucket_id = ?1`,
      )
        .bind(id)
        .all<{ shown: string }>();
      const now = results.map(({ shown }) => shown).join(", ");
      if (now !== before) changes.push(`${day} ${now}`);
      before = now;
    }
    expect(changes).toEqual([
      "0 data/k STANDARD, kept/k STANDARD, tmp/k STANDARD, data/upload",
      "2 data/k STANDARD, kept/k STANDARD, data/upload",
      "8 data/k STANDARD, kept/k STANDARD",
      "31 data/k GLACIER_IR, kept/k STANDARD",
      "181 kept/k STANDARD",
    ]);
    await expectSoundReferences(bucket);
  });
});
