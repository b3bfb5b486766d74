// Changing what a version has besides its bytes and metadata: its tags, its access control list. They are no part of its
// identity, so no head moves and no coordinator is asked; a version that goes or moves meanwhile is looked up again.
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import { statement, type Database } from "../d1/database.ts";
import { lookUpVersion, type VersionFacts } from "./objects.ts";
import { tagsJson } from "../../protocol/core/stored-metadata.ts";

const TURNS = 3;

/** Which version of which key is meant. */
interface NamedVersion {
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/**
 * Gives a version other tags.
 * @param choose the version that is meant, of what was looked up; throws where there is none
 * @returns the version that has them now
 */
export function retag(
  database: Database,
  named: NamedVersion,
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  tags: readonly Tag[],
): Promise<StoredObject> {
  return setAttribute(database, named, facts, choose, "tags", tagsJson(tags));
}

/**
 * Gives a version another access control list.
 * @param choose the version that is meant, of what was looked up; throws where there is none
 * @param acl as it is kept; null: private
 * @returns the version that has it now
 */
export function setVersionAcl(
  database: Database,
  named: NamedVersion,
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  acl: string | null,
): Promise<StoredObject> {
  return setAttribute(database, named, facts, choose, "acl", acl);
}

async function setAttribute(
  database: Database,
  { bucketName, key, versionId }: NamedVersion,
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  column: "tags" | "acl",
  text: string | null,
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
    const results = await database.batch([update("objects"), update("versions")]);
    if (results.some(({ changes }) => changes > 0)) return object;
    found = await database.look(lookUpVersion(bucketName, key, versionId));
  }
  throw new S3Error("ServiceUnavailable");
}
