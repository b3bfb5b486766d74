// Calls of S3 on one object or version: metadata, bytes, copies and renames.
import { type Connection, encodeText } from "./connection.ts";
import { ServiceError } from "./failures.ts";
import { bucketPath, objectPath } from "./paths.ts";
import { optionalText, parseXml, textOf } from "./xml.ts";
import { withoutHidden } from "../i18n/visible-text.ts";

/** A version of a key; without a version id, the current one. */
export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** The headers that an object is served with. */
export const SERVED_HEADERS = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-website-redirect-location",
] as const;
export type ServedHeader = (typeof SERVED_HEADERS)[number];

export interface ObjectFacts {
  readonly bytes: number;
  /** In ms. */
  readonly modifiedAt: number;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly storageClass: string;
  readonly served: Readonly<Partial<Record<ServedHeader, string>>>;
  /** User metadata by name, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Checksums by algorithm. */
  readonly checksums: Readonly<Record<string, string>>;
  readonly checksumType: string | undefined;
  readonly parts: number | undefined;
  readonly encryption: string | undefined;
  readonly expiration: { readonly at: number; readonly ruleId: string } | undefined;
  readonly lock: ObjectLock;
}

export interface ObjectLock {
  readonly mode: "GOVERNANCE" | "COMPLIANCE" | undefined;
  /** In ms. */
  readonly until: number | undefined;
  readonly hasLegalHold: boolean;
}

/** Reads an object's metadata with a HEAD. */
export async function headObject(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  signal?: AbortSignal,
): Promise<ObjectFacts> {
  const { headers } = await connection.send({
    method: "HEAD",
    path: objectPath(bucket, key),
    query: { versionId },
    headers: { "x-amz-checksum-mode": "ENABLED" },
    signal,
  });
  return factsOf(headers);
}

function factsOf(headers: Headers): ObjectFacts {
  const entries = Array.from(headers, ([name, value]) => [name, value] as const);
  const withPrefix = (prefix: string) => entries.filter(([name]) => name.startsWith(prefix));
  const served = SERVED_HEADERS.flatMap((name) => {
    const value = storedValue(name, headers.get(name) ?? "");
    return value === "" ? [] : [[name, value] as const];
  });
  const mode = headers.get("x-amz-object-lock-mode");
  const until = Date.parse(headers.get("x-amz-object-lock-retain-until-date") ?? "");
  return {
    bytes: Number(headers.get("content-length") ?? 0),
    modifiedAt: Date.parse(headers.get("last-modified") ?? ""),
    etag: headers.get("etag") ?? "",
    versionId: headers.get("x-amz-version-id") ?? undefined,
    storageClass: headers.get("x-amz-storage-class") ?? "STANDARD",
    served: Object.fromEntries(served),
    metadata: Object.fromEntries(
      withPrefix(META).map(([name, value]) => [name.slice(META.length), decodeWord(fromBytes(value))]),
    ),
    checksums: Object.fromEntries(
      withPrefix(CHECKSUM)
        .filter(([name]) => name !== `${CHECKSUM}type`)
        .map(([name, value]) => [name.slice(CHECKSUM.length).toUpperCase(), value]),
    ),
    checksumType: headers.get(`${CHECKSUM}type`) ?? undefined,
    parts: Number(headers.get("x-amz-mp-parts-count")) || undefined,
    encryption: headers.get("x-amz-server-side-encryption") ?? undefined,
    expiration: expirationOf(headers.get("x-amz-expiration") ?? ""),
    lock: {
      mode: mode === "GOVERNANCE" || mode === "COMPLIANCE" ? mode : undefined,
      until: Number.isNaN(until) ? undefined : until,
      hasLegalHold: headers.get("x-amz-object-lock-legal-hold") === "ON",
    },
  };
}

/** Cairn adds `no-transform` to answers that proxies would compress; it is not stored. */
function storedValue(name: ServedHeader, value: string): string {
  return name === "cache-control" ? value.replace(/(?:^|,\s*)no-transform$/, "") : fromBytes(value);
}

const META = "x-amz-meta-";
const CHECKSUM = "x-amz-checksum-";

function expirationOf(header: string): ObjectFacts["expiration"] {
  const at = Date.parse(/expiry-date="([^"]*)"/.exec(header)?.[1] ?? "");
  const ruleId = /rule-id="([^"]*)"/.exec(header)?.[1] ?? "";
  return Number.isNaN(at) ? undefined : { at, ruleId: safeDecode(ruleId) };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Header values reach scripts byte by byte; servers mean UTF-8. */
function fromBytes(value: string): string {
  try {
    const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return value;
  }
}

