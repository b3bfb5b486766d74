// The static assets of a Worker in the stand-in: a session says which files are missing, an upload brings them, and the
// token of the last one proves to the Worker's upload that all are there.
import { randomBytes } from "node:crypto";
import type { Account, AssetSession } from "./account.ts";
import { type Answer, ApiError, isRecord, readFields } from "./answers.ts";

/** The API stores files by a hash of 32 hexadecimal digits. */
const HASH = /^[0-9a-f]{32}$/;
const FILE_MAX_BYTES = 25 * 1024 * 1024;
const FILES_PER_UPLOAD = 3;

/** Answers `POST /workers/scripts/{name}/assets-upload-session`. */
export function openAssetSession(account: Account, worker: string, body: Buffer): Answer {
  const { manifest } = readFields(body, ["manifest"], 10_021);
  if (!isRecord(manifest)) throw new ApiError(400, 10_021, "the manifest is missing");
  const files = new Map<string, { hash: string; size: number }>();
  for (const [path, entry] of Object.entries(manifest)) {
    if (!path.startsWith("/") || !isRecord(entry)) throw new ApiError(400, 10_021, `manifest: ${path} is malformed`);
    const [hash, size] = [String(entry["hash"]), Number(entry["size"])];
    if (!HASH.test(hash) || !Number.isInteger(size) || size < 0 || size > FILE_MAX_BYTES) {
      throw new ApiError(400, 10_021, `manifest: ${path} has no valid hash and size`);
    }
    files.set(path, { hash, size });
  }
  const missing = new Set([...files.values()].map(({ hash }) => hash).filter((hash) => !account.assets.has(hash)));
  const session: AssetSession = { worker, files, missing, isComplete: missing.size === 0 };
  const hashes = [...missing];
  const buckets = Array.from({ length: Math.ceil(hashes.length / FILES_PER_UPLOAD) }, (_, index) =>
    hashes.slice(index * FILES_PER_UPLOAD, (index + 1) * FILES_PER_UPLOAD),
  );
  return { result: { jwt: newToken(account, session), buckets } };
}

/** Answers `POST /workers/assets/upload`, which is authorised by the session's token. */
export async function uploadAssets(account: Account, token: string, request: Request): Promise<Answer> {
  const session = account.assetSessions.get(token);
  if (session === undefined) throw new ApiError(403, 10_000, "Authentication error");
  if (new URL(request.url).searchParams.get("base64") !== "true") throw new ApiError(400, 10_021, "base64 is missing");
  for (const [hash, file] of await request.formData()) {
    const text = typeof file === "string" ? file : await file.text();
    const bytes = Buffer.from(text, "base64");
    const entry = [...session.files.values()].find((entry) => entry.hash === hash);
    if (entry === undefined) throw new ApiError(400, 10_021, `the manifest has no file ${hash}`);
    if (bytes.length !== entry.size) throw new ApiError(400, 10_021, `the file ${hash} is not as long as announced`);
    account.assets.set(hash, new Uint8Array(bytes));
    session.missing.delete(hash);
  }
  if (session.missing.size > 0) return { result: { jwt: null } };
  session.isComplete = true;
  return { result: { jwt: newToken(account, session) } };
}

/** The files of a Worker's upload by their paths. @throws ApiError unless the token is of a complete session */
export function readAssets(account: Account, assets: unknown): ReadonlyMap<string, Uint8Array> | undefined {
  if (assets === undefined) return undefined;
  if (!isRecord(assets)) throw new ApiError(400, 10_021, "assets is not an object");
  const known = new Set(["jwt", "config"]);
  const unknown = Object.keys(assets).find((name) => !known.has(name));
  if (unknown !== undefined) throw new ApiError(400, 10_021, `assets: unknown field ${unknown}`);
  checkConfiguration(assets["config"]);
  const session = account.assetSessions.get(String(assets["jwt"]));
  if (session?.isComplete !== true) throw new ApiError(400, 10_021, "the completion token of the assets is invalid");
  return new Map([...session.files].map(([path, { hash }]) => [path, account.assets.get(hash) ?? new Uint8Array()]));
}

const HTML_HANDLING = new Set(["auto-trailing-slash", "drop-trailing-slash", "force-trailing-slash", "none"]);
const NOT_FOUND_HANDLING = new Set(["single-page-application", "404-page", "none"]);

function checkConfiguration(configuration: unknown): void {
  if (!isRecord(configuration)) throw new ApiError(400, 10_021, "assets.config is not an object");
  for (const [name, value] of Object.entries(configuration)) {
    const isValid =
      (name === "html_handling" && HTML_HANDLING.has(String(value))) ||
      (name === "not_found_handling" && NOT_FOUND_HANDLING.has(String(value))) ||
      (name === "run_worker_first" && (typeof value === "boolean" || Array.isArray(value)));
    if (!isValid) throw new ApiError(400, 10_021, `assets.config: ${name} is invalid`);
  }
}

function newToken(account: Account, session: AssetSession): string {
  // wrangler reads when a token expires, and how files are to be sent, out of its second part.
  const payload = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).toString("base64url");
  const token = `e30.${payload}.${randomBytes(16).toString("base64url")}`;
  account.assetSessions.set(token, session);
  return token;
}
