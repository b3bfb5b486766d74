// Tests of the disk store's files: what appears when, what a full or failing disk leaves behind, and in which order files are
// synced. `npm run test:serve` runs them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { BlobFiles, DamagedError, FullError, piecesOf, reportFull } from "../../scripts/disk/blob-files.ts";
import { type BlobToWrite, HashMismatchError, LengthError } from "../../scripts/disk/blob-writer.ts";
import { chooseStore } from "../../scripts/disk/chosen-store.ts";
import { deleteIncompleteUploads } from "../../scripts/disk/disk-server.ts";
import { DurableFiles, ExistsError } from "../../scripts/disk/durable-files.ts";
import { blobPath, InvalidIdError, type Layout, layoutOf } from "../../scripts/disk/layout.ts";
import { checkDisk } from "../../scripts/maintenance/disk.ts";

const folder = mkdtempSync(join(tmpdir(), "cairn-disk-store-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** A store in a folder of its own. */
function newStore(fsync = false) {
  count += 1;
  const state = join(folder, `state-${count}`);
  mkdirSync(state);
  const layout = layoutOf(state);
  return { state, layout, blobs: new BlobFiles(layout, new DurableFiles(layout, fsync)) };
}

function blobOf(text: string, rest: Partial<BlobToWrite> = {}): BlobToWrite {
  const bytes = Buffer.from(text);
  const properties = { hash: undefined, isInfrequentAccess: false, recoveryMetadata: { key: text } };
  return { length: bytes.length, source: sourceOf(bytes), ...properties, ...rest };
}

async function* sourceOf(...pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

async function readAll(blobs: BlobFiles, blobId: string): Promise<string | undefined> {
  const found = await blobs.open(blobId);
  if (found === undefined) return undefined;
  const pieces: Buffer[] = [];
  for await (const piece of piecesOf(found.file, 0, found.size)) pieces.push(piece);
  await found.file.close();
  return Buffer.concat(pieces).toString();
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

const ID = "bucket/0123456789abcdef";

void describe("a blob's file", () => {
  void it("exists neither while its bytes arrive nor after they break off, mismatch or have another length", async () => {
    const { blobs, layout } = newStore();
    let seen: string[] | undefined;
    async function* breaking(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(2_000_000);
      seen = filesBelow(layout.incoming);
      assert.equal(await blobs.head(ID), undefined);
      throw new Error("the client is gone");
    }
    await assert.rejects(blobs.create(ID, blobOf("", { source: breaking(), length: 3_000_000 })), /client is gone/);
    assert.equal(seen?.length, 1);
    const hash = { algorithm: "sha256", digest: "00" } as const;
    await assert.rejects(blobs.create(ID, blobOf("abc", { hash })), HashMismatchError);
    await assert.rejects(blobs.create(ID, blobOf("abc", { length: 2 })), LengthError);
    await assert.rejects(blobs.create(ID, blobOf("abc", { length: 4 })), LengthError);
    assert.equal(await blobs.head(ID), undefined);
    assert.deepEqual(filesBelow(layout.incoming), []);
  });

  void it("is not replaced by a second blob of its id, also when both arrive at once", async () => {
    const { blobs, layout } = newStore();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => blobs.create(ID, blobOf(`blob ${index}`))),
    );
    const stored = results.findIndex(({ status }) => status === "fulfilled");
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results) if (result.status === "rejected") assert.ok(result.reason instanceof ExistsError);
    assert.equal(await readAll(blobs, ID), `blob ${stored}`);
    assert.deepEqual(filesBelow(layout.incoming), []);
  });

  void it("that is truncated, extended or overwritten is not read as a blob, and is listed without properties", async () => {
    const { blobs, layout } = newStore();
    const damages: readonly ((path: string) => void)[] = [
      (path) => truncateSync(path, 3),
      (path) => appendFileSync(path, "more"),
      (path) => writeFileSync(path, ""),
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ];
    for (const [index, damage] of damages.entries()) {
      const id = `bucket/damaged${index}`;
      await blobs.create(id, blobOf("abcdef"));
      damage(blobPath(layout, id));
      await assert.rejects(blobs.open(id), DamagedError);
      assert.equal((await blobs.head(id))?.recoveryMetadata, undefined);
      await blobs.delete(id);
      assert.equal(await blobs.head(id), undefined);
    }
  });

  void it("has long recovery metadata beside its bytes", async () => {
    const { blobs } = newStore();
    const recoveryMetadata = { user: "ü".repeat(50_000) };
    await blobs.create(ID, blobOf("abc", { recoveryMetadata }));
    assert.deepEqual((await blobs.head(ID))?.recoveryMetadata, recoveryMetadata);
    assert.equal(await readAll(blobs, ID), "abc");
  });

  void it("has a name only for ids that cannot leave the folder", async () => {
    const { blobs } = newStore();
    for (const id of [
      "",
      "a",
      "a/",
      "/a",
      "../a",
      "a/..",
      "a/.b",
      "a/b/c",
      "a\\b/c",
      "a/b\0",
      `a/${"b".repeat(256)}`,
    ]) {
      await assert.rejects(blobs.head(id), InvalidIdError, id);
      await assert.rejects(blobs.create(id, blobOf("abc")), InvalidIdError, id);
    }
  });

  void it("is created although deletions remove its folder as often as it becomes empty", async () => {
    const { blobs } = newStore();
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const id = `bucket/012345-${index}`;
        await blobs.create(id, blobOf("abc"));
        await blobs.delete(id);
      }),
    );
    assert.deepEqual((await blobs.list(undefined, 10)).blobs, []);
  });
});

