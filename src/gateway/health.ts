// GET /_/health: reports whether the Worker reaches its bindings, the schema of the database and the last scheduled
// run. Contains the names of invalid settings, never their values.
import { DATABASE_MAX_BYTES } from "../state/d1/size-limit.ts";
import { settingProblems } from "../config/setting-problems.ts";
import { readPlacedDatabases } from "../state/metadata/placements.ts";
import { type DatabaseHealth, lookUpHealth } from "../state/repair/health.ts";
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
  /** The size of the largest database in bytes; null if D1 is unreachable. */
  readonly databaseBytes: number | null;
  /** The size that D1 allows each database on the Paid plan, in bytes. */
  readonly databaseMaxBytes: number;
  /** Each database by its binding, if there are several. A registered one that is not bound is not reachable. */
  readonly databases?: Readonly<Record<string, DatabaseReport>>;
  /** The names of invalid settings. */
  readonly misconfigured: readonly string[];
}

/** A database; its schema and size are null if it is unreachable. */
interface DatabaseReport {
  readonly ok: boolean;
  readonly schema: string | null;
  readonly bytes: number | null;
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
  const { databases, blobs, coordinators } = connections;
  const [facts, placed, blobsReached, coordinatorsReached] = await Promise.all([
    Promise.all(databases.all.map((database) => database.look(lookUpHealth()).catch(() => undefined))),
    databases.areSeveral ? readPlacedDatabases(databases.first).catch(() => []) : [],
    succeeds(blobs.head(MISSING_BLOB)),
    succeeds(coordinators.ping()),
  ]);
  const [first] = facts;
  const reports = new Map(databases.all.map(({ name }, index) => [name, reportOf(facts[index])]));
  for (const name of placed) if (!reports.has(name)) reports.set(name, reportOf(undefined));
  const isReached = Array.from(reports.values()).every(({ ok }) => ok);
  const bindings = { d1: isReached, blobs: blobsReached, coordinators: coordinatorsReached };
  const sizes = facts.flatMap((one) => one?.databaseBytes ?? []);
  const schemas = Array.from(reports.values(), ({ schema }) => schema ?? "");
  return {
    ok: Object.values(bindings).every(Boolean),
    bindings,
    // The oldest of several, since every database needs the schema of the Worker.
    schema: schemas.toSorted()[0] || null,
    lastCron: first?.steppedAt === undefined ? null : new Date(first.steppedAt).toISOString(),
    databaseBytes: sizes.length === 0 ? null : Math.max(...sizes),
    databaseMaxBytes: DATABASE_MAX_BYTES,
    ...(databases.areSeveral ? { databases: Object.fromEntries(reports) } : {}),
    misconfigured: settingProblems(env).map(({ setting }) => setting),
  };
}

function reportOf(facts: DatabaseHealth | undefined): DatabaseReport {
  return { ok: facts !== undefined, schema: facts?.migration ?? null, bytes: facts?.databaseBytes ?? null };
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch {
    return false;
  }
}
