// Changing the tags of a version. They are no part of its identity, so no head moves and no coordinator is asked; a
// version that goes or moves meanwhile is looked up again.
import { S3Error } from "../protocol/s3-error.ts";
import type { StoredObject } from "../protocol/stored-object.ts";
import type { Tag } from "../protocol/tagging.ts";
import { statement, type Database } from "./database.ts";
import { lookUpVersion, tagsJson, type VersionFacts } from "./objects.ts";

const TURNS = 3;

/**
 * Gives a version other tags.
 * @param choose the version that is meant, of what was looked up; throws where there is none
 * @returns the version that has them now
 */
export async function retag(
  database: Database,
  {
    bucketName,
    key,
    versionId,
  }: { readonly bucketName: string; readonly key: string; readonly versionId: string | undefined },
  facts: VersionFacts,
  choose: (facts: VersionFacts) => StoredObject,
  tags: readonly Tag[],
): Promise<StoredObject> {
  let found = facts;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const object = choose(found);
    const update = (table: "objects" | "versions") =>
      statement(
        `UPDATE ${table} SET tags = ? WHERE bucket_id = ? AND key = ? AND version_id = ?`,
        tagsJson(tags),
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
