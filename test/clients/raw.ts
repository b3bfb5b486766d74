// Requests that no well-behaved client sends: written to a socket by hand, cut short, malformed or in odd framings.
import assert from "node:assert/strict";
import { type Suite, suiteOf } from "./harness.ts";
import { cutShortChecks } from "./raw/cut-short.ts";
import { envelopeChecks } from "./raw/envelopes.ts";
import { framingChecks } from "./raw/framing.ts";
import { malformedChecks } from "./raw/malformed.ts";
import { pathChecks } from "./raw/paths.ts";
import { rawTools } from "./raw/tools.ts";
import type { Endpoint, Site } from "./site.ts";

/** The raw checks at one endpoint; over TLS those of envelopes, which clients send only there, and of cut connections. */
export function rawSockets(site: Site, endpoint: Endpoint): Suite {
  const tools = rawTools(site, endpoint);
  return suiteOf(`raw sockets (${endpoint.scheme})`, [
    {
      name: "CreateBucket succeeds",
      async run() {
        const { status } = await tools.send({ method: "PUT", target: `/${tools.bucket}` });
        assert.equal(status, 200);
      },
    },
    ...envelopeChecks(tools),
    ...cutShortChecks(tools),
    ...(endpoint.scheme === "http" ? [...pathChecks(tools), ...malformedChecks(tools), ...framingChecks(tools)] : []),
  ]);
}
