import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { expect } from "vitest";

import { databaseBindings } from "../../src/state/d1/databases.ts";
import { placeBucketsOf } from "./placement.ts";

// What the configuration bound is what readD1Migrations read.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const migrations = Reflect.get(env, "TEST_MIGRATIONS") as D1Migration[];
for (const { d1 } of databaseBindings(env)) await applyD1Migrations(d1, migrations);
placeBucketsOf(expect.getState().testPath ?? "");
