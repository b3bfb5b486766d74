// Serves Cairn for a bench: on a free port, with the credentials of the load generator, without a log of requests, and with
// its blobs in the simulator of R2, which the bare Worker has too.
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { serveCairn, type ServeOptions, type ServedCairn } from "../../scripts/serve/runtime.ts";
import { CREDENTIALS } from "./signer.ts";
import { temporaryState } from "./temporary-state.ts";

/** Serves Cairn, in a new state folder unless `state` is given. `bindings` are further settings. */
export async function serveMeasured(options: Partial<ServeOptions> = {}): Promise<ServedCairn> {
  return serveCairn({
    port: 0,
    host: "127.0.0.1",
    blobs: "r2",
    ...options,
    state: options.state ?? temporaryState(),
    bindings: {
      [ACCESS_KEY_ID]: CREDENTIALS.accessKeyId,
      [SECRET_ACCESS_KEY]: CREDENTIALS.secretAccessKey,
      LOG_REQUESTS: "false",
      ...options.bindings,
    },
  });
}
