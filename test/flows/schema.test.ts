// A Worker whose database has another schema: its responses, and how it migrates an older schema.
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { MIGRATIONS } from "../../src/state/d1/migration-files.ts";
import { applyMigrations, readSchemaState } from "../../src/state/d1/migrations.ts";
import { sqlStatements } from "../../src/state/d1/sql-statements.ts";
import worker from "../../src/worker.ts";
import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { type BatchFault, ONE_SHARD, withCoordinatorD1 } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { call } from "../support/query-api.ts";

// The bindings of the configuration.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const DB = Reflect.get(env, "SCHEMA_DB") as D1Database;

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

async function schemaOf(database: D1Database): Promise<SchemaRow[]> {
  const { results } = await database
    .prepare(
      `SELECT type, name, sql FROM sqlite_master
       WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations' AND sql IS NOT NULL
       ORDER BY type, name`,
    )
    .all<SchemaRow>();
  return results;
}

beforeEach(async () => {
  const rows = await schemaOf(DB);
  for (const type of ["trigger", "view", "index", "table"]) {
    for (const { name } of rows.filter((row) => row.type === type)) await DB.prepare(`DROP ${type} ${name}`).run();
  }
  await DB.prepare("DROP TABLE IF EXISTS d1_migrations").run();
});

/** Migrates the database to all migrations except the last few. */
async function migrateAllBut(last: number): Promise<void> {
  await readSchemaState(DB);
  await applyMigrations(DB, MIGRATIONS.slice(0, MIGRATIONS.length - last));
}

async function putObject(scope: { DB: D1Database }): Promise<Response> {
  return send("PUT", "/schema-bucket/key", { body: "x" }, scope);
}

describe("the migrations in the Worker", () => {
  it("create the same schema as wrangler", async () => {
    await migrateAllBut(0);
    expect(await schemaOf(DB)).toEqual(await schemaOf(env.DB));
    expect((await readSchemaState(DB)).pending).toEqual([]);
  });

  it("are applied once when several Workers apply them at the same time", async () => {
    const { pending } = await readSchemaState(DB);
    await Promise.all([applyMigrations(DB, pending), applyMigrations(DB, pending), applyMigrations(DB, pending)]);
    expect(await schemaOf(DB)).toEqual(await schemaOf(env.DB));
    const { results } = await DB.prepare("SELECT name FROM d1_migrations ORDER BY id").all<{ name: string }>();
    expect(results.map(({ name }) => name)).toEqual(MIGRATIONS.map(({ name }) => name));
  });

  it("leave nothing behind when one fails midway", async () => {
    await readSchemaState(DB);
    const broken = { name: "0001_broken.sql", sql: "CREATE TABLE half (a TEXT); CREATE TABLE half (a TEXT);" };
    await expect(applyMigrations(DB, [broken])).rejects.toThrow("already exists");
    expect(await schemaOf(DB)).toEqual([]);
    expect((await readSchemaState(DB)).pending).toHaveLength(MIGRATIONS.length);
  });
});

describe("a statement of SQL", () => {
  it("ends at a semicolon outside comments, strings, triggers and their CASEs", () => {
    const trigger = `create trigger g after insert on t begin
  select raise(abort, 'a; END') where not case new.a when 1 then 1 else 0 end; -- no; end
  delete from t;
end`;
    expect(
      sqlStatements(`-- one; two\nSELECT ';' AS "a;b" ; ${trigger};\r\n/* ; */ SELECT CASE 1 WHEN 1 THEN 2 END;`),
    ).toEqual([`SELECT ';' AS "a;b"`, trigger, "SELECT CASE 1 WHEN 1 THEN 2 END"]);
    expect(sqlStatements("-- nothing\n;;\n")).toEqual([]);
  });
});

