// GET /_/health: reports whether the Worker reaches its bindings, the schema of the database and the last scheduled
// run. Contains the names of invalid settings, never their values.
import { settingProblems } from "../config/settings.ts";
import { lookUpHealth } from "../state/repair/health.ts";
import { answerHeaders } from "./render.ts";
import type { RequestScope } from "./request-scope.ts";

/** A blob id that no upload has. */
const MISSING_BLOB = "health/none";

/** The answer's JSON document. */
export interface Health {
  /** Whether all bindings are reachable. */
  readonly ok: boolean;
  readonly bindings: Readonly<Record<"d1" | "blobs" | "coordinators", boolean>>;
  /** The newest applied migration; null if there is none or D1 is unreachable. */
  readonly schema: string | null;
  /** When a scheduled job last took a step, in ISO 8601; null if none did or D1 is unreachable. */
  readonly lastCron: string | null;
  /** The size of the database in bytes; null if D1 is unreachable. */
  readonly databaseBytes: number | null;
  /** The names of invalid settings. */
  readonly misconfigured: readonly string[];
}

/** Answers 200 if all bindings are reachable, otherwise 503. Never rejects. */
export async function answerHealth({ method }: Request, scope: RequestScope): Promise<Response> {
  scope.log.setOperation("Health");
  const headers = answerHeaders(
    { "content-type": "application/json", "cache-control": "no-store" },
    scope.answerFacts(),
  );
  if (method !== "GET" && method !== "HEAD") {
    headers.set("allow", "GET, HEAD");
    return new Response(null, { status: 405, headers });
  }
  const health = await checkHealth(scope);
  if (!health.ok) headers.set("retry-after", "5");
  const body = method === "HEAD" ? null : `${JSON.stringify(health)}\n`;
  return new Response(body, { status: health.ok ? 200 : 503, headers });
}

async function checkHealth({ env, connections }: RequestScope): Promise<Health> {
  const { database, blobs, coordinators } = connections;
  const [facts, blobsReached, coordinatorsReached] = await Promise.all([
    database.look(lookUpHealth()).catch(() => undefined),
    succeeds(blobs.head(MISSING_BLOB)),
    succeeds(coordinators.ping()),
  ]);
  const bindings = { d1: facts !== undefined, blobs: blobsReached, coordinators: coordinatorsReached };
  return {
    ok: Object.values(bindings).every(Boolean),
    bindings,
    schema: facts?.migration ?? null,
    lastCron: facts?.steppedAt === undefined ? null : new Date(facts.steppedAt).toISOString(),
    databaseBytes: facts?.databaseBytes ?? null,
    misconfigured: settingProblems(env).map(({ setting }) => setting),
  };
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch {
    return false;
  }
}
