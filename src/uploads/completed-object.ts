// The object that a completed upload becomes.
import { lockAtCommit } from "../protocol/objects/object-lock-configuration.ts";
import type { ObjectFacts, StoredObject } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Upload } from "../state/metadata/uploads.ts";

type Content = Pick<ObjectFacts, "size" | "etag" | "checksum" | "blobId" | "manifestId">;

/** The columns of the object: those of its upload, and its content. */
export function completedObject(upload: Upload, content: Content): ObjectFacts {
  const { contentType, systemMetadata, userMetadata, ownerId, tags, storageClass, acl, encryption } = upload;
  const { retention, legalHold } = upload;
  const metadata = { contentType, systemMetadata, userMetadata };
  return { ...metadata, ownerId, tags, storageClass, acl, encryption, retention, legalHold, ...content };
}

/** The object as it was committed: with its version, and with the lock that the commit gave it. */
export function committedObject(
  object: ObjectFacts,
  { configurations }: Bucket,
  version: Pick<StoredObject, "key" | "versionId" | "isNullVersion" | "modifiedAt">,
): StoredObject {
  return { ...object, ...lockAtCommit(object, configurations.object_lock, version.modifiedAt), ...version };
}
