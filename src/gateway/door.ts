// Selects the API of a request. The host comes before the path: in virtual-hosted style every path is a key, even
// `/_/health`. The raw target is read, never decoded or normalised.
import { bucketOfHost, splitTarget } from "../protocol/core/addressing.ts";
import type { Settings } from "../config/settings.ts";
import { deliveryTarget, normalizedHost } from "../protocol/core/host-names.ts";
import { decodeText } from "../protocol/core/text-encodings.ts";
import type { QueryService } from "../protocol/iam/query-api-xml.ts";

/** The APIs behind the endpoint. */
export type Door = "s3" | QueryService | "health" | "metrics" | "console" | "delivery";

/** These paths are never in path style, because no naming rule allows a bucket called `_`. */
const OWN_PREFIX = "/_/";
const HEALTH_PATH = "/_/health";
const METRICS_PATH = "/_/metrics";
const CREDENTIAL = "X-Amz-Credential=";
/** The folder of the web console. */
export const CONSOLE_PATH = "/_/console/";

type Hosts = Pick<Settings, "domains" | "delivery"> & Partial<Pick<Settings, "consoleHost">>;

/**
 * Selects the API of a request. Delivery hosts serve nothing else.
 */
export function doorOf(request: Request, { domains, delivery, consoleHost }: Hosts): Door {
  const { headers, url } = request;
  const host = headers.get("host") ?? "";
  if (deliveryTarget(host, delivery) !== undefined) return "delivery";
  const { path, query } = splitTarget(url);
  const own = path.startsWith(OWN_PREFIX) ? doorOfOwnPath(path) : undefined;
  if (own !== undefined && bucketOfHost(host, domains) === undefined) return own;
  if (consoleHost !== undefined && isPage(request, path, query) && isConsoleHost(host, consoleHost)) return "console";
  return queryServiceOf(headers.get("authorization"), query) ?? "s3";
}

/** Whether a Host header is that of the console. */
export function isConsoleHost(hostHeader: string, consoleHost: string | undefined): boolean {
  return consoleHost !== undefined && normalizedHost(hostHeader) === consoleHost;
}

/** Whether a browser opens the root. It signs nothing; ListBuckets is signed, in a header or in the query. */
function isPage({ method, headers }: Request, path: string, query: string): boolean {
  return path === "/" && query === "" && (method === "GET" || method === "HEAD") && !headers.has("authorization");
}

function doorOfOwnPath(path: string): "health" | "metrics" | "console" | undefined {
  if (path === HEALTH_PATH) return "health";
  if (path === METRICS_PATH) return "metrics";
  return isOfConsole(path) ? "console" : undefined;
}

/** Its folder, with or without the slash at the end. */
function isOfConsole(path: string): boolean {
  return path.startsWith(CONSOLE_PATH) || path === CONSOLE_PATH.slice(0, -1);
}

/** IAM and STS have no path of their own: the scope of a signature, even an invalid one, names the service. */
function queryServiceOf(authorization: string | null, query: string): QueryService | undefined {
  const credential = /Credential=([^,\s]*)/.exec(authorization ?? "")?.[1] ?? credentialOf(query);
  const service = credential?.split("/")[3];
  return service === "iam" || service === "sts" ? service : undefined;
}

/** The credential of a presigned query. The rest of the query is not decoded here, because most requests never need it. */
function credentialOf(query: string): string | undefined {
  let at = query.indexOf(CREDENTIAL);
  // Not the end of another parameter's name.
  while (at > 0 && query[at - 1] !== "&") at = query.indexOf(CREDENTIAL, at + 1);
  if (at < 0) return undefined;
  const start = at + CREDENTIAL.length;
  const end = query.indexOf("&", start);
  return decodeText("query", end < 0 ? query.slice(start) : query.slice(start, end));
}
