// Makes a lost database again from the birth certificates that are kept beside the blobs. First every blob is gone
// through: of what was born under a key the newest is shown, and parts open their uploads again. Then uploads that have
// all parts from the first on become objects, as nothing tells whether they had been completed; others stay open, for
// people to complete or abort. What was copied, renamed or changed after its birth is as it was born, and what was
// deleted and not yet collected is there again. A database that is not empty is left alone.
import { toHex } from "../bytes/hex-base64.ts";
import { parseRecoveryMetadata, type RecoveryRecord } from "../protocol/objects/recovery-metadata.ts";
import { etagOfParts } from "../protocol/objects/multipart.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import { nextVersionId } from "../protocol/core/version-id.ts";
import { assemble } from "../state/metadata/assembly.ts";
import type { BlobEntry } from "../state/blobs/blob-store.ts";
import type { Database, Statement } from "../state/d1/database.ts";
import { currentHeads } from "../state/commit/heads.ts";
import { insertManifest } from "../state/metadata/manifests.ts";
import { lookUpUnaccounted } from "../state/repair/orphans.ts";
import { lookUpParts, type Part } from "../state/metadata/parts.ts";
import {
  isDatabaseEmpty,
  plainLength,
  rebuildBucket,
  rebuildObject,
  rebuildPart,
  rebuildUpload,
  replaceObject,
} from "../state/repair/rebuilding.ts";
import { endUpload, lookUpUploadsAfter, type Upload, type UploadAddress } from "../state/metadata/uploads.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

// A certificate may take 8 KB, and is several parameters of a batch.
const PAGE_BLOBS = 100;
const PAGE_UPLOADS = 20;
const PAGE_PARTS = 10_000;

type Progress =
  | { readonly phase: "blobs"; readonly after: string | null }
  | { readonly phase: "uploads"; readonly after: UploadAddress };

const BEGINNING: Progress = { phase: "blobs", after: null };

export const rebuild: Job = {
  name: "rebuild",

  async step(context, cursor) {
    if (cursor === null) {
      // A step of its own, which writes nothing: repeated after a crash, it must not find its own rows.
      const isEmpty = await context.database.look(isDatabaseEmpty());
      return isEmpty ? { cursor: write(BEGINNING), report: {} } : { cursor: null, report: { refused: 1 } };
    }
    // What write wrote.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const progress = JSON.parse(cursor) as Progress;
    return progress.phase === "blobs" ? rebuildPage(context, progress.after) : completeUploads(context, progress.after);
  },
};

async function rebuildPage(context: JobContext, after: string | null): Promise<JobStep> {
  const page = await context.blobs.list(after ?? undefined, PAGE_BLOBS);
  const born = page.blobs.flatMap((blob) => {
    const birth = parseRecoveryMetadata(blob.recoveryMetadata);
    return birth === undefined ? [] : [{ blob, birth }];
  });
  // What clients have put or removed since it began, and what a repeated step finds done, is as it should be.
  const blobs = born.map(({ blob: { blobId }, birth }) => ({ ...birth, blobId }));
  const lost = new Set(await context.database.look(lookUpUnaccounted(blobs)));
  const toRebuild = born.filter(({ blob }) => lost.has(blob.blobId));
  await context.database.batch(toRebuild.flatMap(({ blob, birth }) => statementsOf(context, blob, birth)));
  const { next } = page;
  return {
    cursor: write(next === undefined ? { phase: "uploads", after: ["", "", ""] } : { phase: "blobs", after: next }),
    report: { blobs: page.blobs.length, strange: page.blobs.length - born.length },
  };
}

function statementsOf({ settings }: JobContext, blob: BlobEntry, birth: RecoveryRecord): Statement[] {
  const { bucketId, key, uploadId, partNumber = 1, metadata, tags, encryption } = birth;
  const { accountId: ownerId, region } = settings;
  const { blobId } = blob;
  const modifiedAt = birth.modifiedAt ?? blob.uploadedAt;
  const bucket = rebuildBucket({ id: bucketId, name: birth.bucketName, ownerId, region, createdAt: modifiedAt });
  const size = plainLength(blob.size, encryption !== undefined);
  // Of encrypted bytes it is no MD5 that a client could know, as their ETags never are.
  const etag = toHex(blob.md5 ?? new Uint8Array(16));
  const common = { ...metadata, key, ownerId, tags, storageClass: "STANDARD", acl: undefined, encryption };
  if (uploadId === undefined) {
    const facts = { size, etag, modifiedAt, blobId, manifestId: undefined, checksum: undefined };
    return [...bucket, rebuildObject(bucketId, asNewVersion({ ...common, ...facts }))];
  }
  const upload = { uploadId, initiatedAt: modifiedAt, initialHead: null };
  return [
    ...bucket,
    rebuildUpload(bucketId, { ...common, ...upload, checksumAlgorithm: undefined, checksumType: undefined }),
    rebuildPart(uploadId, { partNumber, blobId, size, etag, modifiedAt }),
  ];
}

async function completeUploads({ database, now }: JobContext, after: UploadAddress): Promise<JobStep> {
  const uploads = await database.look(lookUpUploadsAfter(after, PAGE_UPLOADS));
  const report = { completed: 0, overwritten: 0, open: 0 };
  for (const { bucketId, upload } of uploads) report[await completeUpload(database, bucketId, upload, now)] += 1;
  const last = uploads.at(-1);
  if (last === undefined || uploads.length < PAGE_UPLOADS) return { cursor: null, report };
  return { cursor: write({ phase: "uploads", after: [last.bucketId, last.upload.key, last.upload.uploadId] }), report };
}

async function completeUpload(
  database: Database,
  bucketId: string,
  upload: Upload,
  now: number,
): Promise<"completed" | "overwritten" | "open"> {
  const { key, uploadId } = upload;
  const parts = await lookUpAllParts(database, uploadId);
  if (!parts.every(({ partNumber }, index) => partNumber === index + 1)) return "open";
  const modifiedAt = Math.max(...parts.map((part) => part.modifiedAt));
  const shown = (await database.look(currentHeads(bucketId, [key]))).get(key)?.current;
  const chosen = parts.map(({ partNumber }) => partNumber);
  if (shown !== undefined && shown.modifiedAt >= modifiedAt) {
    // The parts' blobs are nobody's from here on, and no garbage yet: the orphan scan waits for second thoughts.
    await database.batch(endUpload(bucketId, upload, chosen, now));
    return "overwritten";
  }
  const { manifest, blobId } = assemble(bucketId, uploadId, parts);
  const object = asNewVersion({
    ...upload,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    etag: await etagOfParts(parts),
    modifiedAt,
    blobId,
    manifestId: manifest?.manifestId,
    checksum: undefined,
  });
  await database.batch([
    ...(manifest === undefined ? [] : insertManifest(manifest)),
    ...replaceObject(bucketId, object, now),
    ...endUpload(bucketId, upload, chosen, now),
  ]);
  return "completed";
}

/** What a transition has copied may be more pieces than an upload has parts. */
async function lookUpAllParts(database: Database, uploadId: string): Promise<Part[]> {
  const parts: Part[] = [];
  for (;;) {
    const page = await database.look(lookUpParts(uploadId, parts.at(-1)?.partNumber ?? 0, PAGE_PARTS));
    parts.push(...page.parts);
    if (page.parts.length < PAGE_PARTS) return parts;
  }
}

function asNewVersion(object: Omit<StoredObject, "versionId" | "isNullVersion">): StoredObject {
  return { ...object, versionId: nextVersionId(object.modifiedAt, undefined), isNullVersion: true };
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