void describe("the pieces of a blob", () => {
  const bytes = randomBytes(2_000_000);
  const stored = async (): Promise<{ readonly blobs: BlobFiles; readonly layout: Layout }> => {
    const store = newStore();
    await store.blobs.create(ID, blobOf("", { source: sourceOf(bytes), length: bytes.length }));
    return store;
  };

  void it("are those of any range, in order", async () => {
    const { blobs } = await stored();
    const found = await blobs.open(ID);
    assert.ok(found);
    for (const [offset, length] of [
      [0, 2_000_000],
      [1, 524_288],
      [524_287, 524_290],
      [1_999_999, 1],
      [5, 0],
    ] as const) {
      const pieces: Buffer[] = [];
      for await (const piece of piecesOf(found.file, offset, length)) pieces.push(piece);
      assert.ok(Buffer.concat(pieces).equals(bytes.subarray(offset, offset + length)));
    }
    await found.file.close();
  });

  void it("end without a failure if the reader leaves and the file is closed", async () => {
    const { blobs } = await stored();
    const found = await blobs.open(ID);
    assert.ok(found);
    for await (const piece of piecesOf(found.file, 0, found.size)) {
      assert.ok(piece.equals(bytes.subarray(0, piece.length)));
      break;
    }
    await found.file.close();
  });

  void it("end with a failure where the file ends too early", async () => {
    const { blobs, layout } = await stored();
    const found = await blobs.open(ID);
    assert.ok(found);
    const pieces = piecesOf(found.file, 0, found.size);
    await pieces.next();
    truncateSync(blobPath(layout, ID), 700_000);
    await assert.rejects(async () => {
      for await (const piece of pieces) assert.ok(piece.length > 0);
    }, DamagedError);
    await found.file.close();
  });
});

