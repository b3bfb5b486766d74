// Archives of many objects, which the server writes while the browser saves them: docs/archives.md.
import type { Connection, ServiceRequest } from "./connection.ts";
import { ServiceError } from "./failures.ts";
import { savedAs } from "./object.ts";
import { bucketPath } from "./paths.ts";
import { s3Document, tag } from "./xml.ts";

/** The most keys of one archive. Objects of many parts count more, so the server may allow fewer. */
export const ARCHIVE_MAX = 10_000;
/** A link is used at once; the download may take longer. */
const LINK_SECONDS = 300;

/**
 * A link to the ZIP of all objects below a prefix.
 * @throws ServiceError if the server would refuse the archive
 */
export async function folderArchive(connection: Connection, bucket: string, prefix: string): Promise<string> {
  const request: ServiceRequest = { method: "GET", path: bucketPath(bucket), query: { zip: "", prefix } };
  try {
    await connection.send({ ...request, method: "HEAD" });
  } catch (failure) {
    // Only the response to a GET contains the error.
    if (failure instanceof ServiceError) await probe(connection, request);
    throw failure;
  }
  return connection.presign(request, LINK_SECONDS);
}

/** A form whose submission downloads an archive. */
export interface ArchiveForm {
  readonly url: string;
  /** The only field of a form of type `text/plain`, whose body is `name=value`: a document with a comment around the sign. */
  readonly name: string;
  readonly value: string;
}

/**
 * A form that downloads the ZIP of some keys. The browser saves a form's response without loading it into the page.
 * @throws ServiceError if the server would refuse the archive
 */
export async function listArchive(
  connection: Connection,
  bucket: string,
  keys: readonly string[],
  fileName?: string,
): Promise<ArchiveForm> {
  const disposition = fileName === undefined ? undefined : savedAs(fileName);
  const query = { zip: "", "response-content-disposition": disposition };
  const request: ServiceRequest = { method: "POST", path: bucketPath(bucket), query };
  // A form would change the line breaks of keys.
  const list = keys.map((key) => tag("Object", tag("Key", key)));
  const body = s3Document("Archive", list).replaceAll("\n", "&#10;");
  await probe(connection, { ...request, body });
  const begin = body.indexOf(">") + 1;
  return {
    url: await connection.presign(request, LINK_SECONDS),
    name: `${body.slice(0, begin)}<!--`,
    value: `-->${body.slice(begin)}`,
  };
}

/** Whether the server refused an archive because it is too large. */
export function isTooLarge(failure: unknown): boolean {
  return failure instanceof ServiceError && failure.details.has("MaxReadsAllowed");
}

/** Sends a request and discards the response's body. @throws ServiceError with the server's message */
async function probe(connection: Connection, request: ServiceRequest): Promise<void> {
  const { body } = await connection.send(request);
  await body?.cancel();
}
