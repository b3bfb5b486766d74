// Takes an incoming Request apart without letting anything be resolved, decoded or normalised on the way.
import type { Settings } from "../config/settings.ts";
import { bucketOfHost, parseAddress, splitTarget } from "../protocol/core/addressing.ts";
import { parseQuery } from "../protocol/core/query.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";

const CLIENT_ADDRESS = "cf-connecting-ip";

/** @throws S3Error InvalidURI, KeyTooLongError */
export function receive(incoming: Request, settings: Settings): S3Request {
  const { path, query } = splitTarget(incoming.url);
  const hostBucket = bucketOfHost(incoming.headers.get("host") ?? "", settings.domains);
  // A runtime without an edge before it may take `cf` from a header of the client's.
  const cf = settings.edge === "cloudflare" ? incoming.cf : undefined;
  const acceptEncoding: unknown = cf?.["clientAcceptEncoding"];
  const tlsVersion: unknown = cf?.["tlsVersion"];
  return {
    method: incoming.method,
    address: parseAddress(path, hostBucket, incoming.headers.get("x-amz-account-id") ?? undefined),
    rawPath: path,
    query: parseQuery(query),
    headers: cf === undefined ? withoutAddress(incoming.headers) : incoming.headers,
    isSecure: settings.edge === "cloudflare" && incoming.url.startsWith("https:"),
    clientAcceptEncoding: typeof acceptEncoding === "string" ? acceptEncoding : undefined,
    tlsVersion: typeof tlsVersion === "string" ? /\d\.\d/.exec(tlsVersion)?.[0] : undefined,
    body: incoming.body,
  };
}

/** The edge tells the client's address, over whatever a client says. Where there is no edge, nobody's word is taken. */
function withoutAddress(headers: Headers): Headers {
  if (!headers.has(CLIENT_ADDRESS)) return headers;
  const vouched = new Headers(headers);
  vouched.delete(CLIENT_ADDRESS);
  return vouched;
}
