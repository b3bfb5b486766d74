// Calls of S3 on the annotations of a version: named texts beside an object.
import { getXml } from "./buckets.ts";
import type { Connection } from "./connection.ts";
import type { ObjectAddress } from "./object.ts";
import { objectPath } from "./paths.ts";
import { childOf, childrenOf, numberOf, optionalText, textOf } from "./xml.ts";

export interface Annotation {
  readonly name: string;
  readonly bytes: number;
  /** In ms. */
  readonly modifiedAt: number;
}

/** All annotations of a version, in the order of their names. */
export async function listAnnotations(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  signal?: AbortSignal,
): Promise<Annotation[]> {
  const found: Annotation[] = [];
  let token: string | undefined;
  do {
    const query = { annotation: "", versionId, "continuation-token": token };
    const root = await getXml(connection, objectPath(bucket, key), query, signal);
    for (const entry of childrenOf(childOf(root, "Annotations"), "AnnotationEntry")) {
      found.push({
        name: textOf(entry, "AnnotationName"),
        bytes: numberOf(entry, "Size"),
        modifiedAt: Date.parse(textOf(entry, "LastModified")),
      });
    }
    token = optionalText(root, "NextContinuationToken");
  } while (token !== undefined);
  return found;
}

export async function getAnnotation(connection: Connection, address: ObjectAddress, name: string): Promise<string> {
  return (await send(connection, "GET", address, name)).text();
}

export async function putAnnotation(
  connection: Connection,
  address: ObjectAddress,
  name: string,
  text: string,
): Promise<void> {
  await send(connection, "PUT", address, name, text);
}

export async function deleteAnnotation(connection: Connection, address: ObjectAddress, name: string): Promise<void> {
  await send(connection, "DELETE", address, name);
}

function send(
  connection: Connection,
  method: string,
  { bucket, key, versionId }: ObjectAddress,
  name: string,
  body?: string,
): Promise<Response> {
  const query = { annotation: "", annotationName: name, versionId };
  return connection.send({ method, path: objectPath(bucket, key), query, body });
}
