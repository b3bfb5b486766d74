// The workloads of `npm run bench`: for each the requests of one round, signed before the clock runs.
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { conditionalPuts, mixed, multipartUploads } from "./compound-workloads.ts";
import type { UnsignedRequest } from "./presign.ts";
import { ensureObject, type Operation, type Round, single, storeObjects, type Workload } from "./round.ts";

/** A new bucket for each run, so that no bucket of a peer is touched. */
export const BUCKET = `cairn-bench-${randomBytes(5).toString("hex")}`;
const KiB = 1024;
const MiB = 1024 * KiB;

const SMALL = { at: [1, 16, 64], counts: [100, 640], quickAt: 16 } as const;
/** Bodies around the length up to which a database may keep them. */
const SMALL_BODIES = { at: [16], counts: [100, 320] } as const;
const COPIED = "copied";

/** A workload of GETs of one object. */
function gets(id: string, title: string, size: number, rest: Omit<Workload, "id" | "title" | "prepare">): Workload {
  return { id, title, ...rest, prepare: async (round) => reading(round, size, { method: "GET" }) };
}

async function reading(round: Round, size: number, request: Omit<UnsignedRequest, "path">): Promise<Operation[]> {
  const path = `/${BUCKET}/${size}`;
  await ensureObject(round.target, path, size);
  const operation = single(round.target, { ...request, path });
  return Array.from({ length: round.count }, () => operation);
}

/** A workload of PUTs, each under a key of its own. */
function puts(
  id: string,
  title: string,
  size: number,
  { body, headers }: { body: Buffer; headers?: Readonly<Record<string, string>> },
  rest: Omit<Workload, "id" | "title" | "prepare">,
): Workload {
  return {
    id,
    title,
    leavesBytes: size,
    ...rest,
    prepare: async (round) =>
      each(round, (path) => ({ method: "PUT", path, body, ...(headers === undefined ? {} : { headers }) })),
  };
}

/** One request for each fresh key. */
async function each(round: Round, request: (path: string, index: number) => UnsignedRequest): Promise<Operation[]> {
  return Array.from({ length: round.count }, (_, index) => single(round.target, request(pathOf(round, index), index)));
}

/** The object of a round's operation. */
export function pathOf({ id }: Round, index: number): string {
  return `/${BUCKET}/${id}-${index}`;
}

/** A body in aws-chunked encoding whose CRC32 follows it. */
function withTrailer(body: Buffer): { body: Buffer; headers: Readonly<Record<string, string>> } {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  const parts = [
    `${body.length.toString(16)}\r\n`,
    body,
    `\r\n0\r\nx-amz-checksum-crc32:${checksum.toString("base64")}\r\n\r\n`,
  ];
  return {
    body: Buffer.concat(parts.map((part) => Buffer.from(part))),
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": String(body.length),
      "x-amz-trailer": "x-amz-checksum-crc32",
    },
  };
}

function list(keys: number, id: string, title: string, query: Readonly<Record<string, string>>): Workload {
  return {
    id: `${id}-${keys}`,
    title: `${title}, bucket of ${keys.toLocaleString("en-US")}`,
    at: [1, 16],
    counts: [20, 64],
    listedKeys: keys,
    ...(keys === 1000 ? { quickAt: 16 } : {}),
    async prepare({ target, count }) {
      const operation = single(target, { method: "GET", path: `/${listedBucket(keys)}`, query });
      return Array.from({ length: count }, () => operation);
    },
  };
}

/** The bucket that is filled with a number of keys: a thousand prefixes with as many keys each. */
export function listedBucket(keys: number): string {
  return `${BUCKET}-${keys}`;
}

/** The key at an index of a listed bucket. */
export function listedKey(index: number): string {
  return `${String(index % 1000).padStart(4, "0")}/${String(index).padStart(8, "0")}`;
}

/** @param listedKeys sizes of the listed buckets */
export function workloads(listedKeys: readonly number[]): readonly Workload[] {
  const small = Buffer.alloc(KiB, "x");
  const middle = { bytes: MiB, at: [1, 16], counts: [20, 96] } as const;
  const large = { bytes: 64 * MiB, at: [1], counts: [2, 2] } as const;
  const streamed = { bytes: 8 * MiB, at: [1], counts: [8, 8], quickAt: 1 } as const;
  return [
    gets("get-1k", "GET 1 KiB", KiB, SMALL),
    { id: "head", title: "HEAD", ...SMALL, prepare: async (round) => reading(round, KiB, { method: "HEAD" }) },
    {
      id: "range",
      title: "GET 1 KiB of 8 MiB",
      ...SMALL,
      prepare: async (round) => reading(round, 8 * MiB, { method: "GET", headers: { range: "bytes=5000000-5001023" } }),
    },
    gets("get-16k", "GET 16 KiB", 16 * KiB, SMALL_BODIES),
    gets("get-64k", "GET 64 KiB", 64 * KiB, SMALL_BODIES),
    gets("get-1m", "GET 1 MiB", MiB, middle),
    gets("get-8m", "GET 8 MiB", 8 * MiB, streamed),
    gets("get-64m", "GET 64 MiB", 64 * MiB, large),
    puts("put-1k", "PUT 1 KiB", KiB, { body: small }, SMALL),
    puts("put-1k-trailer", "PUT 1 KiB with trailer", KiB, withTrailer(small), SMALL),
    puts("put-16k", "PUT 16 KiB", 16 * KiB, { body: Buffer.alloc(16 * KiB, "x") }, SMALL_BODIES),
    puts("put-64k", "PUT 64 KiB", 64 * KiB, { body: Buffer.alloc(64 * KiB, "x") }, SMALL_BODIES),
    puts("put-1m", "PUT 1 MiB", MiB, { body: Buffer.alloc(MiB, "x") }, middle),
    puts("put-8m", "PUT 8 MiB", 8 * MiB, { body: Buffer.alloc(8 * MiB, "x") }, streamed),
    puts("put-64m", "PUT 64 MiB", 64 * MiB, { body: Buffer.alloc(64 * MiB, "x") }, large),
    multipartUploads(BUCKET),
    {
      id: "copy",
      title: "CopyObject",
      leavesBytes: KiB,
      ...SMALL,
      async prepare(round) {
        const source = `/${BUCKET}/${COPIED}`;
        await ensureObject(round.target, source, KiB);
        return each(round, (path) => ({ method: "PUT", path, headers: { "x-amz-copy-source": source } }));
      },
    },
    {
      id: "rename",
      title: "RenameObject",
      leavesBytes: KiB,
      ...SMALL,
      async prepare(round) {
        const sources = await storeObjects(round, `/${BUCKET}/from-${round.id}`);
        return each(round, (path, index) => ({
          method: "PUT",
          path,
          query: { renameObject: "" },
          headers: { "x-amz-rename-source": sources[index] ?? "" },
        }));
      },
    },
    {
      id: "delete",
      title: "DeleteObject",
      ...SMALL,
      async prepare(round) {
        const paths = await storeObjects(round, `/${BUCKET}/deleted-${round.id}`);
        return paths.map((path) => single(round.target, { method: "DELETE", path }));
      },
    },
    conditionalPuts(BUCKET),
    mixed(BUCKET),
    ...listedKeys.flatMap((keys) => [
      list(keys, "list", "ListObjectsV2, 1000 keys", { "list-type": "2" }),
      list(keys, "prefixes", "ListObjectsV2, 1000 prefixes", { "list-type": "2", delimiter: "/" }),
    ]),
  ];
}
