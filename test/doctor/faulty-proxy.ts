// A proxy in front of a served Cairn that changes requests and answers as edges and proxies do, one fault at a time.
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import { gzipSync } from "node:zlib";

/** A request on its way to Cairn. */
export interface Passing {
  method: string;
  target: string;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** An answer on its way back. */
export interface Answering {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Fault {
  /** Changes a request, or answers instead of Cairn. */
  readonly onRequest?: (passing: Passing) => Answering | undefined;
  readonly onAnswer?: (passing: Passing, answering: Answering) => void;
  /** False: `Expect: 100-continue` is never answered before the request is over. */
  readonly answersExpect?: boolean;
}

export interface FaultyProxy {
  readonly url: string;
  fault: Fault;
  stop(): Promise<void>;
}

/** Starts a proxy that changes nothing until a fault is set. */
export async function startProxy(upstream: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(upstream);
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    void pass(incoming, outgoing).catch((error: unknown) =>
      outgoing.destroy(error instanceof Error ? error : undefined),
    );
  };
  const server = createServer(serve);
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (proxy.fault.answersExpect === false) {
      outgoing.writeHead(417).end();
      return;
    }
    outgoing.writeContinue();
    serve(incoming, outgoing);
  });
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const { method = "GET", url: target = "/", headers } = incoming;
    const passing: Passing = { method, target, headers: { ...headers }, body: Buffer.concat(chunks) };
    delete passing.headers["expect"];
    const answering = proxy.fault.onRequest?.(passing) ?? (await forward(hostname, Number(port), passing));
    proxy.fault.onAnswer?.(passing, answering);
    outgoing.writeHead(answering.status, answering.headers);
    outgoing.end(method === "HEAD" ? undefined : answering.body);
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${address.port}`,
    fault: {},
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

function forward(hostname: string, port: number, { method, target, headers, body }: Passing): Promise<Answering> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path: target, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const CHALLENGE: Answering = {
  status: 403,
  headers: { "content-type": "text/html" },
  body: Buffer.from("<!DOCTYPE html><title>Just a moment...</title>"),
};

/** A page with a status that hides what it is. */
const PAGE: Answering = { ...CHALLENGE, status: 200 };

/** Compresses an answer as edges do, without its length. */
function compress(answering: Answering): void {
  if (answering.headers["content-encoding"] !== undefined || answering.body.length < 500) return;
  answering.body = gzipSync(answering.body);
  delete answering.headers["content-length"];
  answering.headers["content-encoding"] = "gzip";
}

function changeHealth(answering: Answering, change: (health: Record<string, unknown>) => void): void {
  const health: Record<string, unknown> = { ...Object(JSON.parse(answering.body.toString())) };
  change(health);
  answering.body = Buffer.from(JSON.stringify(health));
  delete answering.headers["content-length"];
}

function onHealth(change: (health: Record<string, unknown>) => void): Fault {
  return {
    onAnswer: ({ target }, answering) => {
      if (target === "/_/health") changeHealth(answering, change);
    },
  };
}

/** Caches answers by path, as a cache that treats every GET as public. */
function cache(): Fault {
  const known = new Map<string, Answering>();
  const isCached = ({ method, target }: Passing): boolean => method === "GET" && target.endsWith(".js");
  return {
    onRequest: (passing) => (isCached(passing) ? known.get(passing.target) : undefined),
    onAnswer: (passing, answering) => {
      if (isCached(passing) && answering.status === 200) known.set(passing.target, answering);
    },
  };
}

/** Each fault, the check that must find it, and how bad it is. */
export const FAULTS: readonly (readonly [name: string, check: string, level: "bad" | "warning", fault: Fault])[] = [
  [
    "slashes are merged",
    "paths",
    "bad",
    { onRequest: (passing) => void (passing.target = passing.target.replaceAll(/(?<!^)\/\/+/g, "/")) },
  ],
  [
    "dot segments are removed",
    "paths",
    "bad",
    { onRequest: (passing) => void (passing.target = passing.target.replace("/./", "/").replace(/[^/]+\/\.\.\//, "")) },
  ],
  [
    "unreserved characters are decoded",
    "paths",
    "bad",
    { onRequest: (passing) => void (passing.target = passing.target.replaceAll("%7E", "~")) },
  ],
  [
    "parameters are decoded",
    "query",
    "bad",
    {
      onRequest: (passing) => {
        const [path = "", query = ""] = passing.target.split("?");
        passing.target = query === "" ? path : `${path}?${query.replaceAll("%2B", "+")}`;
        return undefined;
      },
    },
  ],
  [
    "a firewall refuses XML",
    "posts",
    "bad",
    { onRequest: ({ method }) => (method === "POST" ? CHALLENGE : undefined) },
  ],
  [
    "pages are rewritten",
    "html",
    "bad",
    {
      onAnswer: (_passing, answering) => {
        if (!String(answering.headers["content-type"]).startsWith("text/html")) return;
        answering.body = Buffer.from(answering.body.toString().replaceAll(/[\w.]+@[\w.]+/g, "[email protected]"));
        delete answering.headers["content-length"];
      },
    },
  ],
  ["ranges are dropped", "ranges", "bad", { onRequest: ({ headers }) => void delete headers["range"] }],
  [
    "a cache answers ranges with the whole",
    "ranges",
    "bad",
    {
      onAnswer: ({ method }, answering) => {
        if (method !== "GET" || answering.status !== 206) return;
        answering.status = 200;
        delete answering.headers["content-range"];
      },
    },
  ],
  [
    "bytes arrive without their length",
    "ranges",
    "bad",
    {
      onAnswer: ({ method }, { headers }) => {
        if (method === "GET" && headers["content-type"] === "binary/octet-stream") delete headers["content-length"];
      },
    },
  ],
  [
    "Accept-Encoding is rewritten",
    "accept-encoding",
    "warning",
    {
      onRequest: ({ headers }) => {
        if (headers["accept-encoding"] !== undefined) headers["accept-encoding"] = "deflate, br";
        return undefined;
      },
    },
  ],
  [
    "headers with dots are dropped",
    "header names",
    "warning",
    { onRequest: ({ headers }) => void delete headers["x-amz-meta-a.b"] },
  ],
  [
    "answers are compressed",
    "compression",
    "bad",
    {
      onAnswer: ({ headers }, answering) => {
        if (String(headers["accept-encoding"]).includes("gzip")) compress(answering);
      },
    },
  ],
  [
    "stored gzip is unpacked",
    "stored gzip",
    "bad",
    {
      onAnswer: (_passing, answering) => {
        delete answering.headers["content-encoding"];
      },
    },
  ],
  [
    "ETags are weakened",
    "etag",
    "bad",
    {
      onAnswer: ({ method }, { headers }) => {
        if (method === "GET" && headers.etag !== undefined) headers.etag = `W/${headers.etag}`;
      },
    },
  ],
  [
    "conditions are dropped",
    "etag",
    "bad",
    {
      onAnswer: (_passing, answering) => {
        if (answering.status === 304) answering.status = 200;
      },
    },
  ],
  [
    "HEAD loses its length",
    "head",
    "bad",
    {
      onAnswer: ({ method }, { headers }) => {
        if (method === "HEAD") delete headers["content-length"];
      },
    },
  ],
  ["a cache answers", "cache", "bad", cache()],
  ["Expect is refused", "expect", "bad", { answersExpect: false }],
  [
    "a bot check refuses Python",
    "user agents",
    "bad",
    { onRequest: ({ headers }) => (String(headers["user-agent"]).includes("Python") ? CHALLENGE : undefined) },
  ],
  ["a challenge answers everything", "health", "bad", { onRequest: () => CHALLENGE }],
  [
    "a challenge answers writes",
    "permissions",
    "bad",
    { onRequest: ({ method }) => (method === "PUT" ? CHALLENGE : undefined) },
  ],
  ["a page answers everything with 200", "permissions", "bad", { onRequest: () => PAGE }],
  [
    "a page answers listings with 200",
    "permissions",
    "bad",
    { onRequest: ({ target }) => (target.includes("max-keys=1") ? PAGE : undefined) },
  ],
  [
    "a page answers Java with 200",
    "user agents",
    "bad",
    { onRequest: ({ headers }) => (String(headers["user-agent"]).includes("java") ? PAGE : undefined) },
  ],
  [
    "a page answers a signed Accept-Encoding with 200",
    "accept-encoding",
    "bad",
    { onRequest: ({ headers }) => (headers["accept-encoding"] === "identity" ? PAGE : undefined) },
  ],
  [
    "a page answers large bodies with 200",
    "body size",
    "bad",
    { onRequest: ({ body }) => (body.length > 10_000_000 ? PAGE : undefined) },
  ],
  [
    "large bodies are refused with a page",
    "body size",
    "bad",
    {
      onRequest: ({ body }) => (body.length > 10_000_000 ? { ...CHALLENGE, status: 413 } : undefined),
    },
  ],
  [
    "the clock is off",
    "clock",
    "bad",
    { onAnswer: (_passing, { headers }) => void (headers.date = new Date(Date.now() - 3_600_000).toUTCString()) },
  ],
  [
    "D1 is out of reach",
    "bindings",
    "bad",
    onHealth((health) => void (health["bindings"] = { d1: false, blobs: true, coordinators: true })),
  ],
  ["the schema is older", "schema", "warning", onHealth((health) => void (health["schema"] = "0001_buckets.sql"))],
  [
    "the schedule stands still",
    "schedule",
    "bad",
    onHealth((health) => void (health["lastCron"] = "2020-01-01T00:00:00.000Z")),
  ],
  [
    "the database is almost full",
    "database size",
    "warning",
    onHealth((health) => void (health["databaseBytes"] = 8.1e9)),
  ],
  ["the database is full", "database size", "bad", onHealth((health) => void (health["databaseBytes"] = 9.9e9))],
  ["a setting is misspelt", "settings", "bad", onHealth((health) => void (health["misconfigured"] = ["LIFECYCLE"]))],
];
