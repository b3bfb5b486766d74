// Calls of S3 on versions and open uploads: list, and delete many.
import type { Connection } from "./connection.ts";
import { ServiceError, UnreachableKey } from "./failures.ts";
import { getXml } from "./buckets.ts";
import { bucketPath, decodeKey, objectPath } from "./paths.ts";
import { childrenOf, isXmlText, numberOf, optionalText, parseXml, s3Document, tag, textOf } from "./xml.ts";

export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  /** In ms. */
  readonly modifiedAt: number;
  readonly bytes: number;
  readonly etag: string;
  readonly storageClass: string;
}

export interface VersionPage {
  readonly versions: readonly ListedVersion[];
  readonly prefixes: readonly string[];
  /** Undefined on the last page. */
  readonly next: { readonly keyMarker: string; readonly versionIdMarker: string } | undefined;
}

export interface VersionQuery {
  readonly prefix?: string;
  readonly delimiter?: string;
  readonly limit?: number;
  readonly after?: VersionPage["next"];
  readonly signal?: AbortSignal;
}

/** A page of a bucket's versions and delete markers, in the order of their keys, newest first. */
export async function listVersions(
  connection: Connection,
  bucket: string,
  { prefix, delimiter, limit, after, signal }: VersionQuery = {},
): Promise<VersionPage> {
  const query = {
    versions: "",
    "encoding-type": "url",
    prefix,
    delimiter,
    "max-keys": limit,
    "key-marker": after?.keyMarker,
    "version-id-marker": after?.versionIdMarker,
  };
  const root = await getXml(connection, bucketPath(bucket), query, signal);
  const isTruncated = textOf(root, "IsTruncated") === "true";
  return {
    versions: Array.from(root.children)
      .filter(({ localName }) => localName === "Version" || localName === "DeleteMarker")
      .map(versionOf),
    prefixes: childrenOf(root, "CommonPrefixes").map((common) => decodeKey(textOf(common, "Prefix"))),
    next: isTruncated
      ? {
          keyMarker: decodeKey(textOf(root, "NextKeyMarker")),
          versionIdMarker: textOf(root, "NextVersionIdMarker"),
        }
      : undefined,
  };
}

function versionOf(element: Element): ListedVersion {
  return {
    key: decodeKey(textOf(element, "Key")),
    versionId: textOf(element, "VersionId"),
    isLatest: textOf(element, "IsLatest") === "true",
    isDeleteMarker: element.localName === "DeleteMarker",
    modifiedAt: Date.parse(textOf(element, "LastModified")),
    bytes: numberOf(element, "Size"),
    etag: textOf(element, "ETag"),
    storageClass: textOf(element, "StorageClass"),
  };
}

export interface Deletion {
  readonly key: string;
  /** Without it, a versioned bucket gets a delete marker. */
  readonly versionId?: string | undefined;
  /** Deletes only an object with this ETag. */
  readonly ifMatch?: string | undefined;
}

