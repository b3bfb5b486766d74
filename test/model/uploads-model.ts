// Multipart uploads in the model of S3.
import {
  compareKeys,
  md5,
  ModelError,
  type Answer,
  type Conditions,
  type ModelState,
  type SourceName,
  type Tags,
  type Upload,
} from "./model-state.ts";

export const PART_MIN_BYTES = 5 * 1024 ** 2;

export class UploadsModel {
  readonly #state: ModelState;
  #lastUpload = 0;

  constructor(state: ModelState) {
    this.#state = state;
  }

  create(name: string, key: string, tags: Tags): Answer {
    const { keys, uploads } = this.#state.bucket(name);
    this.#lastUpload += 1;
    const id = `u${this.#lastUpload}`;
    uploads.set(id, { id, key, tags, initialHead: keys.get(key)?.[0]?.serial, parts: new Map() });
    return { status: 200, uploadId: id };
  }

  uploadPart(name: string, uploadId: string, partNumber: number, bytes: Uint8Array): Answer {
    const etag = md5(bytes);
    this.#state.upload(name, uploadId).parts.set(partNumber, { bytes, etag });
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
    const { parts } = this.#state.upload(name, uploadId);
    const { bytes, etag, id } = this.#state.source(source);
    const [first, last] = range ?? [0, bytes.length - 1];
    if (range !== undefined && first >= bytes.length) throw new ModelError(400, "InvalidRequest");
    if (range !== undefined && last >= bytes.length) throw new ModelError(400, "InvalidArgument");
    const isWhole = first === 0 && last === bytes.length - 1 && !etag.includes("-");
    const partEtag = isWhole ? etag : newEtag;
    parts.set(partNumber, { bytes: bytes.slice(first, last + 1), etag: partEtag ?? "" });
    return { status: 200, etag: partEtag, sourceVersionId: this.#state.shownSource(source, id) };
  }

  complete(
    name: string,
    uploadId: string,
    listed: readonly (readonly [number, string])[],
    conditions: Conditions,
  ): Answer {
    const { keys, uploads, completed } = this.#state.bucket(name);
    const fingerprint = JSON.stringify(listed);
    const before = completed.get(uploadId);
    if (before?.fingerprint === fingerprint) return before.answer;
    const { key, parts, tags, initialHead } = this.#state.upload(name, uploadId);
    this.#state.require(name, key, conditions);
    const isConditional = conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
    if (isConditional && initialHead !== keys.get(key)?.[0]?.serial)
      throw new ModelError(409, "ConditionalRequestConflict");
    const chosen = listed.map(([number, etag]) => {
      const part = parts.get(number);
      if (part?.etag !== etag) throw new ModelError(400, "InvalidPart");
      return part;
    });
    if (chosen.slice(0, -1).some(({ bytes }) => bytes.length < PART_MIN_BYTES))
      throw new ModelError(400, "EntityTooSmall");
    const md5s = Buffer.from(chosen.map((part) => part.etag).join(""), "hex");
    const etag = `${md5(md5s)}-${chosen.length}`;
    const versionId = this.#state.add(name, key, {
      bytes: Buffer.concat(chosen.map(({ bytes }) => bytes)),
      etag,
      tags,
    });
    const answer = { status: 200, etag, versionId };
    uploads.delete(uploadId);
    completed.set(uploadId, { fingerprint, answer });
    return answer;
  }

  abort(name: string, uploadId: string): Answer {
    this.#state.upload(name, uploadId);
    this.#state.bucket(name).uploads.delete(uploadId);
    return { status: 204 };
  }

  list(name: string): Answer {
    const uploads = Array.from(this.#state.bucket(name).uploads.values(), ({ id, key }) => ({ key, uploadId: id }));
    return { status: 200, listed: uploads.sort((a, b) => compareKeys(a.key, b.key)) };
  }

  listParts(name: string, uploadId: string): Answer {
    const parts = Array.from(this.#state.upload(name, uploadId).parts).sort(([a], [b]) => a - b);
    return { status: 200, listed: parts.map(([number, { etag, bytes }]) => ({ number, etag, size: bytes.length })) };
  }

  /** The upload in progress, if it is. */
  find(name: string, uploadId: string): Upload | undefined {
    return this.#state.bucket(name).uploads.get(uploadId);
  }
}
