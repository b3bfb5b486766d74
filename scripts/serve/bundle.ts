// Bundles the Worker in memory, the way wrangler does for a deployment.
import { build } from "esbuild";

/** Bundles a Worker's entry file into the text of one ES module. */
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
    // Stack traces and error names keep the names of the source.
    keepNames: true,
    minify: isMinified,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return output.text;
}
