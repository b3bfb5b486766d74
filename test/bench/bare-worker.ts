// The baseline of `npm run bench`: the storage calls that an S3 request cannot do without, without S3. Each
// request makes one D1 batch; a body takes one R2 call; a change takes one call of a Durable Object, which commits one batch.
import { DurableObject } from "cloudflare:workers";

// The used subset of the bindings' types: the types of the Workers runtime and of Node conflict in one program.
interface Statement {
  bind(...values: (string | number)[]): Statement;
}
interface D1 {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<{ readonly results: Row[] }[]>;
}
interface Row {
  readonly key: string;
  readonly blob_id: string;
  readonly etag: string;
  readonly size: number;
  readonly modified_at: number;
}
interface Blob {
  readonly size: number;
  readonly httpEtag: string;
  readonly body: Response["body"];
}
interface BareEnv {
  readonly DB: D1;
  readonly BLOBS: {
    put(id: string, body: Request["body"]): Promise<Blob>;
    get(id: string, options?: { range: { offset: number; length: number } }): Promise<Blob | null>;
  };
  readonly COMMITTER: { getByName(name: string): { commit(changes: readonly Change[]): Promise<void> } };
}
type Change = readonly [sql: string, ...values: (string | number)[]];

const CREATE = [
  "CREATE TABLE objects (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, modified_at INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE parts (upload_id TEXT NOT NULL, part INTEGER NOT NULL, blob_id TEXT NOT NULL, PRIMARY KEY (upload_id, part)) WITHOUT ROWID",
];
const FILL = `WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
  INSERT INTO objects SELECT ?1 || printf('%04d/%08d', i % 1000, i), 'none', '0cc175b9c0f1b6a831c399e269772661', 1, ?3 FROM n`;
const READ = "SELECT key, blob_id, etag, size, modified_at FROM objects WHERE key = ?";
const WRITE = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)";
const WRITE_NEW = "INSERT OR IGNORE INTO objects VALUES (?, ?, ?, ?, ?)";
const DELETE = "DELETE FROM objects WHERE key = ?";
const COPY = "INSERT OR REPLACE INTO objects SELECT ?, blob_id, etag, size, modified_at FROM objects WHERE key = ?";
const WRITE_PART = "INSERT INTO parts VALUES (?, ?, ?)";
const DELETE_PARTS = "DELETE FROM parts WHERE upload_id = ?";
const LIST =
  "SELECT key, etag, size, modified_at FROM objects WHERE key > ?1 AND key < ?1 || '~' ORDER BY key LIMIT 1001";
// Each step seeks the first key past the previous prefix.
const LIST_PREFIXES = `WITH RECURSIVE p(prefix, i) AS (
    SELECT substr(key, 1, length(?1) + 5), 1 FROM (SELECT key FROM objects WHERE key > ?1 ORDER BY key LIMIT 1)
    UNION ALL
    SELECT (SELECT substr(key, 1, length(?1) + 5) FROM objects WHERE key > prefix || '~' AND key < ?1 || '~' ORDER BY key LIMIT 1), i + 1
    FROM p WHERE prefix IS NOT NULL AND i < 1001)
  SELECT prefix AS key FROM p WHERE prefix IS NOT NULL`;

export class BareCommitter extends DurableObject<BareEnv> {
  async commit(changes: readonly Change[]): Promise<void> {
    await this.env.DB.batch(changes.map(([sql, ...values]) => this.env.DB.prepare(sql).bind(...values)));
  }
}

async function read(env: BareEnv, key: string): Promise<Row | undefined> {
  const [read] = await env.DB.batch([env.DB.prepare(READ).bind(key)]);
  return read?.results[0];
}

async function store(env: BareEnv, request: Request): Promise<{ id: string; blob: Blob }> {
  const id = crypto.randomUUID();
  return { id, blob: await env.BLOBS.put(id, request.body) };
}

async function get(env: BareEnv, request: Request, key: string): Promise<Response> {
  const row = await read(env, key);
  if (row === undefined) return new Response(null, { status: 404 });
  if (request.method === "HEAD") return new Response(null, { headers: { etag: row.etag } });
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
  const offset = Number(range?.[1]);
  const length = Number(range?.[2]) - offset + 1;
  const blob = await env.BLOBS.get(row.blob_id, range === null ? undefined : { range: { offset, length } });
  return blob === null ? new Response(null, { status: 404 }) : new Response(blob.body, { status: range ? 206 : 200 });
}

