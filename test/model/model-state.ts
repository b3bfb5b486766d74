// The state of the model of S3: its buckets with their versions and uploads, and what the reads and writes of every
// operation have in common.
import { createHash } from "node:crypto";

export type Versioning = "Enabled" | "Suspended";
export type Tags = Readonly<Record<string, string>>;

export interface Version {
  /** "v1", "v2", …: the runner knows the Worker's names. "null" for the null version. */
  readonly id: string;
  /** Separates one null version from the next. */
  readonly serial: number;
  readonly isMarker: boolean;
  readonly bytes: Uint8Array;
  readonly etag: string;
  tags: Tags;
}

export interface Part {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly tags: Tags;
  readonly initialHead: number | undefined;
  readonly parts: Map<number, Part>;
}

export interface Bucket {
  versioning: Versioning | undefined;
  /** Newest first; no entry is empty. */
  readonly keys: Map<string, Version[]>;
  readonly uploads: Map<string, Upload>;
  readonly completed: Map<string, { readonly fingerprint: string; readonly answer: Answer }>;
  readonly tokens: Map<string, string>;
}

/** The response to a request. Fields that are undefined must be absent. */
export interface Answer {
  readonly status: number;
  readonly code?: string | undefined;
  readonly versionId?: string | undefined;
  readonly isDeleteMarker?: true | undefined;
  readonly sourceVersionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly tagCount?: string | undefined;
  readonly uploadId?: string | undefined;
  readonly bytes?: Uint8Array | undefined;
  readonly tags?: Tags | undefined;
  readonly listed?: readonly unknown[] | undefined;
}

/** ETags for If-Match, or If-None-Match: *. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: true | undefined;
}

export interface SourceName {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

export interface Deletion {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly ifMatch?: string | undefined;
}

/** An error response. */
export class ModelError extends Error {
  readonly answer: Answer;
  constructor(status: number, code: string, more: Partial<Answer> = {}) {
    super(code);
    this.answer = { status, code, ...more };
  }
}

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** By UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export class ModelState {
  readonly #buckets = new Map<string, Bucket>();
  #lastVersion = 0;

  createBucket(name: string): void {
    const maps = { keys: new Map(), uploads: new Map(), completed: new Map(), tokens: new Map() };
    this.#buckets.set(name, { versioning: undefined, ...maps });
  }

  deleteBucket(name: string): void {
    if (this.bucket(name).keys.size > 0) throw new ModelError(409, "BucketNotEmpty");
    this.#buckets.delete(name);
  }

  currentEtag(name: string, key: string): string | undefined {
    const newest = this.bucket(name).keys.get(key)?.[0];
    return newest?.isMarker === false ? newest.etag : undefined;
  }

  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new ModelError(404, "NoSuchBucket");
    return bucket;
  }

  upload(name: string, uploadId: string): Upload {
    const upload = this.bucket(name).uploads.get(uploadId);
    if (upload === undefined) throw new ModelError(404, "NoSuchUpload");
    return upload;
  }

  /** The version that a read refers to. */
  version(name: string, key: string, versionId: string | undefined): Version {
    const versions = this.bucket(name).keys.get(key) ?? [];
    const version = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId);
    if (version === undefined) throw new ModelError(404, versionId === undefined ? "NoSuchKey" : "NoSuchVersion");
    if (!version.isMarker) return version;
    const marker = { isDeleteMarker: true as const, versionId: version.id };
    if (versionId === undefined) throw new ModelError(404, "NoSuchKey", marker);
    throw new ModelError(405, "MethodNotAllowed", marker);
  }

  /** The version that a copy refers to. */
  source({ bucket, key, versionId }: SourceName): Version {
    const versions = this.bucket(bucket).keys.get(key) ?? [];
    const version = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId);
    if (version?.isMarker === false) return version;
    if (versionId === undefined) throw new ModelError(404, "NoSuchKey");
    throw version === undefined ? new ModelError(404, "NoSuchVersion") : new ModelError(400, "InvalidRequest");
  }

  require(name: string, key: string, { ifMatch, ifNoneMatch }: Conditions): void {
    const etag = this.currentEtag(name, key);
    if (ifNoneMatch === true && etag !== undefined) throw new ModelError(412, "PreconditionFailed");
    if (ifMatch === undefined) return;
    if (etag === undefined) throw new ModelError(404, "NoSuchKey");
    if (etag !== ifMatch) throw new ModelError(412, "PreconditionFailed");
  }

  /** Makes a version the newest. @returns its id, except for a null version */
  add(
    name: string,
    key: string,
    content: Pick<Version, "bytes" | "etag" | "tags">,
    isMarker = false,
  ): string | undefined {
    const { versioning, keys } = this.bucket(name);
    this.#lastVersion += 1;
    const serial = this.#lastVersion;
    const id = versioning === "Enabled" ? `v${serial}` : "null";
    const others = (keys.get(key) ?? []).filter((version) => version.id !== id);
    keys.set(key, [{ ...content, id, serial, isMarker }, ...others]);
    return id === "null" ? undefined : id;
  }

  drop(name: string, key: string, versionId: string): void {
    const { keys } = this.bucket(name);
    const left = (keys.get(key) ?? []).filter(({ id }) => id !== versionId);
    if (left.length === 0) keys.delete(key);
    else keys.set(key, left);
  }

  shown(name: string, id: string): string | undefined {
    return this.bucket(name).versioning === undefined ? undefined : id;
  }

  shownSource({ bucket }: SourceName, id: string): string | undefined {
    return this.shown(bucket, id);
  }
}
