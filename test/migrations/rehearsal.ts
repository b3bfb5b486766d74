// Tests of the migrations as texts: D1's splitter accepts each, and each preserves what earlier Workers use. Run
// by `npm run test:deploy`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { splitLikeD1 } from "../deploy/stand-in/d1-splitter.ts";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";
import { expandOnlyFaults } from "../../scripts/migrations/expand-only.ts";
import { readMigrations } from "../../scripts/migrations/folder.ts";
import { databaseOf, readSchema } from "../../scripts/migrations/schema.ts";

const migrations = readMigrations(join(PROJECT_ROOT, "migrations"));

function applySplit(texts: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const statement of texts.flatMap(splitLikeD1)) database.exec(statement);
  return database;
}

function trigger(body: string): string {
  return `CREATE TABLE t (a INTEGER);
CREATE TRIGGER g AFTER INSERT ON t
BEGIN
  ${body}
END;
CREATE TABLE u (b INTEGER);`;
}

void describe("a splitter with the faults of D1's", () => {
  void it("takes triggers of several statements", () => {
    const database = applySplit([
      trigger("SELECT RAISE(ABORT, 'no; END') WHERE NEW.a = 1; DELETE FROM t WHERE a = 2;"),
    ]);
    assert.deepEqual([...readSchema(database).keys()], ["table t", "table u", "trigger g"]);
  });

  void it("takes a CASE in parentheses and ends the trigger at a bare one", () => {
    const conditional = "CASE NEW.a WHEN 1 THEN 1 ELSE 0 END";
    applySplit([trigger(`SELECT RAISE(ABORT, 'no') WHERE NOT (${conditional}); DELETE FROM t;`)]);
    assert.throws(
      () => applySplit([trigger(`SELECT RAISE(ABORT, 'no') WHERE NOT ${conditional}; DELETE FROM t;`)]),
      /incomplete input/,
    );
  });

  void it("does not see begin in lower case, nor before a carriage return", () => {
    const body = trigger("DELETE FROM t WHERE a = 1;");
    assert.throws(() => applySplit([body.replace("BEGIN", "begin").replace("END", "end")]), /incomplete input/);
    assert.throws(() => applySplit([body.replaceAll("\n", "\r\n")]), /incomplete input/);
  });
});

void describe("the migrations", () => {
  void it("are numbered without gaps", () => {
    const numbers = migrations.map(({ name }) => name.slice(0, 4));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => String(index + 1).padStart(4, "0")),
    );
  });

  void it("make the same schema through D1's splitter as when each is taken whole", () => {
    const texts = migrations.map(({ sql }) => sql);
    assert.deepEqual(readSchema(applySplit(texts)), readSchema(databaseOf(texts)));
  });

  for (const { name, sql } of migrations) {
    void it(`${name} holds nothing that D1's splitter trips over`, () => {
      assert.doesNotThrow(() =>
        databaseOf([...migrations.filter((other) => other.name < name).map(({ sql }) => sql), sql]),
      );
      assert.doesNotMatch(sql, /\r/);
      const code = sql.replaceAll(/--[^\n]*|'(?:[^']|'')*'/g, "");
      assert.doesNotMatch(code, /\b(?!BEGIN|END|CASE)(begin|end|case)\b/i, "upper-case keywords");
      assert.doesNotMatch(code, /[^(\s]\s*\bCASE\b/, "every CASE stands right after an opening parenthesis");
    });
  }

  void it("are checked out with LF on every system", () => {
    const attributes = spawnSync("git", ["check-attr", "text", "eol", "--", `migrations/${migrations[0]?.name}`], {
      cwd: PROJECT_ROOT,
      encoding: "utf8",
    });
    if (attributes.status === 0) assert.match(attributes.stdout, /text: set\n.*eol: lf/);
    assert.match(readFileSync(join(PROJECT_ROOT, ".gitattributes"), "utf8"), /^\*\.sql text eol=lf$/m);
  });

  void it("preserve every table and column that an earlier Worker uses", () => {
    assert.deepEqual(expandOnlyFaults(migrations), []);
  });
});

void describe("the check for expanding migrations", () => {
  const base = { name: "1", sql: "CREATE TABLE t (a INTEGER, b INTEGER); CREATE VIEW v AS SELECT a, b FROM t;" };
  const refused: Readonly<Record<string, string>> = {
    "renames a column": "DROP VIEW v; ALTER TABLE t RENAME COLUMN a TO c; CREATE VIEW v AS SELECT c AS a, b FROM t;",
    "renames a table": "DROP VIEW v; ALTER TABLE t RENAME TO u; CREATE VIEW v AS SELECT a, b FROM u;",
    "drops a column": "DROP VIEW v; ALTER TABLE t DROP COLUMN b; CREATE VIEW v AS SELECT a, a AS b FROM t;",
    "drops a table": "DROP VIEW v; DROP TABLE t; CREATE VIEW v AS SELECT 1 AS a, 2 AS b;",
    "drops a view": "DROP VIEW v;",
    "recreates a view with a column less": "DROP VIEW v; CREATE VIEW v AS SELECT a FROM t;",
    "creates a table again with a stricter column":
      "DROP VIEW v; DROP TABLE t; CREATE TABLE t (a INTEGER NOT NULL, b INTEGER); CREATE VIEW v AS SELECT a, b FROM t;",
    "makes old columns unique": "CREATE UNIQUE INDEX i ON t (a);",
    "raises on writes to an old table":
      "CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'no') WHERE NEW.b IS NULL; END;",
  };
  for (const [what, sql] of Object.entries(refused)) {
    void it(`refuses a migration that ${what}`, () => {
      assert.equal(expandOnlyFaults([base, { name: "2", sql }]).length > 0, true);
    });
  }

  void it("accepts new tables, columns and indexes, and views recreated with more columns", () => {
    const sql = `ALTER TABLE t ADD COLUMN c TEXT; CREATE TABLE u (a TEXT); CREATE UNIQUE INDEX i ON u (a);
      CREATE INDEX j ON t (c); DROP VIEW v; CREATE VIEW v AS SELECT a, b, c FROM t;`;
    assert.deepEqual(expandOnlyFaults([base, { name: "2", sql }]), []);
  });
});
