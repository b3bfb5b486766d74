// The peers of a run: endpoints given by URL and keys, and their buckets, which are deleted when the run is over.
import { listedBucket, listedKey, BUCKET } from "./workloads.ts";
import { setUp, single } from "./round.ts";
import { Target } from "./target.ts";

/** How many keys a peer's listed buckets are filled with at most, because each is a PUT. */
export const PEER_LISTED_KEYS = 1000;

const PEER = /^([^=,]+)=([^,]+),([^,]+),([^,]+)(?:,(\d+))?$/;

/**
 * Parses `name=url,accessKeyId,secretAccessKey[,pid]`.
 * @param text with the process id of a server on this machine, its CPU time is measured too
 */
export function parsePeer(text: string): Target {
  const [, name, url, accessKeyId, secretAccessKey, pid] = PEER.exec(text) ?? [];
  if (name === undefined || url === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error(`--peer ${text}: expected name=url,accessKeyId,secretAccessKey[,pid]`);
  }
  return new Target({
    name,
    url,
    key: { accessKeyId, secretAccessKey },
    pid: () => (pid === undefined ? undefined : Number(pid)),
    maxListedKeys: PEER_LISTED_KEYS,
  });
}

/** Creates a target's bucket. */
export async function createBucket(target: Target): Promise<void> {
  await target.send({ method: "PUT", path: `/${BUCKET}` });
}

/** Creates and fills the listed buckets of a peer. */
export async function fillPeer(target: Target, listedKeys: readonly number[]): Promise<void> {
  for (const keys of listedKeys) {
    if (keys > target.maxListedKeys) continue;
    const bucket = listedBucket(keys);
    await target.send({ method: "PUT", path: `/${bucket}` });
    const body = Buffer.from("a");
    const puts = Array.from({ length: keys }, (_, index) => {
      return single(target, { method: "PUT", path: `/${bucket}/${listedKey(index)}`, body });
    });
    await setUp(target, puts);
  }
}

/** Deletes the buckets of a peer and everything in them. */
export async function emptyPeer(target: Target, listedKeys: readonly number[]): Promise<void> {
  const listed = listedKeys.filter((keys) => keys <= target.maxListedKeys).map(listedBucket);
  for (const bucket of [BUCKET, ...listed]) {
    for (;;) {
      const query = { "list-type": "2", "max-keys": "100" };
      const page = await target.send({ method: "GET", path: `/${bucket}`, query });
      const keys = [...page.text.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key]) => key ?? "");
      if (keys.length === 0) break;
      await setUp(
        target,
        keys.map((key) => single(target, { method: "DELETE", path: `/${bucket}/${key}` })),
      );
    }
    await target.send({ method: "DELETE", path: `/${bucket}` });
  }
}
