// The Worker's bindings, as wrangler.toml declares them. Ambient, so that no file imports its environment from the entry.
// Everything that is not a binding is a setting: src/config/settings.ts names each one and its default.

declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database;
    /** Optional further databases: META_1, META_2, … */
    readonly [further: `META_${number}`]: D1Database | undefined;
    readonly BLOBS: R2Bucket;
    /** The disk store of a local server. Deployments have none. */
    readonly DISK?: Fetcher;
    /** The header in which the front of a local server reports a client's address. Clients do not know its name. */
    readonly CLIENT_ADDRESS_HEADER?: string;
    /** Optional: the platform's limiter of requests without credentials (docs/quotas.md). */
    readonly ANONYMOUS_RATE_LIMIT?: RateLimit;
    /** The files of the web console, which are absent from a checkout that has not built them. */
    readonly ASSETS?: Fetcher;
    // An import statement would make this file a module, and its declarations local.
    // oxlint-disable-next-line typescript/consistent-type-imports
    readonly COORDINATORS: DurableObjectNamespace<import("./state/writes/key-coordinator.ts").KeyCoordinator>;
  }
}

type Env = Cloudflare.Env;

// Text modules: wrangler, the vitest plugin and the local server's bundle all import them so.
declare module "*.sql" {
  const text: string;
  export default text;
}

/** A WebAssembly file that a Worker imports is a compiled module. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
