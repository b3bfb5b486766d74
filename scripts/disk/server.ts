// The disk store's HTTP service on a Unix socket, in a thread of its own. Only a local Worker calls it, through a service
// binding.
import { mkdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { json } from "node:stream/consumers";
import { parentPort, workerData } from "node:worker_threads";
import {
  BlobFiles,
  DamagedError,
  FullError,
  piecesOf,
  reportFull,
  type CopyProperties,
  type Range,
} from "./blob-files.ts";
import { HashMismatchError, LengthError } from "./blob-writer.ts";
import { DurableFiles, ExistsError } from "./durable-files.ts";
import { hasCode, InvalidIdError, layoutOf, reservedNames, reservedPath, RESERVED_PREFIX } from "./layout.ts";

/** What the thread gets. */
export interface ServerOptions {
  readonly state: string;
  readonly socket: string;
  readonly fsync: boolean;
}

/** Recovery metadata comes in a header. */
const HEADERS_MAX_BYTES = 256 * 1024;
const PARALLEL_DELETES = 16;
/** Deletes in one call. */
const RESERVED_DELETES = 1000;

// `startDiskServer` gives these.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const { state, socket, fsync } = workerData as ServerOptions;
const layout = layoutOf(state);
const durable = new DurableFiles(layout, fsync);
const blobs = new BlobFiles(layout, durable);

type Handler = (request: IncomingMessage, id: string, response: ServerResponse) => Promise<void>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  async "PUT /blob"(request, blobId, response) {
    const properties = header(request, "cairn-properties");
    // The Worker sends this JSON.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { hash, ...rest } = JSON.parse(Buffer.from(properties, "base64").toString()) as PutProperties;
    const length = Number(request.headers["content-length"]);
    const md5 = await blobs.create(blobId, { ...rest, hash, length, source: piecesOfBody(request) });
    send(response, 201, { md5 });
  },

  async "GET /blob"(request, blobId, response) {
    const found = await blobs.open(blobId);
    if (found === undefined) return send(response, 404, {});
    try {
      const range = rangeOf(request, found.size);
      if (!(range.length > 0 || found.size === 0) || range.offset + range.length > found.size)
        return send(response, 416, {});
      response.writeHead(200, { "content-length": range.length, "cairn-md5": found.properties.md5 });
      await pipeline(Readable.from(piecesOf(found.file, range.offset, range.length)), response);
    } finally {
      await found.file.close();
    }
  },

  async "POST /head"(_, blobId, response) {
    const found = await blobs.head(blobId);
    send(response, found === undefined ? 404 : 200, found ?? {});
  },

  async "POST /list"(request, after, response) {
    const { limit } = await bodyOf<{ readonly limit: number }>(request);
    send(response, 200, await blobs.list(after === "" ? undefined : after, limit));
  },

  async "POST /copy"(request, blobId, response) {
    const { sourceId, range, ...properties } = await bodyOf<CopyRequest>(request);
    const exists = await blobs.copy(sourceId, range, blobId, properties).catch((error: unknown) => {
      if (error instanceof ExistsError) return true;
      throw error;
    });
    send(response, exists ? 200 : 404, {});
  },

  async "POST /delete"(request, _, response) {
    const ids = await bodyOf<readonly string[]>(request);
    await deleteAll(ids);
    send(response, 200, {});
  },

  async "GET /reserved"(_, name, response) {
    try {
      response.end(await readFile(reservedPath(layout, name)));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      send(response, 404, {});
    }
  },

  async "PUT /reserved"(request, name, response) {
    const bytes = Buffer.concat(await request.toArray());
    await blobs.reserve(bytes.length);
    await reportFull(durable.replace(reservedPath(layout, name), bytes));
    send(response, 201, {});
  },

  async "POST /folders"(_, prefix, response) {
    const names = await reservedNames(layout, prefix);
    const below = names.map((name) => name.slice(prefix.length)).filter((name) => name.includes("/"));
    send(response, 200, [...new Set(below.map((name) => name.slice(0, name.indexOf("/"))))]);
  },

  async "POST /list-reserved"(request, prefix, response) {
    const { after, limit } = await bodyOf<{ readonly after: string; readonly limit: number }>(request);
    const names = await reservedNames(layout, prefix);
    send(response, 200, names.filter((name) => name > after).slice(0, limit));
  },

  async "POST /delete-reserved"(_, prefix, response) {
    const names = (await reservedNames(layout, prefix)).slice(0, RESERVED_DELETES);
    await deleteAll(names);
    send(response, 200, { count: names.length });
  },
};

interface PutProperties extends CopyProperties {
  readonly hash?: { readonly algorithm: "sha1" | "sha256"; readonly digest: string };
}

interface CopyRequest extends CopyProperties {
  readonly sourceId: string;
  readonly range?: Range;
}

async function deleteAll(ids: readonly string[]): Promise<void> {
  const waiting = ids.values();
  await Promise.all(
    Array.from({ length: PARALLEL_DELETES }, async () => {
      for (const id of waiting) {
        if (id.startsWith(RESERVED_PREFIX)) await rm(reservedPath(layout, id), { force: true });
        else await blobs.delete(id);
      }
    }),
  );
}

/** The status and the document for an error. */
function answerTo(error: unknown): readonly [number, object] {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof FullError) return [507, { message }];
  if (error instanceof HashMismatchError) return [422, { computed: error.computed }];
  if (error instanceof ExistsError) return [409, { message }];
  if (error instanceof InvalidIdError || error instanceof LengthError) return [400, { message }];
  return [error instanceof DamagedError ? 410 : 500, { message }];
}

function send(response: ServerResponse, status: number, document: object): void {
  const bytes = Buffer.from(JSON.stringify(document));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length }).end(bytes);
}

function header(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? "");
}

/** The requested range; the whole blob by default. */
function rangeOf({ headers: { range } }: IncomingMessage, size: number): Range {
  if (range === undefined) return { offset: 0, length: size };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  return { offset: Number(first), length: Number(last) - Number(first) + 1 };
}

async function bodyOf<T>(request: IncomingMessage): Promise<T> {
  // The Worker sends JSON of this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (await json(request)) as T;
}

const server = createServer({ maxHeaderSize: HEADERS_MAX_BYTES, noDelay: true }, (request, response) => {
  void handle(request, response);
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://disk");
    const handler = HANDLERS[`${request.method} ${pathname}`];
    if (handler === undefined) send(response, 404, {});
    else await handler(request, searchParams.get("id") ?? "", response);
  } catch (error) {
    // A client that still sends its body may not read an early response, so the rest of the body is read first.
    const isRead = await finished(request.resume()).then(
      () => true,
      () => false,
    );
    // The peer reads no response if it broke off its request, or if the response has begun.
    if (response.headersSent || !isRead) response.destroy();
    else send(response, ...answerTo(error));
  }
}

/** The pieces of a body. Unlike the request itself, they can be left unread without closing the connection. */
function piecesOfBody(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}

// Uploads may take any time.
server.requestTimeout = 0;
server.keepAliveTimeout = 0;
await mkdir(layout.blobs, { recursive: true, mode: 0o700 });
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
server.listen(socket, () => parentPort?.postMessage("listening"));
