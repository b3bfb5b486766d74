// `npm run migrations:carry`: lists the migrations folder in the Worker's source, so that the bundle contains every
// file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT, readWranglerToml } from "../project/wrangler-toml.ts";
import { readMigrations } from "./folder.ts";

const FILE = join(PROJECT_ROOT, "src", "state", "d1", "migration-files.ts");

const names = readMigrations(readWranglerToml().d1.migrationsDir).map(({ name }) => name);
const constantOf = (name: string): string => `M${name.slice(0, 4)}`;

writeFileSync(
  FILE,
  `// Every file of the migrations folder, in order. Written by \`npm run migrations:carry\`.
${names.map((name) => `import ${constantOf(name)} from "../../../migrations/${name}";\n`).join("")}
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
${names.map((name) => `  { name: "${name}", sql: ${constantOf(name)} },\n`).join("")}];
`,
);
