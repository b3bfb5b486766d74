// The folder of the built web console, which wrangler.toml names too, and how it is built.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { PROJECT_ROOT } from "./wrangler-toml.ts";

export const CONSOLE_FILES = join(PROJECT_ROOT, "dist", "console");
const CONFIGURATION = resolve(import.meta.dirname, "..", "..", "console", "vite.config.ts");

export function isConsoleBuilt(): boolean {
  return existsSync(join(CONSOLE_FILES, "index.html"));
}

/** Builds the console. Vite is loaded only here, because it takes longer to load than to build. */
export async function buildConsole(): Promise<void> {
  const { build } = await import("vite");
  await build({ configFile: CONFIGURATION, logLevel: "error", build: { outDir: CONSOLE_FILES, emptyOutDir: true } });
}
