// What Object Lock protects versions from: every operation and job that deletes or replaces versions, and every
// statement in the database.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { ONE_SHARD, withCoordinatorD1 } from "../support/faults.ts";
import { IN_STORE } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { clearRules, DAY_MS, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import {
  BYPASS,
  deleteVersion,
  legalHoldHeaders,
  LOCKED,
  lockedBucket,
  putLock,
  putLocked,
  retentionHeaders,
  retentionOf,
  setLegalHold,
} from "../support/object-lock.ts";
import { expectUntouched } from "../support/rows.ts";
import { bucketId } from "../support/stored-state.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { freshUser } from "../support/users.ts";
import { bodyOf, deleteKey, putVersion, versionedBucket, versionsOf } from "../support/versioning.ts";
import { noncurrentAfter } from "../jobs/lifecycle-fixture.ts";

const LOCKS = [
  ["a GOVERNANCE retention", retentionHeaders("GOVERNANCE", 1)],
  ["a COMPLIANCE retention", retentionHeaders("COMPLIANCE", 1)],
  ["a legal hold", legalHoldHeaders("ON")],
] as const;

beforeEach(clearRules);

describe.each(LOCKS)("a version with %s", (_name, lock) => {
  it("is not deleted by DELETE with its version id, current or not", async () => {
    const bucket = await lockedBucket();
    const version = await putLocked(bucket, "k", lock);
    const remove = async () => send("DELETE", `/${bucket}/k?versionId=${version}`);
    await expectUntouched(bucket, async () => expectS3Error(await remove(), LOCKED));
    await putVersion(bucket, "k", "newer");
    await expectUntouched(bucket, async () => expectS3Error(await remove(), LOCKED));
    expect(await bodyOf(bucket, "k", version)).toBe("text");
  });

  it("is hidden by a delete marker, which can be deleted, and by newer versions", async () => {
    const bucket = await lockedBucket();
    const version = await putLocked(bucket, "k", lock);
    const marker = await deleteKey(bucket, "k");
    expect(await bodyOf(bucket, "k")).toBe("404 NoSuchKey");
    expect(await deleteVersion(bucket, "k", version)).toBe(403);
    expect(await deleteVersion(bucket, "k", marker)).toBe(204);
    expect(await bodyOf(bucket, "k")).toBe("text");
    const newer = await putVersion(bucket, "k", "newer");
    expect(await deleteVersion(bucket, "k", newer)).toBe(204);
    expect(await bodyOf(bucket, "k")).toBe("text");
    await expectSoundReferences(bucket);
  });

  it("is refused alone by DeleteObjects, which deletes the others", async () => {
    const bucket = await lockedBucket();
    const versions = [await putVersion(bucket, "a", "1"), await putLocked(bucket, "k", lock)];
    versions.push(await putVersion(bucket, "k", "2"));
    const entries = versions.map(
      (version, index) => `<Object><Key>${index === 0 ? "a" : "k"}</Key><VersionId>${version}</VersionId></Object>`,
    );
    const response = await send("POST", `/${bucket}?delete`, { body: `<Delete>${entries.join("")}</Delete>` });
    const text = await response.text();
    expect(text.match(/<Deleted>/g)).toHaveLength(2);
    expect(text).toContain(
      `<Error><Key>k</Key><VersionId>${versions[1]}</VersionId><Code>AccessDenied</Code><Message>${LOCKED.message}</Message></Error>`,
    );
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([versions[1]]);
    await expectSoundReferences(bucket);
  });

  it("stays while lifecycle rules expire the unlocked versions of its key, whatever the Worker's clock", async () => {
    const bucket = await lockedBucket();
    await putVersion(bucket, "k", "old");
    const locked = await putLocked(bucket, "k", lock);
    const current = await putVersion(bucket, "k", "new");
    await putLifecycle(bucket, rule(noncurrentAfter(1)));
    await runPass(lifecycle, Date.now() + 1000 * DAY_MS);
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([current, locked]);
    await expectSoundReferences(bucket);
  });

  it("keeps its bucket from being deleted", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", lock);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(409);
  });

  it("stays in the database whatever statement deletes or replaces it", async () => {
    const bucket = await lockedBucket();
    const id = await bucketId(bucket);
    await putLocked(bucket, "k", lock);
    const statements = [
      `DELETE FROM objects WHERE bucket_id = '${id}'`,
      `UPDATE objects SET version_id = 'other' WHERE bucket_id = '${id}'`,
      `DELETE FROM versions WHERE bucket_id = '${id}'`,
    ];
    for (const sql of statements.slice(0, 2)) {
      await expect(env.DB.prepare(sql).run()).rejects.toThrow("commit refused: version locked");
    }
    await putVersion(bucket, "k", "newer");
    await expect(env.DB.prepare(statements[2] ?? "").run()).rejects.toThrow("commit refused: version locked");
    expect(await versionsOf(bucket)).toHaveLength(2);
  });

  it("stays when the lock is set after the lookup of its deletion", async () => {
    const bucket = await lockedBucket();
    const version = await putVersion(bucket, "k", "text");
    const other = await putVersion(bucket, "other", "text");
    const id = await bucketId(bucket);
    // The coordinator's lookup finds no lock; its batch then meets one.
    const mode = "x-amz-object-lock-mode" in lock ? lock["x-amz-object-lock-mode"] : undefined;
    const body = [`k</Key><VersionId>${version}`, `other</Key><VersionId>${other}`]
      .map((entry) => `<Object><Key>${entry}</VersionId></Object>`)
      .join("");
    const response = await withCoordinatorD1(
      bucket,
      async (sql, send_) => {
        if (sql.some((text) => text.includes("commit_guard"))) {
          await env.DB.prepare(
            `UPDATE objects SET retention_mode = ?1, retain_until = ?2, legal_hold = ?3 WHERE bucket_id = ?4 AND key = 'k'`,
          )
            .bind(mode ?? null, mode === undefined ? null : Date.now() + DAY_MS, mode === undefined ? "ON" : null, id)
            .run();
        }
        return send_();
      },
      async () => send("POST", `/${bucket}?delete`, { body: `<Delete>${body}</Delete>` }, ONE_SHARD),
    );
    const text = await response.text();
    expect(text).toContain(`<VersionId>${version}</VersionId><Code>AccessDenied</Code>`);
    expect(text).toContain(`<Deleted><Key>other</Key>`);
    expect(await bodyOf(bucket, "k", version)).toBe("text");
    await expectSoundReferences(bucket);
  });
});

