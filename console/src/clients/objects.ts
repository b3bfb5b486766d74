// Calls of S3 on the current objects of a bucket: list by prefix, create a folder.
import type { Connection } from "./connection.ts";
import { getXml } from "./buckets.ts";
import { bucketPath, decodeKey, objectPath } from "./paths.ts";
import { childrenOf, numberOf, optionalText, textOf } from "./xml.ts";

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  /** In ms. */
  readonly modifiedAt: number;
  readonly etag: string;
  readonly storageClass: string;
}

export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

export interface ObjectQuery {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A page of at most 1000 objects and common prefixes, in the order of their keys. */
export async function listObjects(
  connection: Connection,
  bucket: string,
  { prefix, delimiter, token, signal }: ObjectQuery = {},
): Promise<ObjectPage> {
  const query = { "list-type": 2, "encoding-type": "url", prefix, delimiter, "continuation-token": token };
  const root = await getXml(connection, bucketPath(bucket), query, signal);
  return {
    objects: childrenOf(root, "Contents").map(listedObject),
    prefixes: childrenOf(root, "CommonPrefixes").map((common) => decodeKey(textOf(common, "Prefix"))),
    nextToken: optionalText(root, "NextContinuationToken"),
  };
}

/** An object of a listing that was asked for with `encoding-type=url`. */
export function listedObject(element: Element): ListedObject {
  return {
    key: decodeKey(textOf(element, "Key")),
    bytes: numberOf(element, "Size"),
    modifiedAt: Date.parse(textOf(element, "LastModified")),
    etag: textOf(element, "ETag"),
    storageClass: textOf(element, "StorageClass"),
  };
}

/** All keys below prefixes, as they are listed now. */
export async function* keysBelow(
  connection: Connection,
  bucket: string,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly ListedObject[]> {
  let token: string | undefined;
  do {
    const page: ObjectPage = await listObjects(connection, bucket, { prefix, token, signal });
    yield page.objects;
    token = page.nextToken;
  } while (token !== undefined);
}

/**
 * Creates an empty object whose key ends in a slash, which other clients show as a folder, too.
 * @throws ServiceError PreconditionFailed if it exists
 */
export async function createFolder(connection: Connection, bucket: string, key: string): Promise<void> {
  await connection.send({
    method: "PUT",
    path: objectPath(bucket, key),
    headers: { "if-none-match": "*", "content-type": "application/x-directory" },
    body: "",
  });
}
