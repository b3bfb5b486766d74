// Serves the files of the web console below /_/console/, and its page at / of a host of its own. The console is a client
// of S3, IAM and STS in the browser: it has no API of its own, and this file knows only names of files and headers.
import { splitTarget } from "../protocol/core/addressing.ts";
import { CONSOLE_PATH, isConsoleHost } from "./door.ts";
import { answerHeaders } from "./render.ts";
import type { RequestScope } from "./request-scope.ts";

/** Content types by the ending of a file's name. Other files are not part of the console. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  woff2: "font/woff2",
  wasm: "application/wasm",
  json: "application/json",
};

/**
 * Only the console's own scripts run, and they talk only to this endpoint. Previews are shown in frames: from this
 * endpoint, whose objects have a sandbox of their own, or from blobs.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** A file that depends on the settings. */
const ENDPOINT_FILE = "endpoint.json";
/** The folder of files whose names contain a hash of their content. */
const HASHED_FOLDER = "files/";
const IMMUTABLE = "public, max-age=31536000, immutable";
/** Only letters, digits and hyphens between slashes and single dots, so a path cannot leave the console's files. */
const FILE_PATH = /^(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(\w+)$/;

/** Answers a file of the console, or a plain sentence that says why there is none. */
export async function answerConsole({ url, headers }: Request, scope: RequestScope): Promise<Response> {
  scope.log.setOperation("Console");
  const { method, settings, env } = scope;
  if (!settings.console) return sentence(scope, 404, "The console is turned off by the setting CONSOLE.");
  if (method !== "GET" && method !== "HEAD") {
    return sentence(scope, 405, "The console answers GET and HEAD.", { allow: "GET, HEAD" });
  }
  const { path } = splitTarget(url);
  if (path === CONSOLE_PATH.slice(0, -1)) return sentence(scope, 308, "", { location: CONSOLE_PATH });
  const file = path === "/" ? "index.html" : path.slice(CONSOLE_PATH.length) || "index.html";
  if (file === ENDPOINT_FILE) return endpointFile(headers.get("host") ?? "", scope);
  const contentType = CONTENT_TYPES[FILE_PATH.exec(file)?.[1] ?? ""];
  if (contentType === undefined) return sentence(scope, 404, "The console has no such file.");
  if (env.ASSETS === undefined) return sentence(scope, 404, NOT_BUILT);
  const condition = headers.get("if-none-match");
  const found = await env.ASSETS.fetch(`https://console.invalid/${file}`, {
    method,
    headers: condition === null ? {} : { "if-none-match": condition },
  });
  if (found.status !== 200 && found.status !== 304) {
    await found.body?.cancel();
    return sentence(scope, 404, file === "index.html" ? NOT_BUILT : "The console has no such file.");
  }
  const etag = found.headers.get("etag");
  const own = {
    ...SECURITY_HEADERS,
    "content-type": contentType,
    "cache-control": file.startsWith(HASHED_FOLDER) ? IMMUTABLE : "no-cache",
    ...(etag === null ? {} : { etag }),
  };
  return new Response(found.body, { status: found.status, headers: consoleHeaders(scope, own) });
}

/**
 * The host for links and for settings of clients, if it is not the one that serves the page: the console's host may be
 * behind a sign-in that other clients do not pass. And the domains below which each bucket with a website has a host.
 */
function endpointFile(hostHeader: string, scope: RequestScope): Response {
  const { domains, consoleHost, delivery } = scope.settings;
  const host = isConsoleHost(hostHeader, consoleHost) ? domains[0] : undefined;
  const sites = delivery.wildcards.length === 0 ? undefined : delivery.wildcards;
  const own = { ...SECURITY_HEADERS, "content-type": "application/json", "cache-control": "no-cache" };
  const body = scope.method === "HEAD" ? null : `${JSON.stringify({ host, sites })}\n`;
  return new Response(body, { status: 200, headers: consoleHeaders(scope, own) });
}

const NOT_BUILT = "The console is not part of this deployment: build it with `npm run console`.";

function sentence(scope: RequestScope, status: number, text: string, headers: Record<string, string> = {}): Response {
  const own = {
    ...SECURITY_HEADERS,
    "cache-control": "no-store",
    "content-type": "text/plain; charset=utf-8",
    ...headers,
  };
  const body = scope.method === "HEAD" || text === "" ? null : `${text}\n`;
  return new Response(body, { status, headers: consoleHeaders(scope, own) });
}

/** The sandbox of all other answers would keep the console's scripts from running. */
function consoleHeaders(scope: RequestScope, own: Readonly<Record<string, string>>): Headers {
  const headers = answerHeaders(own, scope.answerFacts());
  headers.set("content-security-policy", CONTENT_SECURITY_POLICY);
  return headers;
}
