import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

// What the configuration bound is what readD1Migrations read.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const migrations = Reflect.get(env, "TEST_MIGRATIONS") as D1Migration[];
await applyD1Migrations(env.DB, migrations);
