// An origin other than Cairn's that serves the pages and records the requests it receives.
import { once } from "node:events";
import { createServer } from "node:http";

export interface PageServer {
  /** Without a trailing slash. */
  readonly origin: string;
  /** Serves a page and returns its URL. */
  show(name: string, html: string): string;
  /** The requested paths below a path, with their queries. */
  visitsOf(path: string): readonly string[];
  close(): void;
}

/** Opens the origin. A path without a page returns one that contains the path. */
export async function openPageServer(): Promise<PageServer> {
  const pages = new Map<string, string>();
  const visits: string[] = [];
  const server = createServer((request, response) => {
    const target = request.url ?? "/";
    visits.push(target);
    const [path = ""] = target.split("?");
    // Any origin may read the response: a page without rights must not be able to send one.
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "access-control-allow-origin": "*" });
    response.end(pages.get(path) ?? `<p id="path">${encodeURI(path)}</p>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the page server has no port");
  const origin = `http://localhost:${address.port}`;
  return {
    origin,
    show(name, html) {
      pages.set(`/${name}`, `<!doctype html><meta charset="utf-8">${html}`);
      return `${origin}/${name}`;
    },
    visitsOf: (path) => visits.filter((visit) => visit.startsWith(path)),
    close: () => server.close(),
  };
}