describe("a request that finds an older schema", () => {
  it("returns 503 with instructions when no table exists, and the next request succeeds", async () => {
    const first = await send("GET", "/", {}, { DB });
    expect(first.headers.get("retry-after")).toBe("2");
    const message = await expectS3Error(first, { status: 503, code: "DatabaseSchemaMismatch" });
    expect(message).toContain("npx wrangler d1 migrations apply DB");
    expect((await send("GET", "/", {}, { DB })).status).toBe(200);
    expect((await readSchemaState(DB)).pending).toEqual([]);
  });

  it.each([1, 5, 10, MIGRATIONS.length - 1])(
    "succeeds or returns 503, never 500, %i migrations behind",
    async (behind) => {
      await migrateAllBut(behind);
      for (const target of [
        "/",
        "/schema-bucket",
        "/schema-bucket/key",
        "/schema-bucket?versions",
        "/schema-bucket?lifecycle",
      ]) {
        for (const method of ["GET", "PUT", "DELETE"]) {
          const { status } = await send(method, target, {}, { DB });
          expect([200, 204, 400, 404, 405, 501, 503], `${method} ${target}`).toContain(status);
        }
      }
    },
  );

  it("returns IAM's error format to IAM clients", async () => {
    const response = await call("iam", "ListUsers", {}, { scope: { DB } });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).not.toBeNull();
    expect(await response.text()).toContain("<Code>ServiceUnavailable</Code>");
    expect((await call("iam", "ListUsers", {}, { scope: { DB } })).status).toBe(200);
  });

  it("triggers a migration by the schedule, which then continues", async () => {
    const tick = async (): Promise<void> => {
      const execution = createExecutionContext();
      const controller = createScheduledController({ cron: "*/5 * * * *", scheduledTime: new Date() });
      await worker.scheduled(controller, { ...env, DB });
      await waitOnExecutionContext(execution);
    };
    await tick();
    expect((await readSchemaState(DB)).pending).toEqual([]);
    await tick();
    const jobs = await DB.prepare("SELECT count(*) AS jobs FROM jobs").first<{ jobs: number }>();
    expect(jobs?.jobs).toBeGreaterThan(0);
  });

  it("returns 503 also when the commit finds it, and nothing is written", async () => {
    const bucket = await freshBucket();
    let commits = 0;
    const older: BatchFault = async (sql, sendOn) => {
      if (!sql.some((text) => text.includes("commit_guard"))) return sendOn();
      commits += 1;
      throw new Error("D1_ERROR: table commit_guard has no column named written_at: SQLITE_ERROR");
    };
    const put = async () => send("PUT", `/${bucket}/key`, { body: "x" }, ONE_SHARD);
    const response = await withCoordinatorD1(bucket, older, put);
    await expectS3Error(response, { status: 503, code: "DatabaseSchemaMismatch" });
    expect(commits).toBe(1);
    expect((await send("HEAD", `/${bucket}/key`)).status).toBe(404);
  });
});

describe("a request that finds a schema it cannot migrate", () => {
  it("reports that a newer schema needs a newer Worker", async () => {
    await migrateAllBut(0);
    await DB.prepare("INSERT INTO d1_migrations (name) VALUES ('9999_contract.sql')").run();
    await DB.prepare("ALTER TABLE buckets RENAME COLUMN owner_id TO holder_id").run();
    const response = await send("GET", "/", {}, { DB });
    expect(response.headers.get("retry-after")).toBe("60");
    await expectS3Error(response, { status: 503, code: "DatabaseSchemaMismatch", message: /newer than this Worker/ });
  });

  it("names a database whose tables are missing", async () => {
    await migrateAllBut(0);
    await DB.prepare("DROP TABLE objects").run();
    const response = await send("GET", "/schema-bucket/key", {}, { DB });
    await expectS3Error(response, { status: 503, code: "DatabaseSchemaMismatch", message: /docs\/recovery\.md/ });
  });

  it("does not change a database of another application", async () => {
    await DB.prepare("CREATE TABLE posts (id INTEGER)").run();
    const response = await putObject({ DB });
    await expectS3Error(response, { status: 503, code: "DatabaseSchemaMismatch", message: /something else/ });
    expect((await schemaOf(DB)).map(({ name }) => name)).toEqual(["posts"]);
  });

  it("succeeds when a newer schema only has additions", async () => {
    await migrateAllBut(0);
    await DB.prepare("INSERT INTO d1_migrations (name) VALUES ('9999_expand.sql')").run();
    await DB.prepare("ALTER TABLE objects ADD COLUMN colour TEXT").run();
    expect((await send("GET", "/", {}, { DB })).status).toBe(200);
  });
});

describe("a Worker that was deployed without a binding", () => {
  it.each(["DB", "BLOBS", "COORDINATORS"])("reports when it is %s, to clients of S3 and of IAM", async (name) => {
    const scope = { [name]: undefined };
    const message = new RegExp(`lacks the binding ${name}`);
    await expectS3Error(await send("GET", "/", {}, scope), { status: 503, code: "ServiceUnavailable", message });
    const response = await call("iam", "ListUsers", {}, { scope });
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(message);
  });
});
