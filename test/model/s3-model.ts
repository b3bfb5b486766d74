// The meaning of S3, in memory: the oracle for the Worker. It shares no code with it.
import {
  compareKeys,
  md5,
  ModelError,
  ModelState,
  type Answer,
  type Conditions,
  type Deletion,
  type SourceName,
  type Tags,
  type Version,
  type Versioning,
} from "./model-state.ts";
import { UploadsModel } from "./uploads-model.ts";

const NOTHING = new Uint8Array();

export class S3Model {
  readonly #state = new ModelState();
  readonly uploads = new UploadsModel(this.#state);

  /** Runs a request; an error is a response like any other. */
  respond(request: (model: S3Model) => Answer): Answer {
    try {
      return request(this);
    } catch (error) {
      if (error instanceof ModelError) return error.answer;
      throw error;
    }
  }

  createBucket(name: string): void {
    this.#state.createBucket(name);
  }

  deleteBucket(name: string): Answer {
    this.#state.deleteBucket(name);
    return { status: 204 };
  }

  setVersioning(name: string, versioning: Versioning): Answer {
    this.#state.bucket(name).versioning = versioning;
    return { status: 200 };
  }

  put(name: string, key: string, bytes: Uint8Array, tags: Tags, conditions: Conditions): Answer {
    this.#state.require(name, key, conditions);
    const etag = md5(bytes);
    return { status: 200, etag, versionId: this.#state.add(name, key, { bytes, etag, tags }) };
  }

  get(name: string, key: string, versionId: string | undefined, range?: readonly [number, number]): Answer {
    const { bytes, etag, tags, ...version } = this.#state.version(name, key, versionId);
    const tagCount = Object.keys(tags).length;
    const found = {
      etag,
      versionId: this.#state.bucket(name).versioning === undefined ? undefined : version.id,
      tagCount: tagCount === 0 ? undefined : String(tagCount),
    };
    if (range === undefined) return { status: 200, ...found, bytes };
    if (range[0] >= bytes.length) throw new ModelError(416, "InvalidRange");
    return { status: 206, ...found, bytes: bytes.slice(range[0], range[1] + 1) };
  }

  deleteObject(name: string, { key, versionId, ifMatch }: Deletion): Answer {
    const { versioning, keys } = this.#state.bucket(name);
    if (versionId !== undefined) {
      const version = keys.get(key)?.find(({ id }) => id === versionId);
      this.#state.drop(name, key, versionId);
      return { status: 204, versionId, isDeleteMarker: version?.isMarker === true ? true : undefined };
    }
    this.#state.require(name, key, { ifMatch });
    if (versioning === undefined) {
      keys.delete(key);
      return { status: 204 };
    }
    const id = this.#state.add(name, key, { bytes: NOTHING, etag: "", tags: {} }, true) ?? "null";
    return { status: 204, versionId: id, isDeleteMarker: true };
  }

  /** Each deletion separately, those of versions first. */
  deleteObjects(name: string, deletions: readonly Deletion[]): Answer {
    const results = new Map<Deletion, unknown>();
    const isNamed = ({ versionId }: Deletion): boolean => versionId !== undefined;
    for (const deletion of [...deletions.filter(isNamed), ...deletions.filter((one) => !isNamed(one))]) {
      const { key, versionId } = deletion;
      const answer = this.respond(() => this.deleteObject(name, deletion));
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
    const { bytes, etag, tags, id } = this.#state.source(source);
    this.#state.require(name, key, conditions);
    if (!isReplaced && source.bucket === name && source.key === key && source.versionId === undefined) {
      throw new ModelError(400, "InvalidRequest");
    }
    const versionId = this.#state.add(name, key, { bytes, etag, tags: newTags ?? tags });
    return { status: 200, etag, versionId, sourceVersionId: this.#state.shownSource(source, id) };
  }

  rename(name: string, from: string, to: string, token: string | undefined, conditions: Conditions): Answer {
    const { versioning, keys, tokens } = this.#state.bucket(name);
    const fingerprint = JSON.stringify([from, to, conditions.ifMatch, conditions.ifNoneMatch]);
    const used = token === undefined ? undefined : tokens.get(token);
    if (used === fingerprint) return { status: 200 };
    if (used !== undefined) throw new ModelError(400, "IdempotencyParameterMismatch");
    if (versioning !== undefined) throw new ModelError(409, "InvalidBucketState");
    const versions = keys.get(from);
    if (versions === undefined) throw new ModelError(404, "NoSuchKey");
    if (from === to) throw new ModelError(400, "InvalidRequest");
    this.#state.require(name, to, conditions);
    keys.set(to, versions);
    keys.delete(from);
    if (token !== undefined) tokens.set(token, fingerprint);
    return { status: 200 };
  }

  getTags(name: string, key: string, versionId: string | undefined): Answer {
    const { tags, id } = this.#state.version(name, key, versionId);
    return { status: 200, tags, versionId: this.#state.shown(name, id) };
  }

  putTags(name: string, key: string, versionId: string | undefined, tags: Tags, status: number): Answer {
    const version = this.#state.version(name, key, versionId);
    version.tags = tags;
    return { status, versionId: this.#state.shown(name, version.id) };
  }

  list(name: string): Answer {
    const current = sortedKeys(this.#state.bucket(name).keys).flatMap(([key, [newest]]) =>
      newest === undefined || newest.isMarker ? [] : [{ key, etag: newest.etag, size: newest.bytes.length }],
    );
    return { status: 200, listed: current };
  }

  listVersions(name: string): Answer {
    const all = sortedKeys(this.#state.bucket(name).keys).flatMap(([key, versions]) =>
      versions.map(({ id, isMarker, etag, bytes }, index) => {
        const common = { key, versionId: id, isLatest: index === 0 };
        return isMarker ? { ...common, isMarker } : { ...common, etag, size: bytes.length };
      }),
    );
    return { status: 200, listed: all };
  }

  /** The ETag that a request can name, for the generators of requests. */
  currentEtag(name: string, key: string): string | undefined {
    return this.#state.currentEtag(name, key);
  }
}

function sortedKeys(keys: ReadonlyMap<string, Version[]>): [string, Version[]][] {
  return Array.from(keys).sort(([a], [b]) => compareKeys(a, b));
}
