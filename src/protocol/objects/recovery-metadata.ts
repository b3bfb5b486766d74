// RecoveryRecord certificates: what is kept beside a blob of what it was born as, by which the orphan scan finds who should hold
// it, and from which its row can be made again where the database is lost.
import { utf8Length } from "../../bytes/text.ts";
import type { ObjectMetadata } from "./object-metadata.ts";
import type { Tag } from "../core/tagging.ts";

/** The head of a key as a request saw it when it began. */
export interface SeenHead {
  /** Null where the key had no version. */
  readonly versionId: string | null;
  /** The blob or manifest of that version; undefined for a delete marker. */
  readonly referenceId?: string | undefined;
}

/**
 * What a blob is: all of an object, a part of an upload, a slice of an object whose bytes Cairn itself has copied, or the
 * proof that an object of several blobs was committed (see state/metadata/completion-proofs.ts).
 */
export type BlobRole = "object" | "part" | "slice" | "proof";

/** What a blob was born as. */
export interface RecoveryRecord {
  readonly bucketId: string;
  /** Undefined where the certificate does not tell. */
  readonly bucketName: string | undefined;
  readonly key: string;
  /** Of the upload whose part it was; undefined for a blob that was all of an object. */
  readonly uploadId: string | undefined;
  readonly partNumber: number | undefined;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  /** As it is kept in the version's row. */
  readonly encryption: string | undefined;
  /** When the version was made, in milliseconds since the epoch, where its bytes came here later; else undefined. */
  readonly modifiedAt: number | undefined;
  readonly role: BlobRole;
  /** The version that refers to it, where that was known when it was stored. */
  readonly versionId: string | undefined;
  /** Undefined where the metadata does not tell. */
  readonly seen: SeenHead | undefined;
}

/** What is to be told of a blob's birth; what is left out is told of nobody. */
export type RecoveryFields = Pick<RecoveryRecord, "bucketId" | "bucketName" | "key" | "metadata"> &
  Partial<RecoveryRecord>;

// R2 takes 8 KiB.
const MAX_BYTES = 8000;

/**
 * The certificate of a birth, as text by name. What does not fit is left out, the least needed first; all values are
 * JSON where they are a client's words, so that they are on one line.
 */
export function recoveryMetadata(birth: RecoveryFields): Record<string, string> {
  const { contentType, systemMetadata, userMetadata } = birth.metadata;
  const certificate: Record<string, string> = {};
  let size = 0;
  const add = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    size += name.length + utf8Length(value);
    if (size <= MAX_BYTES) certificate[name] = value;
  };
  add("bucket", birth.bucketId);
  add("key", JSON.stringify(birth.key));
  add("upload", birth.uploadId);
  add("role", birth.role === "slice" || birth.role === "proof" ? birth.role : undefined);
  add("version", birth.versionId);
  add("seen", birth.seen === undefined ? undefined : seenText(birth.seen));
  add("part", birth.partNumber?.toString());
  add("modified", birth.modifiedAt?.toString());
  add("name", birth.bucketName);
  add("encryption", birth.encryption);
  add("type", contentType === undefined ? undefined : JSON.stringify(contentType));
  add("user", Object.keys(userMetadata).length === 0 ? undefined : JSON.stringify(userMetadata));
  add("system", Object.keys(systemMetadata).length === 0 ? undefined : JSON.stringify(systemMetadata));
  add("tags", (birth.tags ?? []).length === 0 ? undefined : JSON.stringify(birth.tags));
  return certificate;
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

/** Reads a certificate; undefined where it is none of {@link recoveryMetadata}'s. */
export function parseRecoveryMetadata(certificate: Readonly<Record<string, string>>): RecoveryRecord | undefined {
  const { bucket, key, name, upload, part, modified, encryption, type, user, system, tags } = certificate;
  const { role, version, seen } = certificate;
  if (bucket === undefined || key === undefined) return undefined;
  try {
    // What recoveryMetadata wrote.
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
