// The meaning of S3, in memory: the oracle for the Worker. It shares no code with it.
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

interface Bucket {
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

/** An error response: thrown, and returned by {@link S3Model.play}. */
class Refusal extends Error {
  readonly answer: Answer;
  constructor(status: number, code: string, more: Partial<Answer> = {}) {
    super(code);
    this.answer = { status, code, ...more };
  }
}

const NOTHING = new Uint8Array();
export const PART_MIN_BYTES = 5 * 1024 ** 2;

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

export class S3Model {
  readonly #buckets = new Map<string, Bucket>();
  #lastVersion = 0;
  #lastUpload = 0;

  /** Runs a request; an error is a response like any other. */
  play(request: (model: S3Model) => Answer): Answer {
    try {
      return request(this);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }

  makeBucket(name: string): void {
    const maps = { keys: new Map(), uploads: new Map(), completed: new Map(), tokens: new Map() };
    this.#buckets.set(name, { versioning: undefined, ...maps });
  }

  deleteBucket(name: string): Answer {
    if (this.#bucket(name).keys.size > 0) throw new Refusal(409, "BucketNotEmpty");
    this.#buckets.delete(name);
    return { status: 204 };
  }

  setVersioning(name: string, versioning: Versioning): Answer {
    this.#bucket(name).versioning = versioning;
    return { status: 200 };
  }

  put(name: string, key: string, bytes: Uint8Array, tags: Tags, conditions: Conditions): Answer {
    this.#require(name, key, conditions);
    const etag = md5(bytes);
    return { status: 200, etag, versionId: this.#add(name, key, { bytes, etag, tags }) };
  }

  get(name: string, key: string, versionId: string | undefined, range?: readonly [number, number]): Answer {
    const { bytes, etag, tags, ...version } = this.#version(name, key, versionId);
    const tagCount = Object.keys(tags).length;
    const found = {
      etag,
      versionId: this.#bucket(name).versioning === undefined ? undefined : version.id,
      tagCount: tagCount === 0 ? undefined : String(tagCount),
    };
    if (range === undefined) return { status: 200, ...found, bytes };
    if (range[0] >= bytes.length) throw new Refusal(416, "InvalidRange");
    return { status: 206, ...found, bytes: bytes.slice(range[0], range[1] + 1) };
  }

  deleteObject(name: string, { key, versionId, ifMatch }: Deletion): Answer {
    const { versioning, keys } = this.#bucket(name);
    if (versionId !== undefined) {
      const version = keys.get(key)?.find(({ id }) => id === versionId);
      this.#drop(name, key, versionId);
      return { status: 204, versionId, isDeleteMarker: version?.isMarker === true ? true : undefined };
    }
    this.#require(name, key, { ifMatch });
    if (versioning === undefined) {
      keys.delete(key);
      return { status: 204 };
    }
    const id = this.#add(name, key, { bytes: NOTHING, etag: "", tags: {} }, true) ?? "null";
    return { status: 204, versionId: id, isDeleteMarker: true };
  }

  /** Each deletion separately, those of versions first. */
  deleteObjects(name: string, deletions: readonly Deletion[]): Answer {
    const results = new Map<Deletion, unknown>();
    const isNamed = ({ versionId }: Deletion): boolean => versionId !== undefined;
    for (const deletion of [...deletions.filter(isNamed), ...deletions.filter((one) => !isNamed(one))]) {
      const { key, versionId } = deletion;
      const answer = this.play(() => this.deleteObject(name, deletion));
      const marker = answer.isDeleteMarker === undefined ? {} : { deleteMarker: answer.versionId };
      results.set(
        deletion,
        answer.code === undefined ? { key, versionId, ...marker } : { key, versionId, code: answer.code },
      );
    }
    return { status: 200, listed: deletions.map((deletion) => results.get(deletion)) };
  }

  copy(
    source: SourceName,
    name: string,
    key: string,
    newTags: Tags | undefined,
    isReplaced: boolean,
    conditions: Conditions,
  ): Answer {
    const { bytes, etag, tags, id } = this.#source(source);
    this.#require(name, key, conditions);
    if (!isReplaced && source.bucket === name && source.key === key && source.versionId === undefined) {
      throw new Refusal(400, "InvalidRequest");
    }
    const versionId = this.#add(name, key, { bytes, etag, tags: newTags ?? tags });
    return { status: 200, etag, versionId, sourceVersionId: this.#shownSource(source, id) };
  }

  rename(name: string, from: string, to: string, token: string | undefined, conditions: Conditions): Answer {
    const { versioning, keys, tokens } = this.#bucket(name);
    const fingerprint = JSON.stringify([from, to, conditions.ifMatch, conditions.ifNoneMatch]);
    const used = token === undefined ? undefined : tokens.get(token);
    if (used === fingerprint) return { status: 200 };
    if (used !== undefined) throw new Refusal(400, "IdempotencyParameterMismatch");
    if (versioning !== undefined) throw new Refusal(409, "InvalidBucketState");
    const versions = keys.get(from);
    if (versions === undefined) throw new Refusal(404, "NoSuchKey");
    if (from === to) throw new Refusal(400, "InvalidRequest");
    this.#require(name, to, conditions);
    keys.set(to, versions);
    keys.delete(from);
    if (token !== undefined) tokens.set(token, fingerprint);
    return { status: 200 };
  }

  getTags(name: string, key: string, versionId: string | undefined): Answer {
    const { tags, id } = this.#version(name, key, versionId);
    return { status: 200, tags, versionId: this.#shown(name, id) };
  }

  putTags(name: string, key: string, versionId: string | undefined, tags: Tags, status: number): Answer {
    const version = this.#version(name, key, versionId);
    version.tags = tags;
    return { status, versionId: this.#shown(name, version.id) };
  }

  list(name: string): Answer {
    const current = sortedKeys(this.#bucket(name).keys).flatMap(([key, [newest]]) =>
      newest === undefined || newest.isMarker ? [] : [{ key, etag: newest.etag, size: newest.bytes.length }],
    );
    return { status: 200, listed: current };
  }

  listVersions(name: string): Answer {
    const all = sortedKeys(this.#bucket(name).keys).flatMap(([key, versions]) =>
      versions.map(({ id, isMarker, etag, bytes }, index) => {
        const common = { key, versionId: id, isLatest: index === 0 };
        return isMarker ? { ...common, isMarker } : { ...common, etag, size: bytes.length };
      }),
    );
    return { status: 200, listed: all };
  }

  createUpload(name: string, key: string, tags: Tags): Answer {
    const { keys, uploads } = this.#bucket(name);
    this.#lastUpload += 1;
    const id = `u${this.#lastUpload}`;
    uploads.set(id, { id, key, tags, initialHead: keys.get(key)?.[0]?.serial, parts: new Map() });
    return { status: 200, uploadId: id };
  }

  uploadPart(name: string, uploadId: string, partNumber: number, bytes: Uint8Array): Answer {
    const etag = md5(bytes);
    this.#upload(name, uploadId).parts.set(partNumber, { bytes, etag });
    return { status: 200, etag };
  }

  /** @param newEtag the Worker's ETag of the part, when S3 leaves it open */
  copyPart(
    name: string,
    uploadId: string,
    partNumber: number,
    source: SourceName,
    range: readonly [number, number] | undefined,
    newEtag: string | undefined,
  ): Answer {
    const { parts } = this.#upload(name, uploadId);
    const { bytes, etag, id } = this.#source(source);
    const [first, last] = range ?? [0, bytes.length - 1];
    if (range !== undefined && first >= bytes.length) throw new Refusal(400, "InvalidRequest");
    if (range !== undefined && last >= bytes.length) throw new Refusal(400, "InvalidArgument");
    const isWhole = first === 0 && last === bytes.length - 1 && !etag.includes("-");
    const partEtag = isWhole ? etag : newEtag;
    parts.set(partNumber, { bytes: bytes.slice(first, last + 1), etag: partEtag ?? "" });
    return { status: 200, etag: partEtag, sourceVersionId: this.#shownSource(source, id) };
  }

  complete(
    name: string,
    uploadId: string,
    listed: readonly (readonly [number, string])[],
    conditions: Conditions,
  ): Answer {
    const { keys, uploads, completed } = this.#bucket(name);
    const fingerprint = JSON.stringify(listed);
    const before = completed.get(uploadId);
    if (before?.fingerprint === fingerprint) return before.answer;
    const { key, parts, tags, initialHead } = this.#upload(name, uploadId);
    this.#require(name, key, conditions);
    const isConditional = conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
    if (isConditional && initialHead !== keys.get(key)?.[0]?.serial)
      throw new Refusal(409, "ConditionalRequestConflict");
    const chosen = listed.map(([number, etag]) => {
      const part = parts.get(number);
      if (part?.etag !== etag) throw new Refusal(400, "InvalidPart");
      return part;
    });
    if (chosen.slice(0, -1).some(({ bytes }) => bytes.length < PART_MIN_BYTES))
      throw new Refusal(400, "EntityTooSmall");
    const md5s = Buffer.from(chosen.map((part) => part.etag).join(""), "hex");
    const etag = `${md5(md5s)}-${chosen.length}`;
    const versionId = this.#add(name, key, { bytes: Buffer.concat(chosen.map(({ bytes }) => bytes)), etag, tags });
    const answer = { status: 200, etag, versionId };
    uploads.delete(uploadId);
    completed.set(uploadId, { fingerprint, answer });
    return answer;
  }

  abort(name: string, uploadId: string): Answer {
    this.#upload(name, uploadId);
    this.#bucket(name).uploads.delete(uploadId);
    return { status: 204 };
  }

  listUploads(name: string): Answer {
    const uploads = Array.from(this.#bucket(name).uploads.values(), ({ id, key }) => ({ key, uploadId: id }));
    return { status: 200, listed: uploads.sort((a, b) => compareKeys(a.key, b.key)) };
  }

  listParts(name: string, uploadId: string): Answer {
    const parts = Array.from(this.#upload(name, uploadId).parts).sort(([a], [b]) => a - b);
    return { status: 200, listed: parts.map(([number, { etag, bytes }]) => ({ number, etag, size: bytes.length })) };
  }

  /** What a request can name, for the generators of requests. */
  currentEtag(name: string, key: string): string | undefined {
    const newest = this.#bucket(name).keys.get(key)?.[0];
    return newest?.isMarker === false ? newest.etag : undefined;
  }

  uploadOf(name: string, uploadId: string): Upload | undefined {
    return this.#bucket(name).uploads.get(uploadId);
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new Refusal(404, "NoSuchBucket");
    return bucket;
  }

  #upload(name: string, uploadId: string): Upload {
    const upload = this.#bucket(name).uploads.get(uploadId);
    if (upload === undefined) throw new Refusal(404, "NoSuchUpload");
    return upload;
  }

  /** The version that a read refers to. */
  #version(name: string, key: string, versionId: string | undefined): Version {
    const versions = this.#bucket(name).keys.get(key) ?? [];
    const version = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId);
    if (version === undefined) throw new Refusal(404, versionId === undefined ? "NoSuchKey" : "NoSuchVersion");
    if (!version.isMarker) return version;
    const marker = { isDeleteMarker: true as const, versionId: version.id };
    if (versionId === undefined) throw new Refusal(404, "NoSuchKey", marker);
    throw new Refusal(405, "MethodNotAllowed", marker);
  }

  /** The version that a copy refers to. */
  #source({ bucket, key, versionId }: SourceName): Version {
    const versions = this.#bucket(bucket).keys.get(key) ?? [];
    const version = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId);
    if (version?.isMarker === false) return version;
    if (versionId === undefined) throw new Refusal(404, "NoSuchKey");
    throw version === undefined ? new Refusal(404, "NoSuchVersion") : new Refusal(400, "InvalidRequest");
  }

  #require(name: string, key: string, { ifMatch, ifNoneMatch }: Conditions): void {
    const etag = this.currentEtag(name, key);
    if (ifNoneMatch === true && etag !== undefined) throw new Refusal(412, "PreconditionFailed");
    if (ifMatch === undefined) return;
    if (etag === undefined) throw new Refusal(404, "NoSuchKey");
    if (etag !== ifMatch) throw new Refusal(412, "PreconditionFailed");
  }

  /** Makes a version the newest. @returns its id, except for a null version */
  #add(
    name: string,
    key: string,
    content: Pick<Version, "bytes" | "etag" | "tags">,
    isMarker = false,
  ): string | undefined {
    const { versioning, keys } = this.#bucket(name);
    this.#lastVersion += 1;
    const serial = this.#lastVersion;
    const id = versioning === "Enabled" ? `v${serial}` : "null";
    const others = (keys.get(key) ?? []).filter((version) => version.id !== id);
    keys.set(key, [{ ...content, id, serial, isMarker }, ...others]);
    return id === "null" ? undefined : id;
  }

  #drop(name: string, key: string, versionId: string): void {
    const { keys } = this.#bucket(name);
    const left = (keys.get(key) ?? []).filter(({ id }) => id !== versionId);
    if (left.length === 0) keys.delete(key);
    else keys.set(key, left);
  }

  #shown(name: string, id: string): string | undefined {
    return this.#bucket(name).versioning === undefined ? undefined : id;
  }

  #shownSource({ bucket }: SourceName, id: string): string | undefined {
    return this.#shown(bucket, id);
  }
}

function sortedKeys(keys: ReadonlyMap<string, Version[]>): [string, Version[]][] {
  return Array.from(keys).sort(([a], [b]) => compareKeys(a, b));
}

/** By UTF-8 bytes. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
