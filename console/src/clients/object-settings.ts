// Calls of S3 on an object's tags, retention and legal hold.
import type { Connection } from "./connection.ts";
import { getXml } from "./buckets.ts";
import type { ObjectAddress } from "./object.ts";
import { objectPath } from "./paths.ts";
import { childOf, childrenOf, s3Document, tag, textOf } from "./xml.ts";

export interface ObjectTag {
  readonly key: string;
  readonly value: string;
}

export async function getObjectTags(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  signal?: AbortSignal,
): Promise<ObjectTag[]> {
  const root = await getXml(connection, objectPath(bucket, key), { tagging: "", versionId }, signal);
  return childrenOf(childOf(root, "TagSet"), "Tag").map((element) => ({
    key: textOf(element, "Key"),
    value: textOf(element, "Value"),
  }));
}

export async function putObjectTags(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  tags: readonly ObjectTag[],
): Promise<void> {
  const set = tags.map((one) => tag("Tag", [tag("Key", one.key), tag("Value", one.value)]));
  await connection.send({
    method: tags.length === 0 ? "DELETE" : "PUT",
    path: objectPath(bucket, key),
    query: { tagging: "", versionId },
    body: tags.length === 0 ? undefined : s3Document("Tagging", tag("TagSet", set)),
  });
}

export interface Retention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE" | undefined;
  /** In ms. */
  readonly until: number;
  /** Also shortens or ends a retention of mode GOVERNANCE, if the caller may. */
  readonly isForced: boolean;
}

/** Sets the retention of a version; without a mode, ends it. */
export async function putRetention(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  { mode, until, isForced }: Retention,
): Promise<void> {
  const content = mode === undefined ? [] : [tag("Mode", mode), tag("RetainUntilDate", new Date(until).toISOString())];
  await connection.send({
    method: "PUT",
    path: objectPath(bucket, key),
    query: { retention: "", versionId },
    headers: { "x-amz-bypass-governance-retention": isForced ? "true" : undefined },
    body: s3Document("Retention", content),
  });
}

export async function putLegalHold(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
  isOn: boolean,
): Promise<void> {
  await connection.send({
    method: "PUT",
    path: objectPath(bucket, key),
    query: { "legal-hold": "", versionId },
    body: s3Document("LegalHold", tag("Status", isOn ? "ON" : "OFF")),
  });
}
