// Runs commands against the Worker and the model side by side: every response must agree. The Worker chooses version
// and upload ids; they are learned from its first response and must not change.
import { expect } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { referencesOfId } from "../support/check-references.ts";
import { send, type SendOptions } from "../support/client.ts";
import { md5Base64 } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { childrenOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import {
  BIG_BUCKET,
  BUCKETS,
  KEYS,
  type Command,
  type PartChoice,
  type Place,
  type SourceChoice,
  type VersionChoice,
  type When,
} from "./commands.ts";
import { md5, S3Model, type Answer, type Conditions, type SourceName } from "./s3-model.ts";

const UNKNOWN_VERSION = "0".repeat(32);
const UNKNOWN_UPLOAD = "no-such-upload";
const MAX_PAGES = 100;
const RECOVERY_WINDOW_MS = 24 * 3_600_000;

interface Sent {
  readonly answer: Answer;
  readonly body: Element | undefined;
}

export class Play {
  /** The requests so far with their responses, for a person to read. */
  readonly transcript: string[] = [];
  readonly #model = new S3Model();
  /** The Worker's names of buckets, versions and uploads by the model's. */
  readonly #buckets = new Map<string, string>();
  readonly #ids = new Map<string, string>([["unknown", UNKNOWN_VERSION]]);
  readonly #versions = new Map<string, string[]>();
  readonly #uploads: { readonly bucket: string; readonly key: string; readonly id: string }[] = [];
  readonly #listings = new Map<string, readonly (readonly [number, string])[]>();
  /** Every bucket that ever existed: its blobs may outlive it. */
  readonly #bucketIds: string[] = [];

  /** @param big the object that is copied for parts that must have 5 MiB, when a command succeeds */
  static async begin(big: Uint8Array | undefined): Promise<Play> {
    const play = new Play();
    for (const name of BUCKETS) await play.#makeBucket(name);
    if (big === undefined) return play;
    await play.#makeBucket(BIG_BUCKET);
    const { status } = await send("PUT", play.#target({ bucket: BIG_BUCKET, key: KEYS[0] }), { body: big });
    expect(status).toBe(200);
    play.#model.put(BIG_BUCKET, KEYS[0], big, {}, {});
    return play;
  }

  async perform(command: Command): Promise<void> {
    switch (command.op) {
      case "put": {
        const { at, body, tags } = command;
        const conditions = this.#conditions(at, command.when);
        const headers = { ...tagging(tags), ...conditionHeaders(conditions) };
        const { answer } = await this.#send("PUT", this.#target(at), { headers, body });
        return this.#agree(at, answer, (model) => model.put(at.bucket, at.key, bytesOf(body), tags, conditions));
      }
      case "get": {
        const { at, range } = command;
        const version = this.#version(at, command.version);
        const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${range[0]}-${range[1]}` };
        const { answer } = await this.#send("GET", this.#target(at, { versionId: this.#real(version) }), { headers });
        return this.#agree(at, answer, (model) => model.get(at.bucket, at.key, version, range));
      }
      case "delete": {
        const { at } = command;
        const { ifMatch } = this.#conditions(at, command.when);
        const versionId = this.#version(at, command.version);
        const headers = conditionHeaders({ ifMatch });
        const { answer } = await this.#send("DELETE", this.#target(at, { versionId: this.#real(versionId) }), {
          headers,
        });
        return this.#agree(at, answer, (model) => model.deleteObject(at.bucket, { key: at.key, versionId, ifMatch }));
      }
      case "deleteObjects":
        return this.#deleteObjects(command);
      case "copy": {
        const { at, isReplaced, tags } = command;
        const source = this.#source(command.source);
        const conditions = this.#conditions(at, command.when);
        const headers = {
          "x-amz-copy-source": this.#sourceHeader(source),
          ...(isReplaced ? { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-replaced": "yes" } : {}),
          ...(tags === undefined ? {} : { "x-amz-tagging-directive": "REPLACE", ...tagging(tags) }),
          ...conditionHeaders(conditions),
        };
        const { answer } = await this.#send("PUT", this.#target(at), { headers });
        return this.#agree(at, answer, (model) => model.copy(source, at.bucket, at.key, tags, isReplaced, conditions));
      }
      case "rename": {
        const { at, from, token } = command;
        const conditions = this.#conditions(at, command.when);
        const headers = {
          "x-amz-rename-source": encodeURIComponent(from),
          ...(token === undefined ? {} : { "x-amz-client-token": token }),
          ...conditionHeaders(conditions),
        };
        const { answer } = await this.#send("PUT", this.#target(at, { renameObject: "" }), { headers });
        return this.#agree(at, answer, (model) => model.rename(at.bucket, from, at.key, token, conditions));
      }
      case "putTags":
      case "deleteTags": {
        const { at } = command;
        const versionId = this.#version(at, command.version);
        const target = this.#target(at, { tagging: "", versionId: this.#real(versionId) });
        const [method, tags, status, options] =
          command.op === "putTags"
            ? (["PUT", command.tags, 200, documentOf(tagsXml(command.tags))] as const)
            : (["DELETE", {}, 204, {}] as const);
        const { answer } = await this.#send(method, target, options);
        return this.#agree(at, answer, (model) => model.putTags(at.bucket, at.key, versionId, tags, status));
      }
      case "getTags": {
        const { at } = command;
        const versionId = this.#version(at, command.version);
        const { answer, body } = await this.#send(
          "GET",
          this.#target(at, { tagging: "", versionId: this.#real(versionId) }),
        );
        const set = body === undefined ? [] : childrenOf(body, "TagSet").flatMap((tagSet) => childrenOf(tagSet, "Tag"));
        const tags = Object.fromEntries(set.map((tag) => [textOf(tag, "Key") ?? "", textOf(tag, "Value") ?? ""]));
        const isFound = answer.code === undefined;
        return this.#agree(at, { ...answer, tags: isFound ? tags : undefined }, (model) =>
          model.getTags(at.bucket, at.key, versionId),
        );
      }
      case "list":
      case "listVersions":
      case "listUploads":
        return this.#list(command.op, command.bucket, command.pageSize);
      case "setVersioning": {
        const { bucket, versioning } = command;
        const body = `<VersioningConfiguration><Status>${versioning}</Status></VersioningConfiguration>`;
        const { answer } = await this.#send("PUT", `/${this.#bucket(bucket)}?versioning`, { body });
        return this.#agree(undefined, answer, (model) => model.setVersioning(bucket, versioning));
      }
      case "remakeBucket": {
        const { answer } = await this.#send("DELETE", `/${this.#bucket(command.bucket)}`);
        this.#agree(undefined, answer, (model) => model.deleteBucket(command.bucket));
        if (answer.status === 204) await this.#makeBucket(command.bucket);
        return;
      }
      case "collectGarbage":
        this.transcript.push("collect all garbage");
        // Garbage of this very millisecond is not yet due.
        await runPass(collectGarbage, Date.now() + RECOVERY_WINDOW_MS + 1000);
        return;
      case "createUpload":
        await this.#createUpload(command.at, command.tags);
        return;
      case "part":
        return this.#part(this.#upload(command.upload), command.number, command.part);
      case "complete": {
        const upload = this.#upload(command.upload);
        const parts = this.#model.uploadOf(upload.bucket, upload.id)?.parts;
        const remembered = parts === undefined && !command.isStale ? this.#listings.get(upload.id) : undefined;
        // The parts that exist; a list of others is rejected, which is tried less often.
        const present = Array.from(parts?.keys() ?? []).sort((a, b) => a - b);
        const some = command.numbers.filter((number) => present.includes(number));
        const numbers = command.isStale || present.length === 0 ? command.numbers : some.length > 0 ? some : present;
        const stale = md5(bytesOf("stale"));
        const listing = remembered ?? numbers.map((number) => [number, parts?.get(number)?.etag ?? stale] as const);
        return this.#complete(upload, listing, this.#conditions(upload, command.when));
      }
      case "abort": {
        const { bucket, key, id } = this.#upload(command.upload);
        const { answer } = await this.#send(
          "DELETE",
          this.#target({ bucket, key }, { uploadId: this.#realUpload(id) }),
        );
        return this.#agree(undefined, answer, (model) => model.abort(bucket, id));
      }
      case "listParts":
        return this.#listParts(this.#upload(command.upload));
      case "multipart": {
        const upload = await this.#createUpload(command.at, {});
        for (const [index, part] of command.parts.entries()) await this.#part(upload, index + 1, part);
        const parts =
          this.#model.uploadOf(upload.bucket, upload.id)?.parts ?? new Map<number, { readonly etag: string }>();
        if (parts.size === 0) return;
        return this.#complete(
          upload,
          Array.from(parts, ([number, { etag }]) => [number, etag] as const),
          {},
        );
      }
    }
  }

  /** Reads everything back, and checks all references. */
  async finish(): Promise<void> {
    this.transcript.push("read everything back:");
    const { length } = this.transcript;
    const look = async (reading: Promise<void>): Promise<void> => {
      await reading;
      // Correct results are of no interest to a reader of the failure.
      this.transcript.length = length;
    };
    for (const bucket of BUCKETS) {
      for (const op of ["list", "listVersions", "listUploads"] as const) await look(this.#list(op, bucket, 1000));
      for (const key of KEYS) {
        const versions = this.#versions.get(`${bucket}/${key}`)?.length ?? 0;
        for (const version of [undefined, "null", ...Array.from({ length: versions }).keys()] as const) {
          await look(this.perform({ op: "get", at: { bucket, key }, version, range: undefined }));
        }
      }
    }
    for (const upload of this.#uploads) await look(this.#listParts(upload));
    for (const id of this.#bucketIds) {
      const references = await referencesOfId(id);
      expect(references, JSON.stringify(references)).toEqual({ findings: [], orphans: [] });
    }
  }

  async #makeBucket(name: (typeof BUCKETS)[number] | typeof BIG_BUCKET): Promise<void> {
    const known = this.#buckets.get(name);
    if (known === undefined) this.#buckets.set(name, await freshBucket());
    else expect((await send("PUT", `/${known}`)).status).toBe(200);
    this.#model.makeBucket(name);
    this.#bucketIds.push(await bucketId(this.#bucket(name)));
  }

  async #deleteObjects({ bucket, deletions }: Extract<Command, { op: "deleteObjects" }>): Promise<void> {
    const named = deletions.map(({ key, version, when }) => ({
      key,
      versionId: this.#version({ bucket, key }, version),
      ifMatch: this.#conditions({ bucket, key }, when).ifMatch,
    }));
    // Two choices may select the same version.
    const unique = Array.from(new Map(named.map((one) => [`${one.key} ${one.versionId}`, one])).values());
    const objects = unique.map(({ key, versionId, ifMatch }) => {
      const real = this.#real(versionId);
      const more = [
        real === undefined ? "" : `<VersionId>${real}</VersionId>`,
        ifMatch === undefined ? "" : `<ETag>${ifMatch}</ETag>`,
      ];
      return `<Object><Key>${key}</Key>${more.join("")}</Object>`;
    });
    const sent = await this.#send(
      "POST",
      `/${this.#bucket(bucket)}?delete`,
      documentOf(`<Delete>${objects.join("")}</Delete>`),
    );
    const expected = this.#model.play((model) => model.deleteObjects(bucket, unique));
    const expectedMarkers = (expected.listed ?? []).map(markerOf);
    const listed = sent.body?.children.map((child, index) => {
      const marker = textOf(child, "DeleteMarkerVersionId");
      expect(textOf(child, "DeleteMarker")).toBe(marker === undefined ? undefined : "true");
      return {
        key: textOf(child, "Key"),
        versionId: this.#known(textOf(child, "VersionId")),
        code: textOf(child, "Code"),
        deleteMarker: this.#learn(marker, expectedMarkers[index], { bucket, key: unique[index]?.key ?? "" }),
      };
    });
    this.#compare({ ...sent.answer, listed }, expected);
  }

  async #list(op: "list" | "listVersions" | "listUploads", bucket: string, pageSize: number): Promise<void> {
    const kind = {
      list: {
        query: "list-type=2&max-keys",
        item: ["Contents"],
        next: [["NextContinuationToken", "continuation-token"]],
      },
      listVersions: {
        query: "versions&max-keys",
        item: ["Version", "DeleteMarker"],
        next: [
          ["NextKeyMarker", "key-marker"],
          ["NextVersionIdMarker", "version-id-marker"],
        ],
      },
      listUploads: {
        query: "uploads&max-uploads",
        item: ["Upload"],
        next: [
          ["NextKeyMarker", "key-marker"],
          ["NextUploadIdMarker", "upload-id-marker"],
        ],
      },
    }[op];
    const listed: unknown[] = [];
    let from = "";
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { answer, body } = await this.#send("GET", `/${this.#bucket(bucket)}?${kind.query}=${pageSize}${from}`);
      const items = (body?.children ?? []).filter(({ name }) => kind.item.includes(name));
      expect(items.length).toBeLessThanOrEqual(pageSize);
      listed.push(...items.map((item) => this.#listedItem(item)));
      if (body === undefined || textOf(body, "IsTruncated") !== "true") {
        this.#compare(
          { ...answer, listed },
          this.#model.play((model) => model[op](bucket)),
        );
        return;
      }
      from = kind.next
        .map(([name = "", parameter = ""]) => `&${parameter}=${encodeURIComponent(textOf(body, name) ?? "")}`)
        .join("");
    }
    throw new Error(`${op} goes on for ${MAX_PAGES} pages`);
  }

  #listedItem(item: Element): unknown {
    const size = textOf(item, "Size");
    const latest = textOf(item, "IsLatest");
    return {
      key: textOf(item, "Key"),
      versionId: this.#known(textOf(item, "VersionId")),
      uploadId: this.#known(textOf(item, "UploadId")),
      etag: bare(textOf(item, "ETag")),
      size: size === undefined ? undefined : Number(size),
      isLatest: latest === undefined ? undefined : latest === "true",
      isMarker: item.name === "DeleteMarker" ? true : undefined,
    };
  }

  async #createUpload(
    at: Place,
    tags: Readonly<Record<string, string>>,
  ): Promise<{ bucket: string; key: string; id: string }> {
    const { answer, body } = await this.#send("POST", this.#target(at, { uploads: "" }), { headers: tagging(tags) });
    const expected = this.#model.play((model) => model.createUpload(at.bucket, at.key, tags));
    const uploadId = body === undefined ? undefined : textOf(body, "UploadId");
    if (uploadId !== undefined && expected.uploadId !== undefined) this.#ids.set(expected.uploadId, uploadId);
    this.#compare({ ...answer, uploadId: this.#known(uploadId) }, expected);
    const upload = { bucket: at.bucket, key: at.key, id: expected.uploadId ?? "" };
    this.#uploads.push(upload);
    return upload;
  }

  async #part(
    { bucket, key, id }: { readonly bucket: string; readonly key: string; readonly id: string },
    number: number,
    part: PartChoice,
  ): Promise<void> {
    const target = this.#target({ bucket, key }, { partNumber: String(number), uploadId: this.#realUpload(id) });
    if ("body" in part) {
      const { answer } = await this.#send("PUT", target, { body: part.body });
      return this.#agree(undefined, answer, (model) => model.uploadPart(bucket, id, number, bytesOf(part.body)));
    }
    const source = this.#source(part.source);
    const { range } = part;
    const headers = {
      "x-amz-copy-source": this.#sourceHeader(source),
      ...(range === undefined ? {} : { "x-amz-copy-source-range": `bytes=${range[0]}-${range[1]}` }),
    };
    const { answer } = await this.#send("PUT", target, { headers });
    return this.#agree(undefined, answer, (model) => model.copyPart(bucket, id, number, source, range, answer.etag));
  }

  async #complete(
    { bucket, key, id }: { readonly bucket: string; readonly key: string; readonly id: string },
    listing: readonly (readonly [number, string])[],
    conditions: Conditions,
  ): Promise<void> {
    this.#listings.set(id, listing);
    const parts = listing.map(
      ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const target = this.#target({ bucket, key }, { uploadId: this.#realUpload(id) });
    const { answer } = await this.#send("POST", target, { body, headers: conditionHeaders(conditions) });
    return this.#agree({ bucket, key }, answer, (model) => model.complete(bucket, id, listing, conditions));
  }

  async #listParts({
    bucket,
    key,
    id,
  }: {
    readonly bucket: string;
    readonly key: string;
    readonly id: string;
  }): Promise<void> {
    const { answer, body } = await this.#send("GET", this.#target({ bucket, key }, { uploadId: this.#realUpload(id) }));
    const parts = body === undefined ? undefined : childrenOf(body, "Part");
    const listed = parts?.map((part) => ({
      number: Number(textOf(part, "PartNumber")),
      etag: bare(textOf(part, "ETag")),
      size: Number(textOf(part, "Size")),
    }));
    const isFound = answer.code === undefined;
    this.#compare(
      { ...answer, listed: isFound ? listed : undefined },
      this.#model.play((model) => model.listParts(bucket, id)),
    );
  }

  async #send(method: string, target: string, options: SendOptions = {}): Promise<Sent> {
    const response = await send(method, target, options);
    const header = (name: string): string | undefined => response.headers.get(name) ?? undefined;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isXml = bytes.length > 0 && header("content-type") === "application/xml";
    const body = isXml ? readXml(new TextDecoder().decode(bytes)) : undefined;
    const code = body?.name === "Error" ? textOf(body, "Code") : undefined;
    const isObject = method === "GET" && !isXml && response.status < 300;
    const answer: Answer = {
      status: response.status,
      code,
      versionId: header("x-amz-version-id"),
      isDeleteMarker: header("x-amz-delete-marker") === "true" ? true : undefined,
      sourceVersionId: header("x-amz-copy-source-version-id"),
      etag: bare(header("etag") ?? (body === undefined || code !== undefined ? undefined : textOf(body, "ETag"))),
      tagCount: header("x-amz-tagging-count"),
      bytes: isObject ? bytes : undefined,
    };
    this.transcript.push(
      `${method} ${this.#readable(target)} ${this.#readable(JSON.stringify(options))} -> ${response.status} ${code ?? ""} ${this.#readable(answer.versionId ?? "")}`,
    );
    return { answer, body };
  }

  /** Runs the same request on the model, and learns the id of its version. */
  #agree(
    at: { readonly bucket: string; readonly key: string } | undefined,
    answer: Answer,
    request: (model: S3Model) => Answer,
  ): void {
    const expected = this.#model.play(request);
    const versionId = this.#learn(answer.versionId, expected.versionId, at);
    this.#compare({ ...answer, versionId, sourceVersionId: this.#known(answer.sourceVersionId) }, expected);
  }

  #compare(actual: Answer, expected: Answer): void {
    const [given, due] = [shown(actual), shown(expected)];
    expect(given, `answered: ${JSON.stringify(given)}\nexpected: ${JSON.stringify(due)}\n`).toEqual(due);
  }

  #learn(
    real: string | undefined,
    expected: string | undefined,
    at: { readonly bucket: string; readonly key: string } | undefined,
  ): string | undefined {
    if (real !== undefined && real !== "null" && expected?.startsWith("v") === true && !this.#ids.has(expected)) {
      expect(Array.from(this.#ids.values())).not.toContain(real);
      this.#ids.set(expected, real);
      const name = `${at?.bucket}/${at?.key}`;
      this.#versions.set(name, [...(this.#versions.get(name) ?? []), expected]);
    }
    return this.#known(real);
  }

  /** The model's name for an id of the Worker. */
  #known(real: string | undefined): string | undefined {
    if (real === undefined || real === "null") return real;
    for (const [id, candidate] of this.#ids) if (candidate === real) return id;
    return `strange ${real}`;
  }

  #real(id: string | undefined): string | undefined {
    return id === undefined ? undefined : (this.#ids.get(id) ?? id);
  }

  #realUpload(id: string): string {
    return this.#ids.get(id) ?? UNKNOWN_UPLOAD;
  }

  #version(
    { bucket, key }: { readonly bucket: string; readonly key: string },
    choice: VersionChoice,
  ): string | undefined {
    if (typeof choice !== "number") return choice;
    const versions = this.#versions.get(`${bucket}/${key}`) ?? [];
    return versions.at(-1 - (choice % Math.max(versions.length, 1))) ?? "null";
  }

  #upload(choice: number): { readonly bucket: string; readonly key: string; readonly id: string } {
    return (
      this.#uploads.at(-1 - (choice % Math.max(this.#uploads.length, 1))) ?? {
        bucket: BUCKETS[0],
        key: KEYS[0],
        id: "none",
      }
    );
  }

  #source({ bucket, key, version }: SourceChoice): SourceName {
    return { bucket, key, versionId: this.#version({ bucket, key }, version) };
  }

  #sourceHeader({ bucket, key, versionId }: SourceName): string {
    const query = versionId === undefined ? "" : `?versionId=${this.#real(versionId)}`;
    return `/${this.#bucket(bucket)}/${encodeURIComponent(key)}${query}`;
  }

  #conditions({ bucket, key }: { readonly bucket: string; readonly key: string }, when: When): Conditions {
    const other = md5(bytesOf("other"));
    if (when === "absent") return { ifNoneMatch: true };
    return {
      ifMatch:
        when === "always" ? undefined : when === "other" ? other : (this.#model.currentEtag(bucket, key) ?? other),
    };
  }

  #bucket(name: string): string {
    return this.#buckets.get(name) ?? name;
  }

  #target(
    { bucket, key }: { readonly bucket: string; readonly key: string },
    query: Readonly<Record<string, string | undefined>> = {},
  ): string {
    const pairs = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [value === "" ? name : `${name}=${value}`],
    );
    const path = key.split("/").map(encodeURIComponent).join("/");
    return `/${this.#bucket(bucket)}/${path}${pairs.length === 0 ? "" : "?"}${pairs.join("&")}`;
  }

  #readable(text: string): string {
    let readable = text;
    for (const [name, real] of [...this.#buckets, ...this.#ids]) readable = readable.replaceAll(real, name);
    return readable;
  }
}

/** The delete marker of the model's response to one deletion. */
function markerOf(result: unknown): string | undefined {
  const marker: unknown =
    typeof result === "object" && result !== null ? Reflect.get(result, "deleteMarker") : undefined;
  return typeof marker === "string" ? marker : undefined;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function bare(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', "");
}

/** Bytes are compared by length and digest: printing megabytes helps no reader. */
function shown({ bytes, ...answer }: Answer): unknown {
  return { ...answer, bytes: bytes === undefined ? undefined : `${bytes.length} bytes ${md5(bytes)}` };
}

function tagging(tags: Readonly<Record<string, string>>): Record<string, string> {
  const text = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return text.length === 0 ? {} : { "x-amz-tagging": text.join("&") };
}

function tagsXml(tags: Readonly<Record<string, string>>): string {
  const items = Object.entries(tags).map(([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`);
  return `<Tagging><TagSet>${items.join("")}</TagSet></Tagging>`;
}

function documentOf(body: string): SendOptions {
  return { body, headers: { "content-md5": md5Base64(bytesOf(body)) } };
}

function conditionHeaders({ ifMatch, ifNoneMatch }: Conditions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }),
    ...(ifNoneMatch === true ? { "if-none-match": "*" } : {}),
  };
}
