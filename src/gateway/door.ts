// Selects the API of a request. The host comes before the path: in virtual-hosted style every path is a key, even
// `/_/health`. The raw target is read, never decoded or normalised.
import { bucketOfHost, splitTarget } from "../protocol/core/addressing.ts";
import type { Settings } from "../config/settings.ts";
import { deliveryTarget } from "../protocol/core/host-names.ts";
import { parseQuery } from "../protocol/core/query.ts";
import type { QueryService } from "../protocol/iam/query-api-xml.ts";

/** The APIs behind the endpoint. */
export type Door = "s3" | QueryService | "health" | "metrics" | "console" | "delivery";

/** These paths are never in path style, because no naming rule allows a bucket called `_`. */
const HEALTH_PATH = "/_/health";
const METRICS_PATH = "/_/metrics";
/** The folder of the web console. */
export const CONSOLE_PATH = "/_/console/";

/**
 * Selects the API of a request. Delivery hosts serve nothing else.
 */
export function doorOf(request: Request, { domains, delivery }: Pick<Settings, "domains" | "delivery">): Door {
  if (deliveryTarget(request.headers.get("host") ?? "", delivery) !== undefined) return "delivery";
  const { path, query } = splitTarget(request.url);
  const isBucketHost = bucketOfHost(request.headers.get("host") ?? "", domains) !== undefined;
  if (path === HEALTH_PATH && !isBucketHost) return "health";
  if (path === METRICS_PATH && !isBucketHost) return "metrics";
  if (isOfConsole(path) && !isBucketHost) return "console";
  return queryServiceOf(request.headers.get("authorization"), query) ?? "s3";
}

/** Its folder, with or without the slash at the end. */
function isOfConsole(path: string): boolean {
  return path.startsWith(CONSOLE_PATH) || path === CONSOLE_PATH.slice(0, -1);
}

/** IAM and STS have no path of their own: the scope of a signature, even an invalid one, names the service. */
function queryServiceOf(authorization: string | null, query: string): QueryService | undefined {
  const credential =
    /Credential=([^,\s]*)/.exec(authorization ?? "")?.[1] ??
    (query.includes("X-Amz-Credential") ? parseQuery(query).get("X-Amz-Credential") : undefined);
  const service = credential?.split("/")[3];
  return service === "iam" || service === "sts" ? service : undefined;
}