/** Metadata beyond ASCII is an encoded word (RFC 2047) in headers. */
function decodeWord(value: string): string {
  const base64 = /^=\?utf-8\?b\?([\w+/=]*)\?=$/i.exec(value)?.[1];
  return base64 === undefined ? value : fromBytes(atob(base64));
}

function encodeWord(value: string): string {
  if (/^[\u0020-\u007e\t]*$/.test(value)) return value;
  const binary = Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join("");
  return `=?UTF-8?B?${btoa(binary)}?=`;
}

/** A part of an object's bytes, from its beginning. */
export async function readStart(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  most: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const path = objectPath(bucket, key);
  const headers = { range: `bytes=0-${most - 1}` };
  try {
    const response = await connection.send({ method: "GET", path, query: { versionId }, headers, signal });
    return new Uint8Array(await response.arrayBuffer());
  } catch (failure) {
    // An empty object has no range.
    if (failure instanceof ServiceError && failure.status === 416) return new Uint8Array();
    throw failure;
  }
}

export interface CopyOptions {
  readonly ifMatch?: string;
  /** Refuses to replace an object of that key. */
  readonly isNew?: boolean;
  readonly storageClass?: string;
  /** Replaces the response headers and the user metadata of the source. */
  readonly replaced?: {
    readonly served: ObjectFacts["served"];
    readonly metadata: Readonly<Record<string, string>>;
  };
}

/** Copies a version within the server. @returns the new version id, in a versioned bucket */
export async function copyObject(
  connection: Connection,
  source: ObjectAddress,
  target: ObjectAddress,
  { ifMatch, isNew = false, storageClass, replaced }: CopyOptions = {},
): Promise<string | undefined> {
  const metadata = Object.entries(replaced?.metadata ?? {}).map(([name, value]) => [META + name, encodeWord(value)]);
  const version = source.versionId === undefined ? "" : `?versionId=${encodeText(source.versionId)}`;
  const response = await connection.send({
    method: "PUT",
    path: objectPath(target.bucket, target.key),
    headers: {
      "x-amz-copy-source": `${sourcePath(source)}${version}`,
      "x-amz-copy-source-if-match": ifMatch,
      "if-none-match": isNew ? "*" : undefined,
      "x-amz-storage-class": storageClass,
      "x-amz-metadata-directive": replaced === undefined ? "COPY" : "REPLACE",
      ...replaced?.served,
      ...Object.fromEntries(metadata),
    },
  });
  // A copy that fails after its response has begun ends with an error document of status 200.
  const root = parseXml(await response.text());
  if (root.localName === "Error") {
    const [code, message] = [textOf(root, "Code"), textOf(root, "Message")];
    const requestId = optionalText(root, "RequestId") ?? "";
    throw new ServiceError({ status: 500, code, message, requestId, details: new Map(), skewMs: 0 });
  }
  return response.headers.get("x-amz-version-id") ?? undefined;
}

/** Renames an object of a bucket that never had versions. @throws ServiceError InvalidBucketState where it has */
export async function renameObject(
  connection: Connection,
  { bucket, key }: ObjectAddress,
  newKey: string,
  { isNew = false }: { readonly isNew?: boolean } = {},
): Promise<void> {
  await connection.send({
    method: "PUT",
    path: objectPath(bucket, newKey),
    query: { renameObject: "" },
    headers: {
      "x-amz-rename-source": sourcePath({ bucket, key }),
      "if-none-match": isNew ? "*" : undefined,
    },
  });
}

function sourcePath({ bucket, key }: ObjectAddress): string {
  return `${bucketPath(bucket)}/${key.split("/").map(encodeText).join("/")}`;
}

/** Deletes an object, or one version permanently. @returns the version id of a new delete marker */
export async function deleteObject(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
): Promise<string | undefined> {
  const { headers } = await connection.send({ method: "DELETE", path: objectPath(bucket, key), query: { versionId } });
  return headers.get("x-amz-delete-marker") === "true" ? (headers.get("x-amz-version-id") ?? undefined) : undefined;
}

/** A URL that anyone can read a version with for some seconds. */
export function presignRead(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  seconds: number,
  overrides: Readonly<Record<string, string | undefined>> = {},
  endpoint = connection.endpoint,
): Promise<string> {
  const query = { versionId, ...overrides };
  return connection.presign({ method: "GET", path: objectPath(bucket, key), query }, seconds, endpoint);
}

/** A Content-Disposition that saves under the last part of a key. Quotes, controls and other letters are encoded. */
export function savedAs(key: string): string {
  const last = key.split("/").findLast((part) => part !== "") ?? "object";
  // A file must not look like one of another type.
  const name = withoutHidden(last, "_");
  // oxlint-disable-next-line no-control-regex
  const ascii = name.toWellFormed().replaceAll(/[^\u0020-\u007e]|["\\%]/g, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeText(name.toWellFormed())}`;
}
