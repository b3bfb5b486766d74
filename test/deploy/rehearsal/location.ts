// How a chosen location gets into wrangler.toml, however the file is written. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parse } from "smol-toml";
import { rememberLocation } from "../../../scripts/deploy/location.ts";

const folder = mkdtempSync(join(tmpdir(), "cairn-location-"));
after(() => rmSync(folder, { recursive: true }));

function remembered(toml: string): string {
  const file = join(folder, "wrangler.toml");
  writeFileSync(file, toml);
  rememberLocation(file, "weur");
  return readFileSync(file, "utf8");
}

const BOTH = { vars: { LOCATION: "weur", EDGE: "x" }, placement: { region: "aws:eu-west-1" } };

void describe("a location", () => {
  for (const [name, toml] of [
    ["a file without a placement", '[vars]\nEDGE = "x"\n'],
    ["a file that does not end with a newline", '[vars]\nEDGE = "x"'],
    ["lines that end with CRLF", '[vars]\r\nEDGE = "x"\r\n'],
    ["a comment behind a table's name", '[vars] # mine\nEDGE = "x"\n'],
    ["spaces within a table's name", ' [ vars ]\nEDGE = "x"\n'],
    ["other values without spaces", '[vars]\nLOCATION="oc"\nEDGE="x"\n[placement]\nregion="aws:us-east-1"\n'],
    [
      "a quoted key and an indented one",
      '[vars]\n"LOCATION" = "oc"\nEDGE = "x"\n[placement]\n  region = "aws:us-east-1"',
    ],
  ] as const) {
    void it(`is written into ${name}`, () => {
      const changed = remembered(toml);
      assert.deepEqual(JSON.parse(JSON.stringify(parse(changed))), BOTH, changed);
      assert.equal(changed.includes("# mine"), toml.includes("# mine"));
      if (toml.includes("\r")) assert.doesNotMatch(changed, /[^\r]\n/);
      assert.equal(remembered(changed), changed, "a second time changes nothing");
    });
  }

  void it("leaves another placement alone", () => {
    const changed = parse(remembered('[vars]\nEDGE = "x"\n[placement]\nmode = "smart"\n'));
    assert.deepEqual(JSON.parse(JSON.stringify(changed)), { vars: BOTH.vars, placement: { mode: "smart" } });
  });

  for (const [name, toml] of [
    ["an inline table", 'name = "c"\nvars = { EDGE = "x" }\n'],
    ["dotted keys", 'vars.EDGE = "x"\n'],
    ["a text that looks like a table", '[a]\ntext = """\n[vars]\n"""\n[vars]\nEDGE = "x"\n'],
  ] as const) {
    void it(`is not written into ${name}, and the failure says what to write`, () => {
      const says = /write LOCATION = "weur" in \[vars\] and region = "aws:eu-west-1" in \[placement\]/;
      assert.throws(() => remembered(toml), says);
      assert.equal(readFileSync(join(folder, "wrangler.toml"), "utf8"), toml);
    });
  }
});
