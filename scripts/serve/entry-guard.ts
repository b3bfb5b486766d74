// Closes Miniflare's own port to all but this process. It would route a request by headers to any Worker of the runtime,
// give it any URL and `cf`, and hand out the blobs of the simulated R2 to whoever asks. What this process sends there
// carries a secret, which Miniflare checks itself; everything else is refused before it is looked at.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const ENTRY = join("workers", "core", "entry.worker.js");
const EXPORT = "entry_worker_default as default";

/** Of requests that Miniflare's proxy sends, with its secret. */
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
 * Has Miniflare read its entry Worker with the guard around it. To be called before the first Miniflare of the process,
 * which keeps what it has read. A Miniflare whose entry has another form cannot be guarded, and does not start.
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
  // Of the overloads, that one stands for all.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  fs.readFileSync = guardedRead as typeof fs.readFileSync;
}

function guarded(entry: string): string {
  if (!entry.includes(EXPORT) || !entry.includes(PROXY_PATH) || !entry.includes(PROXY_SECRET)) {
    throw new Error("this version of Miniflare has an entry that cannot be closed to others");
  }
  return entry.replace(EXPORT, "guarded_entry as default") + GUARD;
}
