// Object ownership: whether the access control lists of a bucket and its objects are enabled.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html

/** BucketOwnerEnforced disables ACLs; the other two differ only between accounts. */
const OBJECT_OWNERSHIPS = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] as const;

export type ObjectOwnership = (typeof OBJECT_OWNERSHIPS)[number];

/** The stored form of deleted ownership controls. AWS treats such a bucket as ObjectWriter. */
export const DELETED_OWNERSHIP = "none";

/** Parses the name of an ownership; undefined for any other text. */
export function asObjectOwnership(text: string | undefined): ObjectOwnership | undefined {
  return OBJECT_OWNERSHIPS.find((ownership) => ownership === text);
}

/** The stored form of an ownership; null for the default, BucketOwnerEnforced. */
export function ownershipText(ownership: ObjectOwnership): string | null {
  return ownership === "BucketOwnerEnforced" ? null : ownership;
}

/** Parses the stored form; undefined if the controls were deleted. */
export function ownershipOf(text: string | null): ObjectOwnership | undefined {
  return text === null ? "BucketOwnerEnforced" : asObjectOwnership(text);
}

/** Whether the stored form of a bucket's ownership enables ACLs. */
export function areAclsEnabled(text: string | null): boolean {
  return ownershipOf(text) !== "BucketOwnerEnforced";
}