async function put(env: BareEnv, request: Request, key: string): Promise<Response> {
  const row = await read(env, key);
  const source = request.headers.get("x-amz-copy-source") ?? request.headers.get("x-amz-rename-source");
  const committer = env.COMMITTER.getByName("0");
  if (source !== null) {
    const isRename = request.headers.has("x-amz-rename-source");
    await committer.commit([[COPY, key, source], ...(isRename ? [[DELETE, source] as const] : [])]);
    return new Response("<CopyObjectResult/>");
  }
  const isNew = request.headers.has("if-none-match");
  if (isNew && row !== undefined) return new Response(null, { status: 412 });
  const { id, blob } = await store(env, request);
  await committer.commit([[isNew ? WRITE_NEW : WRITE, key, id, blob.httpEtag, blob.size, Date.now()]]);
  if (isNew && (await read(env, key))?.blob_id !== id) return new Response(null, { status: 409 });
  return new Response(null, { headers: { etag: blob.httpEtag } });
}

async function list(env: BareEnv, prefix: string, isDelimited: boolean): Promise<Response> {
  const [page] = await env.DB.batch([env.DB.prepare(isDelimited ? LIST_PREFIXES : LIST).bind(prefix)]);
  let body = "";
  for (const { key, etag, size, modified_at } of page?.results ?? []) {
    body += isDelimited
      ? `<CommonPrefixes><Prefix>${key}</Prefix></CommonPrefixes>`
      : `<Contents><Key>${key}</Key><LastModified>${new Date(modified_at).toISOString()}</LastModified><ETag>${etag}</ETag><Size>${size}</Size></Contents>`;
  }
  return new Response(body);
}

/** A multipart upload: rows for its parts, and one commit that completes it. */
async function multipart(env: BareEnv, request: Request, key: string, query: URLSearchParams): Promise<Response> {
  const uploadId = query.get("uploadId") ?? crypto.randomUUID();
  const [read] = await env.DB.batch([env.DB.prepare(READ).bind(key)]);
  if (request.method === "POST" && !query.has("uploadId")) {
    await env.DB.batch([env.DB.prepare(WRITE_PART).bind(uploadId, 0, "")]);
    return new Response(`<UploadId>${uploadId}</UploadId>`);
  }
  if (request.method === "PUT") {
    const { id, blob } = await store(env, request);
    await env.DB.batch([env.DB.prepare(WRITE_PART).bind(uploadId, Number(query.get("partNumber")), id)]);
    return new Response(null, { headers: { etag: blob.httpEtag } });
  }
  // Cairn stores a proof of each completion, from which metadata can be rebuilt.
  const { id, blob } = await store(env, request);
  const changes: Change[] = [
    [WRITE, key, id, blob.httpEtag, read?.results.length ?? 0, Date.now()],
    [DELETE_PARTS, uploadId],
  ];
  await env.COMMITTER.getByName("0").commit(changes);
  return new Response("<CompleteMultipartUploadResult/>");
}

export default {
  async fetch(request: Request, env: BareEnv): Promise<Response> {
    const { pathname: key, searchParams: query } = new URL(request.url);
    const isBucket = key.indexOf("/", 1) < 0;
    if (query.has("fill")) {
      await env.DB.batch([env.DB.prepare(FILL).bind(`${key}/`, Number(query.get("fill")), Date.now())]);
      return new Response();
    }
    if (query.has("create")) {
      await env.DB.batch(CREATE.map((sql) => env.DB.prepare(sql)));
      return new Response();
    }
    if (isBucket) return list(env, `${key}/`, query.has("delimiter"));
    if (query.has("uploads") || query.has("uploadId")) return multipart(env, request, key, query);
    if (request.method === "PUT") return put(env, request, key);
    if (request.method !== "DELETE") return get(env, request, key);
    await read(env, key);
    await env.COMMITTER.getByName("0").commit([[DELETE, key]]);
    return new Response(null, { status: 204 });
  },
};
