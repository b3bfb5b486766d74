// Runs the previous release's Worker on this release's schema, and each release's Worker with the other's coordinators.
// Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { readMigrations } from "../../scripts/migrations/folder.ts";
import { readWranglerToml } from "../../scripts/project/wrangler-toml.ts";
import { bundleWorker } from "../../scripts/serve/bundle.ts";
import { readPreviousRelease } from "../../scripts/release/previous.ts";
import { type Release, type ServedReleases, serveReleases } from "../../scripts/release/releases.ts";

const toml = readWranglerToml();
const migrations = readMigrations(toml.d1.migrationsDir);
const released = readPreviousRelease();
const knownBefore = migrations.findIndex(({ name }) => name === released.lastMigration) + 1;
const current = {
  name: "current",
  bundle: await bundleWorker(toml.main),
  compatibilityDate: toml.compatibilityDate,
} as const;
const previous = { name: "previous", bundle: released.worker, compatibilityDate: released.compatibilityDate } as const;

const LARGE = "x".repeat(200_000);
/** The minimum size of a part. */
const PIECE = "0123456789abcdef".repeat(5 * 2 ** 16);
const PIECES = 150;
const DUE = "2026-01-01T00:00:00.000Z";
const served: ServedReleases[] = [];
after(async () => {
  await Promise.all(served.map((releases) => releases.stop()));
});

/** The setting that keeps the way back to a release without small blobs open. */
const REVERSIBLE = { INLINE_MAX_BYTES: "0" };

function serve(
  coordinatorsOf: Readonly<Record<Release["name"], Release["name"]>>,
  settings: Readonly<Record<string, string>> = {},
): ServedReleases {
  const releases = serveReleases([
    { ...current, coordinators: coordinatorsOf.current, settings },
    { ...previous, coordinators: coordinatorsOf.previous },
  ]);
  served.push(releases);
  return releases;
}

type Send = (method: string, target: string, init?: RequestInit) => Promise<Response>;

async function expectStatus(response: Response, status: number): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return text;
}

