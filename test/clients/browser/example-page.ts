// The example of a page that uploads (examples/browser-upload), on an origin of its own, and its backend.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { endGroup } from "../run-command.ts";
import type { Endpoint, Site } from "../site.ts";

export const EXAMPLE = resolve(import.meta.dirname, "..", "..", "..", "examples", "browser-upload");
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

export interface StaticServer {
  /** Without a trailing slash. */
  readonly origin: string;
  close(): void;
}

/**
 * Serves the example's files, and others by their paths.
 * @param host `localhost` or `127.0.0.1`, which are two origins
 */
export async function serveExample(host: string, others: Readonly<Record<string, string>> = {}): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const body = others[name] ?? fileOf(name);
    response.writeHead(body === undefined ? 404 : 200, { "content-type": TYPES[extname(name)] ?? "text/plain" });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    origin: `http://${host}:${address.port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A file of the example; undefined for what a browser requests by itself, such as an icon. */
function fileOf(name: string): Buffer | undefined {
  const file = join(EXAMPLE, name.replaceAll("..", ""));
  return existsSync(file) ? readFileSync(file) : undefined;
}

export interface Backend {
  readonly url: string;
  close(): void;
}

/** Starts the example's backend, which signs for pages of one origin. */
export async function startBackend(
  { credentials, region }: Site,
  endpoint: Endpoint,
  bucket: string,
  pageOrigin: string,
): Promise<Backend> {
  const child = spawn(process.execPath, [join(EXAMPLE, "backend.mjs")], {
    env: {
      S3_ENDPOINT: endpoint.url,
      S3_BUCKET: bucket,
      S3_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      PAGE_ORIGIN: pageOrigin,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  return { url: await urlOf(child), close: () => endGroup(child) };
}

async function urlOf({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const piece of stdout ?? []) {
    text += String(piece);
    const url = /http:\/\/localhost:\d+/.exec(text)?.[0];
    if (url !== undefined) {
      stdout?.resume();
      return url;
    }
  }
  throw new Error(`the backend did not start: ${text}`);
}