describe("a bypass of GOVERNANCE", () => {
  it("deletes a version, alone or with others, with the permission", async () => {
    const bucket = await lockedBucket();
    const lock = retentionHeaders("GOVERNANCE", 1);
    const first = await putLocked(bucket, "k", lock);
    const second = await putLocked(bucket, "k", lock);
    const response = await send("DELETE", `/${bucket}/k?versionId=${first}`, { headers: BYPASS });
    expect(response.status).toBe(204);
    const body = `<Delete><Object><Key>k</Key><VersionId>${second}</VersionId></Object></Delete>`;
    const deleted = await send("POST", `/${bucket}?delete`, { body, headers: BYPASS });
    expect(await deleted.text()).toContain("<Deleted>");
    expect(await versionsOf(bucket)).toEqual([]);
    await expectSoundReferences(bucket);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
  });

  it("is refused to a user without s3:BypassGovernanceRetention", async () => {
    const bucket = await lockedBucket();
    const version = await putLocked(bucket, "k", retentionHeaders("GOVERNANCE", 1));
    const { credentials } = await freshUser(
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
      { Effect: "Deny", Action: "s3:BypassGovernanceRetention", Resource: "*" },
    );
    const options = { credentials, headers: BYPASS };
    const target = `/${bucket}/k?versionId=${version}`;
    expect((await send("DELETE", target, options)).status).toBe(403);
    const body = `<Delete><Object><Key>k</Key><VersionId>${version}</VersionId></Object></Delete>`;
    expect(await (await send("POST", `/${bucket}?delete`, { ...options, body })).text()).toContain("AccessDenied");
    const shorter = retentionOf("GOVERNANCE", 0.5);
    expect((await putLock(bucket, "k", "retention", shorter, options)).status).toBe(403);
    expect(await bodyOf(bucket, "k", version)).toBe("text");
  });

  it("deletes neither a COMPLIANCE version nor one with a legal hold, not even for root", async () => {
    const bucket = await lockedBucket();
    for (const lock of [
      retentionHeaders("COMPLIANCE", 1),
      legalHoldHeaders("ON"),
      { ...retentionHeaders("GOVERNANCE", 1), ...legalHoldHeaders("ON") },
    ]) {
      const version = await putLocked(bucket, "k", lock);
      await expectUntouched(bucket, async () =>
        expectS3Error(await send("DELETE", `/${bucket}/k?versionId=${version}`, { headers: BYPASS }), LOCKED),
      );
    }
  });

  it("is rejected in a bucket without Object Lock, and with another value than true or false", async () => {
    const plain = await versionedBucket();
    const version = await putVersion(plain, "k", "x");
    const body = `<Delete><Object><Key>k</Key><VersionId>${version}</VersionId></Object></Delete>`;
    expect((await send("DELETE", `/${plain}/k?versionId=${version}`, { headers: BYPASS })).status).toBe(400);
    expect((await send("POST", `/${plain}?delete`, { body, headers: BYPASS })).status).toBe(400);
    const bucket = await lockedBucket();
    const headers = { "x-amz-bypass-governance-retention": "yes" };
    expect((await send("DELETE", `/${bucket}/k`, { headers })).status).toBe(400);
    expect(await bodyOf(plain, "k", version)).toBe("x");
  });
});