/** Writes in every way that uses different statements, and reads all of it back. */
async function exercise(send: Send, bucket: string): Promise<void> {
  await expectStatus(await send("PUT", `/${bucket}`), 200);
  await expectStatus(await send("PUT", `/${bucket}/plain`, { body: "one", headers: { "x-amz-meta-a": "b" } }), 200);
  await expectStatus(await send("PUT", `/${bucket}/plain`, { body: "two", headers: { "if-none-match": "*" } }), 412);
  await expectStatus(await send("PUT", `/${bucket}/plain`, { body: "two" }), 200);
  await expectStatus(
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/plain` } }),
    200,
  );
  const rename = { headers: { "x-amz-rename-source": "copy" } };
  await expectStatus(await send("PUT", `/${bucket}/renamed?renameObject`, rename), 200);
  const versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  await expectStatus(await send("PUT", `/${bucket}?versioning`, { body: versioning }), 200);
  await expectStatus(await send("PUT", `/${bucket}/plain`, { body: "three" }), 200);
  await expectStatus(await send("PUT", `/${bucket}/large`, { body: LARGE }), 200);
  await expectStatus(await send("PUT", `/${bucket}/gone`, { body: "gone" }), 200);
  await expectStatus(await send("DELETE", `/${bucket}/gone`), 204);
  const purged = await send("PUT", `/${bucket}/purged`, { body: "purged" });
  await expectStatus(purged, 200);
  const versionId = purged.headers.get("x-amz-version-id") ?? "";
  await expectStatus(await send("DELETE", `/${bucket}/purged?versionId=${versionId}`), 204);
  const tagging = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
  await expectStatus(await send("PUT", `/${bucket}/plain?tagging`, { body: tagging }), 200);
  const begun = await expectStatus(await send("POST", `/${bucket}/parts?uploads`), 200);
  const upload = /<UploadId>([^<]+)/.exec(begun)?.[1] ?? "";
  const part = await send("PUT", `/${bucket}/parts?partNumber=1&uploadId=${upload}`, { body: "part" });
  await expectStatus(part, 200);
  const etag = part.headers.get("etag") ?? "";
  const parts = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  await expectStatus(await send("POST", `/${bucket}/parts?uploadId=${upload}`, { body: parts }), 200);
  await assemble(send, bucket);
  const rule = `<Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>large</Prefix></Filter><Transition><Date>${DUE}</Date><StorageClass>STANDARD_IA</StorageClass></Transition></Rule>`;
  const lifecycle = `<LifecycleConfiguration>${rule}</LifecycleConfiguration>`;
  await expectStatus(await send("PUT", `/${bucket}?lifecycle`, { body: lifecycle }), 200);
}

/** Creates an object with enough parts for a manifest of several pages. */
async function assemble(send: Send, bucket: string): Promise<void> {
  await expectStatus(await send("PUT", `/${bucket}/piece`, { body: PIECE }), 200);
  const begun = await expectStatus(await send("POST", `/${bucket}/many?uploads`), 200);
  const upload = /<UploadId>([^<]+)/.exec(begun)?.[1] ?? "";
  const parts: string[] = [];
  for (let number = 1; number <= PIECES; number += 1) {
    const target = `/${bucket}/many?partNumber=${number}&uploadId=${upload}`;
    const copied = await send("PUT", target, { headers: { "x-amz-copy-source": `/${bucket}/piece` } });
    const etag = /<ETag>([^<]+)/.exec(await expectStatus(copied, 200))?.[1] ?? "";
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  }
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  await expectStatus(await send("POST", `/${bucket}/many?uploadId=${upload}`, { body }), 200);
}

/** Reads what `exercise` has written. */
async function inspect(send: Send, bucket: string, storageClass: string): Promise<void> {
  const plain = await send("GET", `/${bucket}/plain`);
  assert.equal(plain.headers.get("x-amz-tagging-count"), "1");
  assert.equal(await expectStatus(plain, 200), "three");
  const large = await send("GET", `/${bucket}/large`);
  assert.equal(large.headers.get("x-amz-storage-class") ?? "STANDARD", storageClass);
  assert.equal(await expectStatus(large, 200), LARGE);
  const middle = Math.floor(PIECES / 2) * PIECE.length;
  for (const start of [0, middle - 5, PIECES * PIECE.length - 10]) {
    const range = await send("GET", `/${bucket}/many`, { headers: { range: `bytes=${start}-${start + 9}` } });
    const expected = Array.from({ length: 10 }, (_, index) => PIECE.charAt((start + index) % PIECE.length));
    assert.equal(await expectStatus(range, 206), expected.join(""), `from ${start} on`);
  }
  const part = await send("HEAD", `/${bucket}/many?partNumber=${PIECES - 1}`);
  assert.deepEqual([part.status, part.headers.get("content-length")], [206, String(PIECE.length)]);
  assert.equal(await expectStatus(await send("GET", `/${bucket}/parts`), 200), "part");
  assert.equal(await expectStatus(await send("GET", `/${bucket}/renamed`), 200), "two");
  for (const key of ["gone", "purged"]) await expectStatus(await send("GET", `/${bucket}/${key}`), 404);
  const list = await expectStatus(await send("GET", `/${bucket}?list-type=2`), 200);
  assert.deepEqual(
    Array.from(list.matchAll(/<Key>([^<]+)/g), ([, key]) => key),
    ["large", "many", "parts", "piece", "plain", "renamed"],
  );
  const versions = await expectStatus(await send("GET", `/${bucket}?versions&prefix=plain`), 200);
  assert.equal(versions.split("<Version>").length - 1, 2);
}

const NOON = new Date("2026-11-29T12:00:00Z");
const NEXT_DAY = new Date("2026-11-30T12:00:00Z");

void describe("the previous release", () => {
  void it("works on this release's schema, as between migration and upload and after a roll-back", async () => {
    assert.ok(knownBefore > 0, `${released.lastMigration} is one of the migrations`);
    const releases = serve({ current: "current", previous: "previous" });
    await releases.migrate(migrations);
    const send: Send = (...request) => releases.send("previous", ...request);
    await exercise(send, "on-new-schema");
    await releases.tick("previous", NOON);
    await inspect(send, "on-new-schema", "STANDARD_IA");
  });

  void it("hands over to this release with its data, and takes over again if no small bodies were stored", async () => {
    const releases = serve({ current: "current", previous: "previous" }, REVERSIBLE);
    const asPrevious: Send = (...request) => releases.send("previous", ...request);
    const asCurrent: Send = (...request) => releases.send("current", ...request);
    await releases.migrate(migrations.slice(0, knownBefore));
    await exercise(asPrevious, "before-upgrade");
    await inspect(asPrevious, "before-upgrade", "STANDARD");
    await releases.migrate(migrations.slice(knownBefore));
    await inspect(asPrevious, "before-upgrade", "STANDARD");
    await inspect(asCurrent, "before-upgrade", "STANDARD");
    await releases.tick("current", NOON);
    await inspect(asCurrent, "before-upgrade", "STANDARD_IA");
    await exercise(asCurrent, "after-upgrade");
    await inspect(asPrevious, "before-upgrade", "STANDARD_IA");
    await inspect(asPrevious, "after-upgrade", "STANDARD");
    await releases.tick("previous", NEXT_DAY);
    await inspect(asPrevious, "after-upgrade", "STANDARD_IA");
  });

  void it("fails to read small bodies of this release after a roll-back, and does not damage them", async () => {
    const releases = serve({ current: "current", previous: "previous" });
    await releases.migrate(migrations);
    const asCurrent: Send = (...request) => releases.send("current", ...request);
    await exercise(asCurrent, "small");
    const read = async (): Promise<number> => {
      const answer = await releases.send("previous", "GET", "/small/plain");
      await answer.arrayBuffer();
      return answer.status;
    };
    assert.equal(await read(), 500);
    await releases.tick("current", NOON);
    assert.equal(await read(), 500);
    await releases.tick("previous", NEXT_DAY);
    await inspect(asCurrent, "small", "STANDARD_IA");
  });
});

void describe("a deployment that coordinators have not followed yet", () => {
  for (const [worker, other] of [
    ["current", "previous"],
    ["previous", "current"],
  ] as const) {
    void it(`serves everything with the ${worker} Worker and the ${other} coordinators`, async () => {
      const releases = serve({
        current: worker === "current" ? "previous" : "current",
        previous: worker === "previous" ? "current" : "previous",
      });
      await releases.migrate(migrations);
      const send: Send = (...request) => releases.send(worker, ...request);
      await exercise(send, "mixed");
      await releases.tick(worker, NOON);
      await inspect(send, "mixed", "STANDARD_IA");
    });
  }
});