export interface DeletionOutcome {
  readonly key: string;
  readonly versionId: string | undefined;
  /** The version id of the new delete marker. */
  readonly markerVersionId: string | undefined;
  /** Undefined after a success. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
}

/** The most keys of one DeleteObjects. */
const DELETIONS_MAX = 1000;

/** Deletes keys or versions, however many. One that fails does not stop the others. */
export async function deleteMany(
  connection: Connection,
  bucket: string,
  deletions: readonly Deletion[],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<DeletionOutcome[]> {
  const outcomes: DeletionOutcome[] = [];
  // A document cannot contain some control characters, but an address can.
  const inDocuments = deletions.filter(({ key }) => isXmlText(key));
  for (let from = 0; from < inDocuments.length; from += DELETIONS_MAX) {
    const some = inDocuments.slice(from, from + DELETIONS_MAX);
    outcomes.push(...(await deleteInDocument(connection, bucket, some, signal)));
  }
  for (const deletion of deletions.filter(({ key }) => !isXmlText(key))) {
    const { key, versionId } = deletion;
    try {
      outcomes.push(await deleteOne(connection, bucket, deletion, signal));
    } catch (error) {
      const failure = refusalOf(error);
      if (failure === undefined) throw error;
      outcomes.push({ key, versionId, markerVersionId: undefined, failure });
    }
  }
  return outcomes;
}

/** The error of one key; undefined for a failure that stops all of them. */
function refusalOf(error: unknown): DeletionOutcome["failure"] {
  if (error instanceof UnreachableKey) return { code: error.name, message: error.message };
  if (error instanceof ServiceError && error.status < 500) return { code: error.code, message: error.message };
  return undefined;
}

async function deleteInDocument(
  connection: Connection,
  bucket: string,
  deletions: readonly Deletion[],
  signal: AbortSignal | undefined,
): Promise<DeletionOutcome[]> {
  const body = s3Document(
    "Delete",
    deletions.map(({ key, versionId, ifMatch }) =>
      tag("Object", [
        tag("Key", key),
        versionId === undefined ? undefined : tag("VersionId", versionId),
        ifMatch === undefined ? undefined : tag("ETag", ifMatch),
      ]),
    ),
  );
  const query = { delete: "" };
  const response = await connection.send({ method: "POST", path: bucketPath(bucket), query, body, signal });
  const root = parseXml(await response.text());
  return Array.from(root.children, (element) => ({
    key: textOf(element, "Key"),
    versionId: optionalText(element, "VersionId"),
    markerVersionId: optionalText(element, "DeleteMarkerVersionId"),
    failure:
      element.localName === "Error"
        ? { code: textOf(element, "Code"), message: textOf(element, "Message") }
        : undefined,
  }));
}

async function deleteOne(
  connection: Connection,
  bucket: string,
  { key, versionId, ifMatch }: Deletion,
  signal: AbortSignal | undefined,
): Promise<DeletionOutcome> {
  const response = await connection.send({
    method: "DELETE",
    path: objectPath(bucket, key),
    query: { versionId },
    headers: { "if-match": ifMatch },
    signal,
  });
  const isMarker = response.headers.get("x-amz-delete-marker") === "true";
  const markerVersionId = isMarker ? (response.headers.get("x-amz-version-id") ?? undefined) : undefined;
  return { key, versionId, markerVersionId, failure: undefined };
}

export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  /** In ms. */
  readonly startedAt: number;
  readonly storageClass: string;
}

export interface UploadPage {
  readonly uploads: readonly OpenUpload[];
  readonly next: { readonly keyMarker: string; readonly uploadIdMarker: string } | undefined;
}

/** A page of the multipart uploads that were neither completed nor aborted. */
export async function listUploads(
  connection: Connection,
  bucket: string,
  { prefix, after, signal }: { prefix?: string; after?: UploadPage["next"]; signal?: AbortSignal } = {},
): Promise<UploadPage> {
  const query = {
    uploads: "",
    "encoding-type": "url",
    prefix,
    "key-marker": after?.keyMarker,
    "upload-id-marker": after?.uploadIdMarker,
  };
  const root = await getXml(connection, bucketPath(bucket), query, signal);
  const isTruncated = textOf(root, "IsTruncated") === "true";
  return {
    uploads: childrenOf(root, "Upload").map((upload) => ({
      key: decodeKey(textOf(upload, "Key")),
      uploadId: textOf(upload, "UploadId"),
      startedAt: Date.parse(textOf(upload, "Initiated")),
      storageClass: textOf(upload, "StorageClass"),
    })),
    next: isTruncated
      ? {
          keyMarker: decodeKey(textOf(root, "NextKeyMarker")),
          uploadIdMarker: textOf(root, "NextUploadIdMarker"),
        }
      : undefined,
  };
}

export async function abortUpload(
  connection: Connection,
  bucket: string,
  { key, uploadId }: Pick<OpenUpload, "key" | "uploadId">,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  await connection.send({ method: "DELETE", path: objectPath(bucket, key), query: { uploadId }, signal });
}
