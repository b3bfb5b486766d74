// The condition keys of an object that is stored without object headers in the request: by a rename, a restored
// snapshot, or the parts and completion of an upload. They equal those of a PutObject of the same object.
import { headersOfAcl } from "../../protocol/acl/acl-headers.ts";
import { parseAcl } from "../../protocol/acl/acl.ts";
import { lockKeys } from "../../protocol/objects/object-lock.ts";
import type { ObjectFacts } from "../../protocol/objects/stored-object.ts";
import { requestTagKeys } from "../../protocol/core/tagging.ts";

const ENCRYPTION = "s3:x-amz-server-side-encryption";

/** The condition keys about encryption: SSE-C, or the blob store's own. */
export function keysOfEncryption(isCustomerKey: boolean): ReadonlyMap<string, readonly string[]> {
  return new Map([isCustomerKey ? [`${ENCRYPTION}-customer-algorithm`, ["AES256"]] : [ENCRYPTION, ["AES256"]]]);
}

/** The condition keys about an object: its storage class, encryption, tags, lock and ACL. */
export function keysOfObject({
  storageClass,
  encryption,
  tags,
  acl,
  ownerId,
  retention,
  legalHold,
}: Pick<
  ObjectFacts,
  "storageClass" | "encryption" | "tags" | "acl" | "ownerId" | "retention" | "legalHold"
>): ReadonlyMap<string, readonly string[]> {
  const ofAcl = Array.from(headersOfAcl(parseAcl(acl, ownerId)), ([name, values]) => [`s3:${name}`, values] as const);
  return new Map([
    ["s3:x-amz-storage-class", [storageClass]],
    ...keysOfEncryption(encryption !== undefined),
    ...requestTagKeys(tags),
    ...lockKeys({ retention, legalHold }, Date.now()),
    ...ofAcl,
  ]);
}

/** The condition keys about the object that an upload creates; none if the upload does not exist. */
export function keysOfUpload(
  upload: Parameters<typeof keysOfObject>[0] | undefined,
): ReadonlyMap<string, readonly string[]> {
  return upload === undefined ? new Map() : keysOfObject(upload);
}
