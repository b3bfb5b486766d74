// Bundles the Worker in memory, as wrangler does for a deployment. WebAssembly modules stay apart, because the runtime
// compiles them when the Worker starts.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";

const WASM_FOLDER = join(import.meta.dirname, "..", "..", "src", "bytes");
const WASM_IMPORT = /\bfrom\s*"\.\/(\w+\.wasm)"/g;

/** Makes each WebAssembly file a module beside the bundle. */
const wasmBesideBundle: Plugin = {
  name: "wasm",
  setup(build) {
    build.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true }));
  },
};

/** A module of a Worker, in the terms of Miniflare. */
export type WorkerModule =
  | { type: "ESModule"; path: string; contents: string }
  | { type: "CompiledWasm"; path: string; contents: Uint8Array<ArrayBuffer> };

/** The modules of a bundled Worker: its text and the WebAssembly files that it imports. */
export function workerModules(bundle: string, path = "worker.js"): WorkerModule[] {
  const files = new Set([...bundle.matchAll(WASM_IMPORT)].map(([, file = ""]) => file));
  return [
    { type: "ESModule", path, contents: bundle },
    ...[...files].map((file): WorkerModule => ({
      type: "CompiledWasm",
      path: file,
      contents: new Uint8Array(readFileSync(join(WASM_FOLDER, file))),
    })),
  ];
}

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
    plugins: [wasmBesideBundle],
    // Stack traces and error names must contain the names in the source. Only minifying changes them, and keeping them
    // otherwise makes each function that is created cost a call.
    keepNames: isMinified,
    minify: isMinified,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild produced no output for ${entry}`);
  return output.text;
}
