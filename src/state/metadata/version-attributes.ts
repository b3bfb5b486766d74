// Updates a version's tags and access control list in place. Neither changes the key's head, so no coordinator is
// needed; a version that a concurrent write moves or purges is looked up again.
import type { EventKind, EventOrigin } from "../../protocol/buckets/event-record.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import { statement, type Database } from "../d1/database.ts";
import { insertEvents, versionEvent } from "./bucket-events.ts";
import { lookUpVersion, type VersionFacts } from "./objects.ts";
import { tagsJson } from "../../protocol/core/stored-metadata.ts";

const TURNS = 3;

/** The requested version of a key. */
interface NamedVersion {
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/**
 * Replaces a version's tags.
 * @param choose picks the requested version from the facts, or throws S3Error if it does not exist
 * @returns the updated version, with its old tags
 * @throws S3Error ServiceUnavailable if the version keeps moving
 */
export function replaceVersionTags(
  database: Database,
  named: NamedVersion,
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  tags: readonly Tag[],
  origin: EventOrigin,
): Promise<StoredObject> {
  const kind = origin.operation === "DeleteObjectTagging" ? "untagged" : "tagged";
  return setAttribute(database, named, facts, choose, { column: "tags", text: tagsJson(tags), kind, origin });
}

/**
 * Replaces a version's access control list.
 * @param choose picks the requested version from the facts, or throws S3Error if it does not exist
 * @param acl in stored form; null: private
 * @returns the updated version, with its old list
 * @throws S3Error ServiceUnavailable if the version keeps moving
 */
export function setVersionAcl(
  database: Database,
  named: NamedVersion,
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  acl: string | null,
  origin: EventOrigin,
): Promise<StoredObject> {
  return setAttribute(database, named, facts, choose, { column: "acl", text: acl, kind: "acl", origin });
}

interface AttributeChange {
  readonly column: "tags" | "acl";
  readonly text: string | null;
  readonly kind: EventKind;
  readonly origin: EventOrigin;
}

async function setAttribute(
  database: Database,
  { bucketName, key, versionId }: NamedVersion,
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  { column, text, kind, origin }: AttributeChange,
): Promise<StoredObject> {
  let found = facts;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const object = choose(found);
    const update = (table: "objects" | "versions") =>
      statement(
        `UPDATE ${table} SET ${column} = ? WHERE bucket_id = ? AND key = ? AND version_id = ?`,
        text,
        found.bucket?.id ?? "",
        key,
        object.versionId,
      );
    const events =
      found.bucket === undefined ? [] : insertEvents(found.bucket, origin, [versionEvent(kind, object)], Date.now());
    const results = await database.batch([update("objects"), update("versions"), ...events]);
    if (results.slice(0, 2).some(({ changes }) => changes > 0)) return object;
    found = await database.look(lookUpVersion(bucketName, key, versionId));
  }
  throw new S3Error("ServiceUnavailable");
}
