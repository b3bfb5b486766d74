// Cloudflare's API, as far as the deployment asks it itself: with wrangler's login and at the address that wrangler uses.
import { ApiFailure, DeployFailure } from "./failure.ts";
import { askWrangler } from "./wrangler.ts";

const DEFAULT_BASE_URL = "https://api.cloudflare.com/client/v4";
const TIMEOUT_MS = 60_000;
const READ_ATTEMPTS = 3;
const PAGE_SIZE = 50;

/** Calls of the API below one path. */
export interface Api {
  get(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>;
  send(method: "POST" | "PATCH" | "PUT", path: string, body: unknown): Promise<unknown>;
  /** All pages of a list. */
  list(path: string, query?: Readonly<Record<string, string>>): Promise<unknown[]>;
  below(path: string): Api;
}

/** Connects with wrangler's login. */
export async function connect(): Promise<Api> {
  const headers = await authorization();
  const base = process.env["CLOUDFLARE_API_BASE_URL"] ?? DEFAULT_BASE_URL;
  return apiAt(base, "", headers);
}

function apiAt(base: string, prefix: string, headers: Readonly<Record<string, string>>): Api {
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    const full = `${prefix}${path}`;
    const response = await reach(`${base}${full}`, init);
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && field(answer, "success") === true) return field(answer, "result");
    const errors = field(answer, "errors");
    const [first]: unknown[] = Array.isArray(errors) ? errors : [];
    // A proxy may answer with a page of its own, which must not be taken for an empty result.
    const isForeign = field(answer, "success") === undefined;
    const message = isForeign
      ? "something that is not the API's JSON"
      : (textField(first, "message") ?? response.statusText);
    throw new ApiFailure(response.status, Number(field(first, "code") ?? 0), message, full);
  };
  const get: Api["get"] = (path, query = {}) => {
    const search = new URLSearchParams(query).toString();
    return withRetries(() => ask(search === "" ? path : `${path}?${search}`, { headers }));
  };
  return {
    get,
    send: (method, path, body) =>
      ask(path, { method, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) }),
    async list(path, query = {}) {
      const items: unknown[] = [];
      for (let page = 1; ; page += 1) {
        const found = await get(path, { ...query, page: String(page), per_page: String(PAGE_SIZE) });
        if (!Array.isArray(found)) return items;
        items.push(...found);
        if (found.length < PAGE_SIZE) return items;
      }
    },
    below: (path) => apiAt(base, `${prefix}${path}`, headers),
  };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new DeployFailure(
      `Cloudflare's API at ${new URL(url).host} cannot be reached (${cause}): run this again when it can.`,
      undefined,
      error,
    );
  }
}

/** The member of an object, where it is one. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The text that an object has as a member. */
export function textField(value: unknown, name: string): string | undefined {
  const text = field(value, name);
  return typeof text === "string" ? text : undefined;
}

async function withRetries<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      const isTransient = error instanceof ApiFailure ? error.status >= 500 || error.status === 429 : true;
      if (!isTransient || attempt === READ_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    }
  }
}

async function authorization(): Promise<Record<string, string>> {
  const token = process.env["CLOUDFLARE_API_TOKEN"];
  if (token !== undefined && token.trim() !== "") return { authorization: `Bearer ${token.trim()}` };
  const { ok, stdout, stderr } = await askWrangler(["auth", "token", "--json"]);
  const answer = ok ? parse(stdout) : undefined;
  if (field(answer, "type") === "api_key") {
    return { "x-auth-key": String(field(answer, "key")), "x-auth-email": String(field(answer, "email")) };
  }
  const found = field(answer, "token");
  if (typeof found === "string" && found !== "") return { authorization: `Bearer ${found}` };
  throw new DeployFailure(
    "Wrangler is not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN to a token with the permissions Workers Scripts, D1 and Workers R2 Storage (each Edit).",
    ok ? undefined : stderr,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.slice(text.indexOf("{")));
  } catch {
    return undefined;
  }
}
