// Copies one version: bytes with the source's part sizes, headers, metadata and tags. What arrives is compared with the
// ETags of both sides.
import { createHash, type Hash } from "node:crypto";
import type { Entry } from "./entries.ts";
import { DamagedBytes, retried, type Store, StoreError } from "./store.ts";

const HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
];
/** Bytes that are held in memory, so that they can be sent again. */
const BUFFERED_BYTES = 8 * 1024 ** 2;
/** The most bytes of one PUT, and the parts of a longer object that has none of its own. */
const PUT_MAX_BYTES = 5 * 1024 ** 3;
const PART_BYTES = 512 * 1024 ** 2;

export interface CopyOptions {
  readonly keepsTime: boolean;
  /** Whether a copy fails if the target has the key. */
  readonly missingOnly: boolean;
}

/** The headers and metadata that a copy stores. Last-Modified becomes the metadata that rclone reads times from. */
export function propertiesOf(headers: Headers, keepsTime: boolean): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = headers.get(name);
    if (value !== null && value !== "") properties[name] = value;
  }
  for (const [name, value] of headers) if (name.startsWith("x-amz-meta-")) properties[name] = value;
  const time = Date.parse(headers.get("last-modified") ?? "");
  if (keepsTime && !Number.isNaN(time)) properties["x-amz-meta-mtime"] ??= String(Math.floor(time / 1000));
  return properties;
}

/** The tags of a version, in the form of the header x-amz-tagging; empty without any. */
export async function tagsOf(
  store: Store,
  key: string,
  versionId: string | undefined,
  headers: Headers,
): Promise<string> {
  if (!/^[1-9]/.test(headers.get("x-amz-tagging-count") ?? "")) return "";
  const text = await store.text({ method: "GET", key, query: { tagging: "", ...versionQuery(versionId) } });
  const pairs = Array.from(
    text.matchAll(/<Tag>\s*<Key>([^<]*)<\/Key>\s*<Value>([^<]*)<\/Value>\s*<\/Tag>/g),
    ([, name = "", value = ""]): [string, string] => [unescapeXml(name), unescapeXml(value)],
  );
  return new URLSearchParams(pairs).toString();
}

export function versionQuery(versionId: string | undefined): Record<string, string> {
  return versionId === undefined ? {} : { versionId };
}

/** Copies a version and returns its bytes' number. @throws StoreError, DamagedBytes */
export async function copyVersion(source: Store, target: Store, entry: Entry, options: CopyOptions): Promise<number> {
  const parts = partCountOf(entry.etag);
  if (parts === 0 && entry.size <= PUT_MAX_BYTES) return retried(() => copyWhole(source, target, entry, options));
  return copyParts(source, target, entry, options, Math.max(parts, Math.ceil(entry.size / PUT_MAX_BYTES)));
}

function partCountOf(etag: string): number {
  return Number(/^[0-9a-f]{32}-(\d+)$/.exec(etag)?.[1] ?? 0);
}

async function copyWhole(
  source: Store,
  target: Store,
  { key, versionId, size }: Entry,
  { keepsTime, missingOnly }: CopyOptions,
): Promise<number> {
  const answer = await source.send({ method: "GET", key, query: versionQuery(versionId) });
  const tagging = await tagsOf(source, key, versionId, answer.headers);
  const bytes = await digestedBytes(answer, size);
  const put = await target.send({
    method: "PUT",
    key,
    headers: {
      ...propertiesOf(answer.headers, keepsTime),
      ...(tagging === "" ? {} : { "x-amz-tagging": tagging }),
      ...(missingOnly ? { "if-none-match": "*" } : {}),
      "content-length": String(bytes.length),
    },
    body: bytes.body,
  });
  const md5 = bytes.md5();
  compareEtag("source", answer.headers, md5);
  compareEtag("target", put.headers, md5);
  return bytes.length;
}

