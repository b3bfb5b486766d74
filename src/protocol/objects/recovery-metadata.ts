// Recovery metadata: custom metadata of a blob. The orphan scan finds the blob's row with it, and the rebuild restores
// the row from it if the database is lost.
import { utf8Length } from "../../bytes/text.ts";
import type { LockRecord } from "./object-lock-configuration.ts";
import type { ObjectMetadata } from "./object-metadata.ts";
import type { Tag } from "../core/tagging.ts";

/** The head of a key when a request began. */
export interface SeenHead {
  /** Null if the key had no version. */
  readonly versionId: string | null;
  /** The blob or manifest of that version; undefined for a delete marker. */
  readonly referenceId?: string | undefined;
}

/**
 * The role of a blob: a whole object, a part of an upload, a slice of an object that Cairn copied, or the proof that an
 * object of several blobs was committed (see state/metadata/completion-proofs.ts).
 */
export type BlobRole = "object" | "part" | "slice" | "proof";

/** The parsed recovery metadata of a blob. */
export interface RecoveryRecord {
  readonly bucketId: string;
  /** Undefined if the metadata omits it. */
  readonly bucketName: string | undefined;
  readonly key: string;
  /** The upload of a part; undefined for a blob that is a whole object. */
  readonly uploadId: string | undefined;
  readonly partNumber: number | undefined;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  /** The verifier of the customer's key, as the version's row stores it. */
  readonly encryption: string | undefined;
  /** The lock of the version; undefined in a bucket without Object Lock. */
  readonly lock: LockRecord | undefined;
  /** When the version was made, in milliseconds since the epoch, if its bytes were copied later; else undefined. */
  readonly modifiedAt: number | undefined;
  readonly role: BlobRole;
  /** The version that references the blob, if it was known when the blob was stored. */
  readonly versionId: string | undefined;
  /** Undefined if the metadata omits it. */
  readonly seen: SeenHead | undefined;
}

/** Fields to store as recovery metadata. Omitted fields are not written. */
export type RecoveryFields = Pick<RecoveryRecord, "bucketId" | "bucketName" | "key" | "metadata"> &
  Partial<RecoveryRecord>;

// R2 limits custom metadata to 8 KiB.
const MAX_BYTES = 8000;

/**
 * Recovery metadata as texts by name. Fields that exceed R2's limit are omitted, the least important first. Texts from
 * clients are JSON, so that each is one line.
 */
export function recoveryMetadata(fields: RecoveryFields): Record<string, string> {
  const { contentType, systemMetadata, userMetadata } = fields.metadata;
  const texts: Record<string, string> = {};
  let size = 0;
  const add = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    size += name.length + utf8Length(value);
    if (size <= MAX_BYTES) texts[name] = value;
  };
  add("bucket", fields.bucketId);
  add("key", JSON.stringify(fields.key));
  add("upload", fields.uploadId);
  add("role", fields.role === "slice" || fields.role === "proof" ? fields.role : undefined);
  add("version", fields.versionId);
  add("seen", fields.seen === undefined ? undefined : seenText(fields.seen));
  add("part", fields.partNumber?.toString());
  add("modified", fields.modifiedAt?.toString());
  add("name", fields.bucketName);
  add("encryption", fields.encryption);
  add("lock", fields.lock === undefined ? undefined : JSON.stringify(fields.lock));
  add("type", contentType === undefined ? undefined : JSON.stringify(contentType));
  add("user", Object.keys(userMetadata).length === 0 ? undefined : JSON.stringify(userMetadata));
  add("system", Object.keys(systemMetadata).length === 0 ? undefined : JSON.stringify(systemMetadata));
  add("tags", (fields.tags ?? []).length === 0 ? undefined : JSON.stringify(fields.tags));
  return texts;
}

const NO_VERSION = "none";

function seenText({ versionId, referenceId }: SeenHead): string {
  if (versionId === null) return NO_VERSION;
  return referenceId === undefined ? versionId : `${versionId} ${referenceId}`;
}

function parseSeen(text: string | undefined): SeenHead | undefined {
  if (text === undefined) return undefined;
  if (text === NO_VERSION) return { versionId: null };
  const [versionId = "", referenceId] = text.split(" ");
  return { versionId, referenceId };
}

/** Parses recovery metadata; undefined if {@link recoveryMetadata} did not write it. */
export function parseRecoveryMetadata(texts: Readonly<Record<string, string>>): RecoveryRecord | undefined {
  const { bucket, key, name, upload, part, modified, encryption, lock, type, user, system, tags } = texts;
  const { role, version, seen } = texts;
  if (bucket === undefined || key === undefined) return undefined;
  try {
    // recoveryMetadata wrote these texts.
    // oxlint-disable typescript/no-unsafe-type-assertion
    return {
      bucketId: bucket,
      bucketName: name,
      key: JSON.parse(key) as string,
      uploadId: upload,
      partNumber: part === undefined ? undefined : Number(part),
      metadata: {
        contentType: type === undefined ? undefined : (JSON.parse(type) as string),
        userMetadata: JSON.parse(user ?? "{}") as Record<string, string>,
        systemMetadata: JSON.parse(system ?? "{}") as Record<string, string>,
      },
      tags: JSON.parse(tags ?? "[]") as Tag[],
      encryption,
      lock: lock === undefined ? undefined : (JSON.parse(lock) as LockRecord),
      modifiedAt: modified === undefined ? undefined : Number(modified),
      role: role === "slice" || role === "proof" ? role : upload === undefined ? "object" : "part",
      versionId: version,
      seen: parseSeen(seen),
    };
    // oxlint-enable typescript/no-unsafe-type-assertion
  } catch {
    return undefined;
  }
}
