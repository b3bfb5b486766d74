// One bucket to which the counted requests are sent, as S3 and through a delivery host.
import { Caller, type RequestDetails } from "../tenancy/caller.ts";

/** What S3's own pricing calls an operation; `delivered` and `fetched` are what a CDN before it has and has not cached. */
export type PriceClass = "write" | "read" | "delivered" | "fetched" | "free" | "none";

export interface CountedOperation {
  readonly id: string;
  readonly title: string;
  /** The class of the operation at R2's S3 API and at AWS; `none` where it is not offered. */
  readonly r2: PriceClass;
  readonly s3: PriceClass;
  /** Bytes of the request's body, which are hashed. */
  readonly bytes?: number;
  /** How often the operation is done in one call; its counts are those of one. Undefined: once. */
  readonly times?: number;
  /** Settings of the Cairn that it is sent to, for what differs from the others. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes what the operation needs and returns the operation, whose calls alone are counted. */
  readonly prepare: (site: Site) => Promise<() => Promise<void>>;
}

export const KIB = new Uint8Array(1024);
export const PART = new Uint8Array(5 * 1024 ** 2);
export const BUCKET = "costs";
/** The delivery host of the bucket; the S3 endpoint's host is an address. */
export const DELIVERY_HOST = "localhost";
const PRESIGNED_SECONDS = 3600;

interface Answer {
  readonly text: string;
  readonly etag: string;
  /** Whether the edge cache had the bytes: `HIT`, `MISS` or `BYPASS`. */
  readonly cache: string;
}

/** Requests to the bucket; a refusal is an error. */
export class Site {
  readonly #caller: Caller;
  readonly #delivery: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
    const { port } = new URL(caller.place.endpoint);
    this.#delivery = new Caller({ ...caller.place, endpoint: `http://${DELIVERY_HOST}:${port}` }, caller.keys);
  }

  async send(method: string, target: string, details: RequestDetails = {}): Promise<Answer> {
    return answerOf(`${method} ${target}`, await this.#caller.s3(method, `/${BUCKET}${target}`, details));
  }

  async put(key: string): Promise<void> {
    await this.send("PUT", `/${key}`, { body: KIB });
  }

  /** Starts an upload and sends its parts. Returns the request that completes it. */
  async upload(key: string, parts: number): Promise<() => Promise<void>> {
    const { text } = await this.send("POST", `/${key}?uploads`);
    const upload = `/${key}?uploadId=${/<UploadId>(.*?)</.exec(text)?.[1] ?? ""}`;
    const entries: string[] = [];
    for (let part = 1; part <= parts; part++) {
      const { etag } = await this.send("PUT", `${upload}&partNumber=${part}`, { body: PART });
      entries.push(`<Part><PartNumber>${part}</PartNumber><ETag>${etag}</ETag></Part>`);
    }
    const body = `<CompleteMultipartUpload>${entries.join("")}</CompleteMultipartUpload>`;
    return async () => void (await this.send("POST", upload, { body }));
  }

  /** Packs all bodies that the database has. */
  async pack(): Promise<void> {
    await answerOf("packing", await fetch(`${this.#caller.place.endpoint}/-/pack`));
  }

  /** Reads a path of the delivery host without credentials. */
  async visit(path: string): Promise<Answer> {
    return answerOf(`visit ${path}`, await fetch(this.#delivery.place.endpoint + path));
  }

  /** Presigns a path of the delivery host. Returns the request. */
  async presign(path: string): Promise<() => Promise<Answer>> {
    const url = await this.#delivery.presign("GET", path, PRESIGNED_SECONDS);
    return async () => answerOf(`presigned ${path}`, await fetch(url));
  }
}

async function answerOf(request: string, response: Response): Promise<Answer> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${request}: ${response.status} ${text}`);
  const { headers } = response;
  return { text, etag: headers.get("etag") ?? "", cache: headers.get("x-cache") ?? "" };
}