void describe("the list", () => {
  void it("has the order of ids across folders, resumes after any id, and skips files that are no blobs", async () => {
    const { blobs, layout, state } = newStore();
    const ids = ["a-b/0", "a/000000z", "a/0000010", "a/0000011", "a/1", "b/zzzzzzzz", "b0/a"].toSorted();
    for (const id of ids) await blobs.create(id, blobOf(id));
    const unknown = [join(layout.blobs, ".DS_Store"), join(dirname(blobPath(layout, "a/0000010")), "no id!")];
    for (const path of unknown) writeFileSync(path, "");
    for (let first = 0; first <= ids.length; first += 1) {
      const { blobs: listed } = await blobs.list(first === 0 ? undefined : ids[first - 1], 100);
      assert.deepEqual(
        listed.map(({ blobId }) => blobId),
        ids.slice(first),
      );
    }
    const page = await blobs.list("a/000000z", 2);
    assert.deepEqual([page.blobs.map(({ blobId }) => blobId), page.next], [["a/0000010", "a/0000011"], "a/0000011"]);
    const DAY_MS = 86_400_000;
    assert.deepEqual(checkDisk(state, Date.now()).orphanedUploads, []);
    assert.deepEqual(checkDisk(state, Date.now() + DAY_MS).orphanedUploads.toSorted(), unknown.toSorted());
  });
});

void describe("a server that starts", () => {
  void it("deletes incomplete uploads and no blob", async () => {
    const { blobs, layout, state } = newStore();
    await blobs.create(ID, blobOf("abc"));
    writeFileSync(join(layout.incoming, "half"), "ab");
    deleteIncompleteUploads(state);
    assert.equal(await readAll(blobs, ID), "abc");
    await blobs.create("bucket/another", blobOf("abc"));
    assert.deepEqual(filesBelow(layout.incoming), []);
  });

  void it("refuses a store other than the one that has blobs", async () => {
    const { blobs, state } = newStore();
    assert.equal(chooseStore(state, undefined), "disk");
    assert.equal(chooseStore(state, "r2"), "r2");
    await blobs.create(ID, blobOf("abc"));
    assert.equal(chooseStore(state, undefined), "disk");
    assert.throws(() => chooseStore(state, "r2"), /are in files/);
  });
});

void describe("with fsync", () => {
  void it("the bytes are synced before the name exists, and the folders after it", async () => {
    const { blobs, layout } = newStore(true);
    const handle = await open(folder, "r");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const prototype = Object.getPrototypeOf(handle) as Record<"datasync" | "sync", () => Promise<void>>;
    await handle.close();
    const events: string[] = [];
    const originals = { datasync: prototype.datasync, sync: prototype.sync };
    for (const name of ["datasync", "sync"] as const) {
      prototype[name] = async function record(this: unknown) {
        const exists = (await blobs.head(ID)) !== undefined;
        events.push(`${name} ${exists ? "after" : "before"}`);
        await originals[name].call(this);
      };
    }
    try {
      await blobs.create(ID, blobOf("abc"));
      assert.equal(events[0], "datasync before");
      assert.equal(events.at(-1), "sync after");
      // The new folders' own entries.
      assert.ok(events.filter((event) => event === "sync before").length >= 2, events.join());
      events.length = 0;
      const files = new BlobFiles(layout, new DurableFiles(layout, false));
      await files.create("bucket/unsynced", blobOf("abc"));
      assert.deepEqual(events, []);
    } finally {
      Object.assign(prototype, originals);
    }
  });
});

void describe("a full disk", () => {
  void it("is one for each error code that means it, and for no other", async () => {
    for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) {
      await assert.rejects(reportFull(Promise.reject(Object.assign(new Error("x"), { code }))), FullError);
    }
    await assert.rejects(reportFull(Promise.reject(Object.assign(new Error("x"), { code: "EIO" }))), /^Error: x$/);
  });

  void it("refuses a blob that does not fit before it reads its bytes", async () => {
    const { blobs } = newStore();
    let isRead = false;
    async function* source(): AsyncGenerator<Buffer> {
      isRead = true;
      yield Buffer.alloc(1);
    }
    await assert.rejects(blobs.create(ID, blobOf("", { source: source(), length: 2 ** 60 })), FullError);
    assert.equal(isRead, false);
  });
});
