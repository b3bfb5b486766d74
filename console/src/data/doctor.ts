// Checks from the browser whether a proxy or a zone's rules break S3. The checks write below one prefix and delete it
// afterwards. `npm run doctor` also checks headers that a browser cannot send, such as Accept-Encoding or Expect.
import type { Connection } from "../clients/connection.ts";
import { ServiceError } from "../clients/failures.ts";
import { listObjects } from "../clients/objects.ts";
import { objectPath } from "../clients/paths.ts";
import { deleteMany } from "../clients/versions.ts";

export const CHECKS = ["paths", "plus", "etag", "compression", "head", "range", "conditions", "cache", "size"] as const;
export type Check = (typeof CHECKS)[number];

export interface Finding {
  readonly check: Check;
  readonly isGood: boolean;
  /** The unexpected response, or the failure. */
  readonly detail: string;
}

const TEXT = "compressible ".repeat(400);
const LARGE_BYTES = 8 * 1024 * 1024;

/** Runs the checks in order and calls `onFinding` after each. Always deletes what it stored. */
export async function runDoctor(
  connection: Connection,
  bucket: string,
  onFinding: (finding: Finding) => void,
): Promise<void> {
  const prefix = `cairn-doctor-${crypto.randomUUID()}/`;
  const place: Place = { connection, bucket, prefix };
  try {
    for (const check of CHECKS) {
      const detail = await TRIES[check](place).catch(reasonOf);
      onFinding({ check, isGood: detail === "", detail });
    }
  } finally {
    const { objects } = await listObjects(connection, bucket, { prefix });
    await deleteMany(connection, bucket, objects);
  }
}

interface Place {
  readonly connection: Connection;
  readonly bucket: string;
  readonly prefix: string;
}

/** Each returns an empty text, or the problem. */
const TRIES: Readonly<Record<Check, (place: Place) => Promise<string>>> = {
  paths: (place) => keepsKey(place, "a//b"),
  plus: (place) => keepsKey(place, "a+b %2F&=é"),
  async etag(place) {
    const etag = (await put(place, "etag", TEXT)).headers.get("etag") ?? "";
    const read = (await get(place, "etag")).headers.get("etag") ?? "";
    return etag !== "" && etag === read ? "" : `${etag} → ${read}`;
  },
  async compression(place) {
    await put(place, "text", TEXT, { "content-type": "text/html" });
    const { headers } = await get(place, "text");
    const [encoding, length] = [headers.get("content-encoding"), headers.get("content-length")];
    if (encoding !== null) return `Content-Encoding: ${encoding}`;
    return length === String(TEXT.length) ? "" : `Content-Length: ${length ?? "–"}`;
  },
  async head(place) {
    await put(place, "head", TEXT);
    const length = (await get(place, "head", {}, "HEAD")).headers.get("content-length");
    return length === String(TEXT.length) ? "" : `Content-Length: ${length ?? "–"}`;
  },
  async range(place) {
    await put(place, "range", "0123456789");
    const response = await get(place, "range", { range: "bytes=2-4" });
    const text = await response.text();
    return response.status === 206 && text === "234" ? "" : `${response.status} ${text.slice(0, 20)}`;
  },
  async conditions(place) {
    await put(place, "once", "1");
    try {
      await put(place, "once", "2", { "if-none-match": "*" });
      return "200";
    } catch (failure) {
      return failure instanceof ServiceError && failure.status === 412 ? "" : reasonOf(failure);
    }
  },
  async cache(place) {
    for (const body of ["first", "second", "third"]) {
      await put(place, "cache", body);
      const read = await (await get(place, "cache")).text();
      if (read !== body) return `${body} → ${read.slice(0, 20)}`;
    }
    return "";
  },
  async size(place) {
    await put(place, "large", new Blob([new Uint8Array(LARGE_BYTES)]));
    return "";
  },
};

/** Stores a key, and looks for exactly that key in the list. */
async function keepsKey(place: Place, key: string): Promise<string> {
  const { connection, bucket, prefix } = place;
  await put(place, key, "1");
  const { objects } = await listObjects(connection, bucket, { prefix: prefix + key });
  if (objects.some((object) => object.key === prefix + key)) return "";
  const found = await listObjects(connection, bucket, { prefix });
  return found.objects.map((object) => object.key.slice(prefix.length)).join(", ");
}

function put(
  { connection, bucket, prefix }: Place,
  key: string,
  body: string | Blob,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return connection.send({ method: "PUT", path: objectPath(bucket, prefix + key), body, headers });
}

function get(
  { connection, bucket, prefix }: Place,
  key: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Response> {
  return connection.send({ method, path: objectPath(bucket, prefix + key), headers });
}

function reasonOf(failure: unknown): string {
  if (failure instanceof ServiceError) return `${failure.status} ${failure.code}`;
  return failure instanceof Error ? failure.message : String(failure);
}
