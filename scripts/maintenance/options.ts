// Parses the command lines of the maintenance scripts.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";

/** The options of a maintenance script. */
export interface MaintenanceOptions {
  readonly state: string;
  /** The flags that were given. */
  readonly flags: ReadonlySet<string>;
  /** The options with a value that were given. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Parses the arguments of this process. Prints the usage and exits on --help and on invalid arguments. */
export function readArguments(
  usage: string,
  flags: Readonly<Record<string, { readonly type: "boolean"; readonly default: false }>>,
  texts: readonly string[] = [],
): MaintenanceOptions {
  try {
    const state = { type: "string", default: resolve(PROJECT_ROOT, ".cairn") } as const;
    const withValues = Object.fromEntries(texts.map((name) => [name, { type: "string" }] as const));
    const help = { type: "boolean", short: "h", default: false } as const;
    const { values } = parseArgs({ options: { ...flags, ...withValues, state, help } });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (values.state === "") throw new Error("--state: a folder is missing");
    const given = Object.entries(values).flatMap(([name, value]) => (value === true ? [name] : []));
    const named = Object.entries(values).flatMap(([name, value]) =>
      typeof value === "string" && name !== "state" ? [[name, value] as const] : [],
    );
    return { state: resolve(values.state), flags: new Set(given), texts: new Map(named) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
