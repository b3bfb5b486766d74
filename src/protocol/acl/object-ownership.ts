// Object ownership: whether a bucket's access control lists, and those of the objects in it, count at all.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html

/** What ownership controls can say. With the first, lists are off; the others differ between accounts only. */
const OBJECT_OWNERSHIPS = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] as const;

export type ObjectOwnership = (typeof OBJECT_OWNERSHIPS)[number];

/** How it is kept that a bucket's ownership controls were deleted. AWS treats such a bucket as ObjectWriter. */
export const DELETED_OWNERSHIP = "none";

/** The ownership that a text names, if it names one. */
export function asObjectOwnership(text: string | undefined): ObjectOwnership | undefined {
  return OBJECT_OWNERSHIPS.find((ownership) => ownership === text);
}

/** An ownership as it is kept; null for what holds where nothing is kept. */
export function ownershipText(ownership: ObjectOwnership): string | null {
  return ownership === "BucketOwnerEnforced" ? null : ownership;
}

/** What a bucket's controls say, of how they are kept; undefined where they were deleted. */
export function ownershipOf(text: string | null): ObjectOwnership | undefined {
  return text === null ? "BucketOwnerEnforced" : asObjectOwnership(text);
}

/** Whether access control lists count in a bucket, of how its ownership is kept. */
export function areAclsOn(text: string | null): boolean {
  return ownershipOf(text) !== "BucketOwnerEnforced";
}
