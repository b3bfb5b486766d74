// The baseline of `npm run bench`: the storage calls that an S3 request needs, without S3. GET reads one row and one
// blob; PUT reads one row, stores one blob and calls one Durable Object, which commits one batch.
import { DurableObject } from "cloudflare:workers";

// The used subset of the bindings' types: the types of the Workers runtime and of Node conflict in one program.
interface Statement {
  bind(...values: string[]): Statement;
  first(): Promise<{ readonly blob_id: string } | null>;
  run(): Promise<unknown>;
}
interface BareEnv {
  readonly DB: { prepare(sql: string): Statement; batch(statements: Statement[]): Promise<unknown> };
  readonly BLOBS: {
    put(id: string, body: Request["body"]): Promise<unknown>;
    get(id: string): Promise<{ readonly body: Response["body"] } | null>;
  };
  readonly COMMITTER: { getByName(name: string): { commit(key: string, blobId: string): Promise<void> } };
}

const CREATE = "CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL) WITHOUT ROWID";
const READ = "SELECT blob_id FROM objects WHERE key = ?";
const WRITE = "INSERT INTO objects (key, blob_id) VALUES (?, ?)";

export class BareCommitter extends DurableObject<BareEnv> {
  async commit(key: string, blobId: string): Promise<void> {
    await this.env.DB.batch([this.env.DB.prepare(WRITE).bind(key, blobId)]);
  }
}

export default {
  async fetch(request: Request, { DB, BLOBS, COMMITTER }: BareEnv): Promise<Response> {
    const key = request.url;
    // Called once, before the measurements.
    if (request.method === "POST") {
      await DB.prepare(CREATE).run();
      return new Response();
    }
    const row = await DB.prepare(READ).bind(key).first();
    if (request.method === "PUT") {
      const blobId = crypto.randomUUID();
      await BLOBS.put(blobId, request.body);
      await COMMITTER.getByName("0").commit(key, blobId);
      return new Response();
    }
    const blob = row === null ? null : await BLOBS.get(row.blob_id);
    return blob === null ? new Response(null, { status: 404 }) : new Response(blob.body);
  },
};
