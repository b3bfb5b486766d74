// Calls of S3 on multipart uploads: start, list parts, complete.
import type { Connection } from "./connection.ts";
import { getXml } from "./buckets.ts";
import { objectPath } from "./paths.ts";
import { childrenOf, numberOf, parseXml, s3Document, tag, textOf } from "./xml.ts";

export interface UploadTarget {
  readonly bucket: string;
  readonly key: string;
}

export interface StoredPart {
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
}

/** Starts an upload. @returns its id */
export async function startUpload(
  connection: Connection,
  { bucket, key }: UploadTarget,
  contentType: string,
): Promise<string> {
  const response = await connection.send({
    method: "POST",
    path: objectPath(bucket, key),
    query: { uploads: "" },
    headers: { "content-type": contentType },
  });
  return textOf(parseXml(await response.text()), "UploadId");
}

/** All parts that the server has. @throws ServiceError NoSuchUpload */
export async function listParts(
  connection: Connection,
  { bucket, key }: UploadTarget,
  uploadId: string,
  signal?: AbortSignal,
): Promise<StoredPart[]> {
  const parts: StoredPart[] = [];
  let after: string | undefined;
  do {
    const query = { uploadId, "part-number-marker": after };
    const root: Element = await getXml(connection, objectPath(bucket, key), query, signal);
    for (const part of childrenOf(root, "Part")) {
      parts.push({ number: numberOf(part, "PartNumber"), etag: textOf(part, "ETag"), bytes: numberOf(part, "Size") });
    }
    after = textOf(root, "IsTruncated") === "true" ? textOf(root, "NextPartNumberMarker") : undefined;
  } while (after !== undefined);
  return parts;
}

/**
 * Completes an upload.
 * @throws ServiceError PreconditionFailed if the key exists and `overwrites` is false; the upload stays open then
 */
export async function completeUpload(
  connection: Connection,
  { bucket, key }: UploadTarget,
  uploadId: string,
  parts: readonly Pick<StoredPart, "number" | "etag">[],
  { overwrites, signal }: { readonly overwrites: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const body = s3Document(
    "CompleteMultipartUpload",
    parts.map(({ number, etag }) => tag("Part", [tag("PartNumber", number), tag("ETag", etag)])),
  );
  const response = await connection.send({
    method: "POST",
    path: objectPath(bucket, key),
    query: { uploadId },
    headers: { "if-none-match": overwrites ? undefined : "*" },
    body,
    signal,
  });
  // S3 may send status 200 early and end the document with an error.
  const root = parseXml(await response.text());
  if (root.localName === "Error") throw new Error(textOf(root, "Message"));
}
