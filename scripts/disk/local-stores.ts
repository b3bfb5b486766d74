// The stores that a local server can have for blobs.

/** Files on the disk, or the runtime's simulator of R2. */
export const LOCAL_STORES = ["disk", "r2"] as const;
export type LocalStore = (typeof LOCAL_STORES)[number];
