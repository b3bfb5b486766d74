// Maps the storage class of an object to the storage class of its blobs in R2.

/** R2's storage classes. */
export type BlobStorageClass = "Standard" | "InfrequentAccess";

/** The storage class in R2 of the bytes of an object. */
export function blobStorageClass(storageClass: string): BlobStorageClass {
  return storageClass === "STANDARD" || storageClass === "REDUCED_REDUNDANCY" ? "Standard" : "InfrequentAccess";
}
