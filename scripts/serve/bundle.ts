// Bundles the Worker in memory, as wrangler does for a deployment.
import { build } from "esbuild";

/** Bundles a Worker's entry file and returns the text of one ES module. */
export async function bundleWorker(entry: string, { isMinified = false } = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".sql": "text" },
    // Stack traces and error names must contain the names in the source.
    keepNames: true,
    minify: isMinified,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild produced no output for ${entry}`);
  return output.text;
}