async function copyParts(
  source: Store,
  target: Store,
  entry: Entry,
  { keepsTime, missingOnly }: CopyOptions,
  count: number,
): Promise<number> {
  const { key, versionId, size, etag } = entry;
  const head = await source.call({ method: "HEAD", key, query: versionQuery(versionId) });
  const tagging = await tagsOf(source, key, versionId, head.headers);
  const headers = {
    ...propertiesOf(head.headers, keepsTime),
    ...(tagging === "" ? {} : { "x-amz-tagging": tagging }),
  };
  const started = await target.text({ method: "POST", key, query: { uploads: "" }, headers });
  const [, uploadId] = /<UploadId>([^<]+)<\/UploadId>/.exec(started) ?? [];
  if (uploadId === undefined) throw new Error("the target started no upload");
  try {
    const named = partCountOf(etag) > 0 && (await offersParts(source, entry));
    const ranges = named ? [] : rangesOf(size, count);
    const etags: string[] = [];
    let copied = 0;
    for (let number = 1; number <= (named ? count : ranges.length); number += 1) {
      const range = ranges[number - 1];
      const part = await retried(async () => {
        const read = await source.send({
          method: "GET",
          key,
          query: { ...versionQuery(versionId), ...(named ? { partNumber: String(number) } : {}) },
          headers: range === undefined ? {} : { range },
        });
        const bytes = await digestedBytes(read, undefined);
        const put = await target.send({
          method: "PUT",
          key,
          query: { partNumber: String(number), uploadId },
          headers: { "content-length": String(bytes.length) },
          body: bytes.body,
        });
        compareEtag("target", put.headers, bytes.md5());
        return { etag: put.headers.get("etag") ?? "", length: bytes.length };
      });
      etags.push(part.etag);
      copied += part.length;
    }
    if (copied !== size) throw new DamagedBytes(`${copied} of ${size} bytes`);
    const list = etags.map((one, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${one}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
    const condition: Record<string, string> = missingOnly ? { "if-none-match": "*" } : {};
    const text = await target.text({ method: "POST", key, query: { uploadId }, headers: condition, body });
    const [, code] = /<Error>.*<Code>([^<]*)<\/Code>/s.exec(text) ?? [];
    if (code !== undefined) throw new StoreError("complete", 200, code);
    return size;
  } catch (error) {
    await target.call({ method: "DELETE", key, query: { uploadId } }).catch(() => undefined);
    throw error;
  }
}

/** Whether a store returns the parts of a multipart object by number. */
async function offersParts(source: Store, { key, versionId }: Entry): Promise<boolean> {
  const head = await source
    .call({ method: "HEAD", key, query: { ...versionQuery(versionId), partNumber: "1" } })
    .catch(() => undefined);
  return head?.headers.has("x-amz-mp-parts-count") === true;
}

/** The ranges of a number of parts. All but the last have the same length, in whole MiB. */
function rangesOf(size: number, count: number): string[] {
  const length = Math.max(Math.ceil(Math.min(size / count, PART_BYTES) / 1024 ** 2), 5) * 1024 ** 2;
  return Array.from(
    { length: Math.max(1, Math.ceil(size / length)) },
    (_, index) => `bytes=${index * length}-${Math.min(size, (index + 1) * length) - 1}`,
  );
}

interface DigestedBytes {
  readonly length: number;
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Of all bytes, in hexadecimal, once they are sent. */
  md5(): string;
}

/** The bytes of an answer: in memory if they are few, else as a stream that breaks off if it has another length. */
async function digestedBytes(answer: Response, expected: number | undefined): Promise<DigestedBytes> {
  const length = Number(answer.headers.get("content-length") ?? expected ?? 0);
  if (expected !== undefined && length !== expected) throw new DamagedBytes(`${length} bytes instead of ${expected}`);
  const hash = createHash("md5");
  if (answer.body === null || length <= BUFFERED_BYTES) {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (bytes.length !== length) throw new DamagedBytes(`${bytes.length} bytes instead of ${length}`);
    const digest = hash.update(bytes).digest("hex");
    return { length, body: bytes, md5: () => digest };
  }
  return { length, body: answer.body.pipeThrough(hashing(hash, length)), md5: () => hash.digest("hex") };
}

function hashing(hash: Hash, length: number): TransformStream<Uint8Array, Uint8Array> {
  let seen = 0;
  return new TransformStream({
    transform(piece, controller) {
      seen += piece.length;
      hash.update(piece);
      controller.enqueue(piece);
    },
    flush() {
      if (seen !== length) throw new DamagedBytes(`${seen} bytes instead of ${length}`);
    },
  });
}

/** @throws DamagedBytes if the ETag is an MD5 and another one */
function compareEtag(side: string, headers: Headers, md5: string): void {
  const etag = headers.get("etag")?.replaceAll('"', "") ?? "";
  const encryption = headers.get("x-amz-server-side-encryption") ?? "AES256";
  if (!/^[0-9a-f]{32}$/.test(etag) || encryption !== "AES256" || etag === md5) return;
  throw new DamagedBytes(`the ${side}'s ETag is not the MD5 of the bytes`);
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return named[name] ?? whole;
  });
}
