// The Workers that `npm run bench:edge` compares, served in one runtime: Cairn as S3 endpoint and as delivery host, and the
// bare Worker.
import { join } from "node:path";
import { readWranglerToml } from "../../../scripts/project/wrangler-toml.ts";
import { bundleWorker } from "../../../scripts/serve/bundle.ts";
import { MeasuringClient } from "../client.ts";
import { bareRequest, signedRequest, type PreparedRequest } from "../signer.ts";
import { COUNTS_HEADER, type Calls } from "./distance.ts";
import type { Read } from "./reader.ts";
import { serveMeasured } from "../serve-measured.ts";

const BUCKET = "bench";
const HOST = "cdn.example.org";
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/*` },
});

/** A way to read objects. */
export interface EdgeTarget {
  readonly name: string;
  /** The address of its Worker. */
  readonly url: string;
  /** Stores an object. */
  put(key: string, body: Buffer): Promise<void>;
  /** Prepares a read through this address, which is the Worker's own or a relay's. */
  read(key: string, url: string): Promise<Read>;
  /** The calls of D1 and R2 since this was last asked. */
  calls(): Promise<Calls>;
}

export interface EdgeTargets {
  readonly bare: EdgeTarget;
  readonly strict: EdgeTarget;
  /** Strict reads that pass the cache by. */
  readonly uncached: EdgeTarget;
  readonly delivery: EdgeTarget;
  stop(): Promise<void>;
}

/** Starts all of them. */
export async function serveEdgeTargets(): Promise<EdgeTargets> {
  const served = await serveMeasured({
    main: join(import.meta.dirname, "cairn-worker.ts"),
    bindings: {
      // Counts of requests are written at intervals of time, so they would come on top by chance.
      USAGE: "false",
      // The objects are as small as bodies in the database, and stand for others.
      INLINE_MAX_BYTES: "0",
      DELIVERY: `${HOST}=${BUCKET}`,
      // No entry ages within a run, so that the counts do not depend on the machine's speed.
      DELIVERY_CACHE_SECONDS: "3600",
    },
    beside: [
      {
        name: "bare",
        modules: [
          {
            type: "ESModule",
            path: "bare-worker.js",
            contents: await bundleWorker(join(import.meta.dirname, "bare-worker.ts")),
          },
        ],
        modulesRoot: "/",
        compatibilityDate: readWranglerToml().compatibilityDate,
        d1Databases: { DB: "bare" },
        r2Buckets: { BLOBS: "bare" },
        durableObjects: { COMMITTER: { className: "BareCommitter", useSQLite: true } },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
  const { url } = served;
  const bareUrl = await served.urlOf("bare");
  const client = new MeasuringClient();
  const send = async (request: PreparedRequest): Promise<void> => {
    await client.exchange(request);
  };
  const calls = async (from: string): Promise<Calls> => {
    const counts: unknown = await (await fetch(from, { headers: { [COUNTS_HEADER]: "1" } })).json();
    if (typeof counts !== "object" || counts === null) throw new Error("the Worker returned no counts");
    return { d1: Number(Reflect.get(counts, "d1")), r2: Number(Reflect.get(counts, "r2")) };
  };
  await send(bareRequest("POST", `${bareUrl}/?create`));
  await send(await signedRequest("PUT", `${url}/${BUCKET}`));
  const policy = await signedRequest("PUT", `${url}/${BUCKET}?policy`, Buffer.from(POLICY));
  // S3 answers 204 here, which is not what the client expects of a read.
  const { status } = await fetch(policy.url, { method: "PUT", headers: policy.headers, body: POLICY });
  if (status !== 204) throw new Error(`PutBucketPolicy: ${status}`);
  const cairn = {
    url,
    put: async (key: string, body: Buffer) => send(await signedRequest("PUT", `${url}/${BUCKET}/${key}`, body)),
    calls: () => calls(url),
  };
  return {
    bare: {
      name: "bare",
      url: bareUrl,
      put: async (key, body) => send(bareRequest("PUT", `${bareUrl}/${BUCKET}/${key}`, body)),
      read: async (key, through) => ({ url: `${through}/${BUCKET}/${key}`, headers: {} }),
      calls: () => calls(bareUrl),
    },
    strict: {
      ...cairn,
      name: "strict",
      read: async (key, through) => signedRequest("GET", `${through}/${BUCKET}/${key}`),
    },
    uncached: {
      ...cairn,
      name: "uncached",
      read: async (key, through) => {
        const read = await signedRequest("GET", `${through}/${BUCKET}/${key}`);
        return { url: read.url, headers: { ...read.headers, "cache-control": "no-store" } };
      },
    },
    delivery: {
      ...cairn,
      name: "delivery",
      read: async (key, through) => ({ url: `${through}/${key}`, headers: { host: HOST } }),
    },
    stop: async () => {
      client.close();
      await served.stop();
    },
  };
}
