// Closes Miniflare's own port to other processes. That port would route requests by header to any Worker, accept any
// URL and `cf`, and serve the blobs of the simulated R2. Requests of this process contain a secret that Miniflare
// checks; the guard refuses all others.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const ENTRY = join("workers", "core", "entry.worker.js");
const EXPORT = "entry_worker_default as default";

/** The path of requests from Miniflare's proxy, which contain its secret. */
const PROXY_PATH = "/cdn-cgi/local/platform-proxy";
const PROXY_SECRET = "MF-Op-Secret";

const GUARD = `
const guarded_entry = {
  async fetch(request, env, context) {
    const isOwn = new URL(request.url).pathname === "${PROXY_PATH}" && request.headers.has("${PROXY_SECRET}");
    if (isOwn) return entry_worker_default.fetch(request, env, context);
    return new Response("nothing is served here\\n", { status: 403 });
  },
};
`;

let isClosed = false;

/**
 * Adds the guard to the entry Worker that Miniflare reads from disk and then caches. Call it before creating the first
 * Miniflare of the process. A Miniflare with another form of entry does not start.
 */
export function closeMiniflaresEntry(): void {
  if (isClosed) return;
  isClosed = true;
  const read = fs.readFileSync.bind(fs);
  const guardedRead = (...parameters: Parameters<typeof fs.readFileSync>): string | Buffer => {
    const contents = read(...parameters);
    if (!String(parameters[0]).endsWith(ENTRY)) return contents;
    fs.readFileSync = read;
    syncBuiltinESMExports();
    return guarded(String(contents));
  };
  // The replacement serves all overloads.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  fs.readFileSync = guardedRead as typeof fs.readFileSync;
}

function guarded(entry: string): string {
  if (!entry.includes(EXPORT) || !entry.includes(PROXY_PATH) || !entry.includes(PROXY_SECRET)) {
    throw new Error("this version of Miniflare has an entry that cannot be closed to others");
  }
  return entry.replace(EXPORT, "guarded_entry as default") + GUARD;
}
