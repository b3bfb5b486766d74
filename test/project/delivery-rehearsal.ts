// Tests that both Workers' configurations can be deployed, run by `npm run test:deploy`: wrangler bundles each of them
// without an account.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { parse } from "smol-toml";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

/** Bundles a Worker and returns wrangler's report and the bundle. */
function dryRun(config: string): { readonly report: string; readonly bundle: string } {
  const folder = mkdtempSync(join(tmpdir(), "cairn-dry-run-"));
  try {
    const report = execFileSync(
      join(PROJECT_ROOT, "node_modules", ".bin", "wrangler"),
      ["deploy", "--dry-run", "--outdir", folder, "--config", join(PROJECT_ROOT, config)],
      { encoding: "utf8", env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" } },
    );
    const script = readdirSync(folder).find((name) => name.endsWith(".js")) ?? "";
    return { report, bundle: readFileSync(join(folder, script), "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void test("the S3 endpoint's Worker has all bindings", () => {
  const { report, bundle } = dryRun("wrangler.toml");
  for (const binding of ["env.DB", "env.BLOBS", "env.COORDINATORS"]) assert.ok(report.includes(binding), report);
  assert.match(bundle, /KeyCoordinator/);
});

void test("the delivery Worker has the same database and bucket, and no coordinators and no schedule", () => {
  const { report, bundle } = dryRun("wrangler.delivery.toml");
  for (const binding of ["env.DB", "env.BLOBS"]) assert.ok(report.includes(binding), report);
  assert.ok(!report.includes("COORDINATORS"), report);
  assert.match(bundle, /s-maxage=/);
  const [s3, delivery] = ["wrangler.toml", "wrangler.delivery.toml"].map((file) =>
    parse(readFileSync(join(PROJECT_ROOT, file), "utf8")),
  );
  for (const shared of ["compatibility_date", "d1_databases", "r2_buckets", "observability", "limits"]) {
    const expected = JSON.stringify(s3?.[shared]).replace(/,"migrations_dir":"\w+"/, "");
    assert.equal(JSON.stringify(delivery?.[shared]), expected, shared);
  }
  assert.equal(delivery?.["triggers"], undefined);
});
