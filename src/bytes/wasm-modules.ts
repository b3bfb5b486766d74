// The WebAssembly modules of digests. The runtime compiles no bytes, so they are imported, and entry points install them.
import crc64nvme from "./crc64nvme.wasm";
import { installCrc64Nvme } from "./crc64nvme.ts";
import xxhash from "./xxhash.wasm";
import { installXxhash } from "./xxhash.ts";

/** Makes the modules available to digests. */
export function installWasmModules(): void {
  installCrc64Nvme(crc64nvme);
  installXxhash(xxhash);
}