describe("an ended lock", () => {
  it("frees the version: a retention that is over, and a legal hold that is lifted", async () => {
    const bucket = await lockedBucket();
    const held = await putLocked(bucket, "held", legalHoldHeaders("ON"));
    await setLegalHold(bucket, "held", "OFF");
    expect(await deleteVersion(bucket, "held", held)).toBe(204);
    const retained = await putLocked(bucket, "retained", retentionHeaders("GOVERNANCE", 1));
    const id = await bucketId(bucket);
    await env.DB.prepare("UPDATE objects SET retention_mode = 'COMPLIANCE', retain_until = 1 WHERE bucket_id = ?")
      .bind(id)
      .run();
    expect(await deleteVersion(bucket, "retained", retained)).toBe(204);
    expect(await versionsOf(bucket)).toEqual([]);
  });
});

describe("a multipart object with a lock", () => {
  it("is protected like another", async () => {
    const bucket = await lockedBucket();
    const uploadId = await createUpload(bucket, "k", { ...retentionHeaders("COMPLIANCE", 1) });
    const part = await putPart(bucket, "k", uploadId, 1, "part");
    const done = await sendCompletion(bucket, "k", uploadId, [part]);
    expect(done.status).toBe(200);
    const version = done.headers.get("x-amz-version-id") ?? "";
    expect(await deleteVersion(bucket, "k", version)).toBe(403);
  });
});

describe("a snapshot of a bucket with Object Lock", () => {
  it("is restored without touching locked versions, and its versions get no lock of the old ones", async () => {
    const bucket = await lockedBucket();
    const locked = await putLocked(bucket, "k", { ...retentionHeaders("COMPLIANCE", 1), ...legalHoldHeaders("ON") });
    await takeSnapshot(bucket, "s");
    const newer = await putLocked(bucket, "k", retentionHeaders("COMPLIANCE", 1), "newer");
    const surplus = await putLocked(bucket, "surplus", legalHoldHeaders("ON"));
    expect((await send("POST", `/${bucket}?restoreSnapshot=s`)).status).toBe(200);
    expect(await bodyOf(bucket, "k")).toBe("text");
    expect(await bodyOf(bucket, "surplus")).toBe("404 NoSuchKey");
    for (const [key, version] of [
      ["k", locked],
      ["k", newer],
      ["surplus", surplus],
    ] as const) {
      expect(await deleteVersion(bucket, key, version)).toBe(403);
    }
    expect((await send("GET", `/${bucket}/k?retention`)).status).toBe(404);
  });
});

describe("a bucket without Object Lock", () => {
  it("pays nothing: purges and PUTs cost what they did", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "1");
    const put = await send("PUT", `/${bucket}/k`, { body: "2" }, IN_STORE);
    expect(costOf(put)).toMatchObject({ roundTrips: 2, rowsWritten: 2, coordinatorCalls: 1, blobCalls: 1 });
    const removed = await send("DELETE", `/${bucket}/k?versionId=${version}`);
    expect(costOf(removed)).toMatchObject({ roundTrips: 2, coordinatorCalls: 1, blobCalls: 0 });
  });
});
