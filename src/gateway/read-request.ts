// Reads an incoming Request as an S3Request, without resolving, decoding or normalising its target.
import type { Settings } from "../config/settings.ts";
import { bucketOfHost, parseAddress, splitTarget } from "../protocol/core/addressing.ts";
import { parseQuery } from "../protocol/core/query.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { SentHeaders } from "../protocol/core/sent-headers.ts";

const CLIENT_ADDRESS = "cf-connecting-ip";

/** @throws S3Error InvalidURI, KeyTooLongError */
export function readRequest(incoming: Request, settings: Settings): S3Request {
  const { path, query } = splitTarget(incoming.url);
  const hostBucket = bucketOfHost(incoming.headers.get("host") ?? "", settings.domains);
  return {
    method: incoming.method,
    address: parseAddress(path, hostBucket, incoming.headers.get("x-amz-account-id") ?? undefined),
    rawPath: path,
    query: parseQuery(query),
    ...readConnection(incoming, settings),
    body: incoming.body,
  };
}

/** Reads the headers, and what a trusted edge reports of the connection. */
export function readConnection(
  incoming: Request,
  { edge, clientAddressHeader }: Settings,
): Pick<S3Request, "headers" | "isSecure" | "clientAcceptEncoding" | "tlsVersion"> {
  // Without an edge before it, a runtime may take `cf` from a client's header.
  const cf = edge === "cloudflare" ? incoming.cf : undefined;
  const acceptEncoding: unknown = cf?.["clientAcceptEncoding"];
  const tlsVersion: unknown = cf?.["tlsVersion"];
  return {
    // Only the edge overwrites the client's address. Without an edge, a client could send any address.
    headers: new SentHeaders(incoming.headers, cf === undefined ? addressOfFront(incoming, clientAddressHeader) : {}),
    isSecure: edge === "cloudflare" && incoming.url.startsWith("https:"),
    clientAcceptEncoding: typeof acceptEncoding === "string" ? acceptEncoding : undefined,
    tlsVersion: typeof tlsVersion === "string" ? /\d\.\d/.exec(tlsVersion)?.[0] : undefined,
  };
}

/** The address that the front of a local server reports, in place of any that the client sent. */
function addressOfFront({ headers }: Request, name: string | undefined): Readonly<Record<string, string | undefined>> {
  if (name === undefined) return { [CLIENT_ADDRESS]: undefined };
  return { [name]: undefined, [CLIENT_ADDRESS]: headers.get(name) ?? undefined };
}
