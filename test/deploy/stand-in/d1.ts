// The D1 part of the stand-in: databases in SQLite, filled through a splitter with the faults of D1's own.
import { type Account, type D1, newDatabase } from "./account.ts";
import { type Answer, ApiError, isRecord, page, readFields, textOf } from "./answers.ts";
import { splitLikeD1 } from "./d1-splitter.ts";

const LOCATIONS = new Set(["wnam", "enam", "weur", "eeur", "apac", "oc"]);
const DATABASES = { free: 10, paid: 50_000 };
const QUERY_BYTES = 100_000;

/** Answers `/d1/database…`. `takesTriggers` false refuses every CREATE TRIGGER, as some accounts are reported to do. */
export function answerD1(
  account: Account,
  { method, rest, query, body }: { method: string; rest: readonly string[]; query: URLSearchParams; body: Buffer },
  takesTriggers: boolean,
): Answer {
  const [nameOrId, action] = rest;
  if (nameOrId === undefined) return method === "POST" ? create(account, body) : list(account, query);
  const database = account.databases.find(({ uuid, name }) => uuid === nameOrId || name === nameOrId);
  if (database === undefined) throw new ApiError(404, 7404, `The database ${nameOrId} could not be found`);
  if (action === undefined && method === "GET") return { result: described(database) };
  if (action !== "query" || method !== "POST") throw new ApiError(405, 10405, "Method not allowed for this endpoint");
  if (database.uuid !== nameOrId) throw new ApiError(404, 7404, `The database ${nameOrId} could not be found`);
  return { result: runQuery(database, body, takesTriggers) };
}

function list({ databases }: Account, query: URLSearchParams): Answer {
  const name = query.get("name");
  return page(
    databases.filter((database) => name === null || database.name.includes(name)).map(described),
    query,
    10_000,
  );
}

function create(account: Account, body: Buffer): Answer {
  const fields = readFields(body, ["name", "primary_location_hint", "jurisdiction", "read_replication"], 7400);
  const { name } = fields;
  const location = textOf(fields, "primary_location_hint");
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name))
    throw new ApiError(400, 7400, "The database name is invalid");
  if (location !== undefined && !LOCATIONS.has(location)) {
    throw new ApiError(400, 7400, "The primary_location_hint is invalid");
  }
  if (account.databases.some((database) => database.name === name)) {
    throw new ApiError(400, 7502, "A database with that name already exists");
  }
  if (account.databases.length >= DATABASES[account.plan]) {
    throw new ApiError(400, 7406, "You have reached the maximum number of databases");
  }
  const database = newDatabase(name, location);
  account.databases.push(database);
  return { result: described(database) };
}

function described({ uuid, name, location }: D1): object {
  return { uuid, name, version: "production", running_in_region: (location ?? "enam").toUpperCase(), num_tables: 0 };
}

/** Runs what the splitter makes of the text in one transaction: a text that fails leaves nothing. */
function runQuery({ sqlite }: D1, body: Buffer, takesTriggers: boolean): unknown[] {
  const { sql, params } = readFields(body, ["sql", "params"], 7400);
  if (typeof sql !== "string") throw new ApiError(400, 7400, "The sql is missing");
  const statements = splitLikeD1(sql);
  if (statements.length > 1 && params !== undefined && Array.isArray(params) && params.length > 0) {
    throw new ApiError(400, 7500, "Multiple statements cannot have parameters");
  }
  sqlite.exec("BEGIN");
  try {
    const results = statements.map((statement) => {
      if (statement.length > QUERY_BYTES) throw new Error("statement too long: SQLITE_TOOBIG");
      if (!takesTriggers && /^\s*(--[^\n]*\s*)*CREATE\s+TRIGGER\b/i.test(statement))
        throw new Error("incomplete input: SQLITE_ERROR");
      if (/^\s*(BEGIN|COMMIT|SAVEPOINT|PRAGMA\s+user_version)\b/i.test(statement))
        throw new Error("not authorized: SQLITE_AUTH");
      const prepared = sqlite.prepare(statement);
      const rows = prepared.all(...(Array.isArray(params) ? params.map(parameter) : []));
      return {
        results: rows,
        success: true,
        meta: { duration: 0.1, changes: 0, rows_read: rows.length, rows_written: 0 },
      };
    });
    sqlite.exec("COMMIT");
    return results;
  } catch (error) {
    sqlite.exec("ROLLBACK");
    throw new ApiError(400, 7500, error instanceof Error ? `${error.message}: SQLITE_ERROR` : String(error));
  }
}

function parameter(value: unknown): string | number | null {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new ApiError(400, 7400, `A parameter of type ${isRecord(value) ? "object" : typeof value} is not supported`);
}
