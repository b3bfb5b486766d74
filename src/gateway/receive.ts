// Takes an incoming Request apart without letting anything be resolved, decoded or normalised on the way.
import type { Settings } from "../contract/settings.ts";
import { bucketOfHost, parseAddress, splitTarget } from "../protocol/addressing.ts";
import { parseQuery } from "../protocol/query.ts";
import type { S3Request } from "../protocol/s3-request.ts";

/** @throws S3Error InvalidURI, KeyTooLongError */
export function receive(incoming: Request, settings: Settings): S3Request {
  const { path, query } = splitTarget(incoming.url);
  const hostBucket = bucketOfHost(incoming.headers.get("host") ?? "", settings.domains);
  const acceptEncoding: unknown = incoming.cf?.["clientAcceptEncoding"];
  const tlsVersion: unknown = incoming.cf?.["tlsVersion"];
  return {
    method: incoming.method,
    address: parseAddress(path, hostBucket),
    rawPath: path,
    query: parseQuery(query),
    headers: incoming.headers,
    isSecure: incoming.url.startsWith("https:"),
    clientAcceptEncoding: typeof acceptEncoding === "string" ? acceptEncoding : undefined,
    tlsVersion: typeof tlsVersion === "string" ? /\d\.\d/.exec(tlsVersion)?.[0] : undefined,
    body: incoming.body,
  };
}
