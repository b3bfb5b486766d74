// The condition keys of an object that is stored without its headers being sent: by a rename, a restored snapshot, or
// the parts and the completion of an upload. They say what the headers of a PutObject of the same object would say.
import { headersOfAcl } from "../../protocol/acl/acl-headers.ts";
import { parseAcl } from "../../protocol/acl/acl.ts";
import type { ObjectFacts } from "../../protocol/objects/stored-object.ts";
import { requestTagKeys } from "../../protocol/core/tagging.ts";

const ENCRYPTION = "s3:x-amz-server-side-encryption";

/** The keys about encryption: a customer's key, or the blob store's own. */
export function keysOfEncryption(isCustomerKey: boolean): ReadonlyMap<string, readonly string[]> {
  return new Map([isCustomerKey ? [`${ENCRYPTION}-customer-algorithm`, ["AES256"]] : [ENCRYPTION, ["AES256"]]]);
}

/** The keys about an object: its storage class, encryption, tags and access control list. */
export function keysOfObject({
  storageClass,
  encryption,
  tags,
  acl,
  ownerId,
}: Pick<ObjectFacts, "storageClass" | "encryption" | "tags" | "acl" | "ownerId">): ReadonlyMap<
  string,
  readonly string[]
> {
  const ofAcl = Array.from(headersOfAcl(parseAcl(acl, ownerId)), ([name, values]) => [`s3:${name}`, values] as const);
  return new Map([
    ["s3:x-amz-storage-class", [storageClass]],
    ...keysOfEncryption(encryption !== undefined),
    ...requestTagKeys(tags),
    ...ofAcl,
  ]);
}

/** The keys about the object that an upload makes; none where there is no such upload. */
export function keysOfUpload(
  upload: Parameters<typeof keysOfObject>[0] | undefined,
): ReadonlyMap<string, readonly string[]> {
  return upload === undefined ? new Map() : keysOfObject(upload);
}
