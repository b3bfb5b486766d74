// Which page of this browser works on a multipart upload: two tabs must not send into one, nor offer to end what the other
// sends. A lock of the browser ends with its page.
const PREFIX = "cairn.upload.";

/** Called to release what this page holds. */
const held = new Map<string, () => void>();

/** Claims an upload for this page. @returns whether no other page has it */
export function claimUpload(uploadId: string): Promise<boolean> {
  if (held.has(uploadId)) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(PREFIX + uploadId, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (lock === null) return undefined;
        return new Promise<void>((release) => held.set(uploadId, release));
      })
      .catch(reject);
  });
}

export function releaseUpload(uploadId: string): void {
  held.get(uploadId)?.();
  held.delete(uploadId);
}

/** The uploads that a page of this browser works on, this one or another. */
export async function claimedUploads(): Promise<ReadonlySet<string>> {
  const { held: locks = [] } = await navigator.locks.query();
  const names = locks.map(({ name = "" }) => name).filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}
