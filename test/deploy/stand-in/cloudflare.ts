// A strict stand-in of Cloudflare's API over HTTP, for wrangler and the deployment to talk to through
// CLOUDFLARE_API_BASE_URL. It implements what a deployment needs and refuses everything else.
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { Account, Permission } from "./account.ts";
import { type Answer, ApiError, envelope, errorEnvelope, ForeignPage, page } from "./answers.ts";
import { answerD1 } from "./d1.ts";
import { answerR2 } from "./r2.ts";
import { answerWorkers } from "./workers.ts";

export const TOKEN = "a-token-of-the-stand-in";

/** One call that reached the stand-in. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
}

export interface StandInOptions {
  readonly accounts: readonly Account[];
  /** The permission that the token lacks: without `Read` it may do nothing, without `Edit` only read. */
  readonly lacks?: ReadonlyMap<Permission, "Read" | "Edit">;
  /** False refuses triggers in `/query`. */
  readonly takesTriggers?: boolean;
  /** Sees a call before and after it is answered. An error that it throws becomes the answer. */
  readonly onCall?: (call: ApiCall, when: "before" | "after") => void;
}

export interface StandIn {
  /** What CLOUDFLARE_API_BASE_URL is set to. */
  readonly url: string;
  readonly calls: ApiCall[];
  options: StandInOptions;
  stop(): Promise<void>;
}

/** Starts the stand-in on any free port of this machine. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const server = createServer((incoming, outgoing) => void respond(standIn, incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const standIn: StandIn = {
    url: `http://127.0.0.1:${address.port}/client/v4`,
    calls: [],
    options,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return standIn;
}

async function respond(standIn: StandIn, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let status = 200;
  let text: string;
  let type = "application/json";
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    text = envelope(await answer(standIn, incoming, Buffer.concat(chunks)));
  } catch (error) {
    if (error instanceof ForeignPage) {
      ({ status, message: text } = error);
      type = "text/html";
    } else {
      const failure =
        error instanceof ApiError
          ? error
          : new ApiError(500, 10_013, `An unknown error has occurred: ${String(error)}`);
      status = failure.status;
      text = errorEnvelope(failure);
    }
  }
  outgoing.writeHead(status, { "content-type": type }).end(text);
}

async function answer(standIn: StandIn, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { options, calls } = standIn;
  const url = new URL(incoming.url ?? "/", standIn.url);
  const path = url.pathname.replace("/client/v4", "");
  const method = incoming.method ?? "GET";
  const call = { method, path };
  calls.push(call);
  const token = incoming.headers.authorization?.replace(/^Bearer /, "") ?? "";
  // Files of static assets come with the token of their session.
  const isSession = options.accounts.some(({ assetSessions }) => assetSessions.has(token));
  if (token !== TOKEN && !(isSession && path.endsWith("/workers/assets/upload")))
    throw new ApiError(403, 9109, "Invalid access token");
  options.onCall?.(call, "before");
  const steps = path.split("/").slice(1).map(decodeURIComponent);
  const answered = await route(options, { method, steps, query: url.searchParams, body, token, incoming });
  options.onCall?.(call, "after");
  return answered;
}

interface Routed {
  readonly method: string;
  readonly steps: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly token: string;
  readonly incoming: IncomingMessage;
}

async function route(
  options: StandInOptions,
  { method, steps, query, body, token, incoming }: Routed,
): Promise<Answer> {
  const [first, id, product, ...rest] = steps;
  const { accounts } = options;
  if (first === "user") {
    if (id === undefined) return { result: { id: "1", email: "person@example.com" } };
    if (id === "tokens" && product === "verify") return { result: { id: "2", status: "active" } };
  }
  if (first === "memberships") {
    return page(
      accounts.map(({ id, name }) => ({ id: `m${id}`, account: { id, name }, roles: [] })),
      query,
    );
  }
  if (first === "zones" && id === undefined) return answerZones(accounts, query);
  if (first === "zones" && method === "GET" && [product, ...rest].join("/") === "workers/routes") {
    return { result: routesOf(accounts, id?.replace("zone-", "") ?? "") };
  }
  if (first !== "accounts") throw new ApiError(404, 7003, `Could not route to ${steps.join("/")}`);
  if (id === undefined) requirePermission(options, undefined, method);
  if (id === undefined)
    return page(
      accounts.map(({ id, name }) => ({ id, name })),
      query,
    );
  const account = accounts.find((account) => account.id === id);
  if (account === undefined) throw new ApiError(403, 10_000, "Authentication error");
  requirePermission(options, product, method);
  const call = { method, rest, query, body };
  switch (product) {
    case "d1":
      if (rest[0] !== "database") break;
      return answerD1(account, { ...call, rest: rest.slice(1) }, options.takesTriggers ?? true);
    case "r2":
      if (rest[0] !== "buckets") break;
      return answerR2(account, { ...call, rest: rest.slice(1) });
    case "workers": {
      const type = incoming.headers["content-type"];
      const request = new Request(`http://stand-in?${query.toString()}`, {
        method: "POST",
        body: Uint8Array.from(body),
        headers: type === undefined ? {} : { "content-type": type },
      });
      return answerWorkers(account, { ...call, token, request });
    }
    default:
  }
  throw new ApiError(404, 7003, `Could not route to ${method} ${steps.join("/")}`);
}

/** The zones of an account that have the name. */
function answerZones(accounts: readonly Account[], query: URLSearchParams): Answer {
  const account = accounts.find(({ id }) => id === query.get("account.id"));
  const zones = (account?.zones ?? []).filter((name) => name === query.get("name"));
  return page(
    zones.map((name) => ({ id: `zone-${name}`, name })),
    query,
  );
}

/** The routes of a zone and their Workers. */
function routesOf(accounts: readonly Account[], zone: string): object[] {
  const account = accounts.find(({ zones }) => zones.includes(zone));
  return Array.from(account?.workers.values() ?? []).flatMap(({ name, routes }) =>
    routes.map((pattern) => ({ id: `route-${pattern}`, pattern, script: name })),
  );
}

const PERMISSIONS: Readonly<Record<string, Permission>> = {
  d1: "D1",
  r2: "Workers R2 Storage",
  workers: "Workers Scripts",
};

/** Checks permissions before everything else, as Cloudflare does: a token without them learns nothing. */
function requirePermission({ lacks }: StandInOptions, product: string | undefined, method: string): void {
  const permission = PERMISSIONS[product ?? ""] ?? "Account Settings";
  const missing = lacks?.get(permission);
  if (missing === "Read" || (missing === "Edit" && method !== "GET"))
    throw new ApiError(403, 10_000, "Authentication error");
}
