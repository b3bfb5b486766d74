// Hosts of delivery: how a Host header is compared, and which host of the configuration it means. Pure.
// See docs/delivery.md.

/** A bucket, and the prefix of all keys that a host delivers. */
export interface DeliveredBucket {
  readonly bucketName: string;
  /** Empty or any text; it need not end with a slash. */
  readonly prefix: string;
}

/** The operator's delivery hosts. */
export interface DeliveryHosts {
  readonly exact: ReadonlyMap<string, DeliveredBucket>;
  /** Domains whose subdomains deliver buckets: `site.example.com` for `*.site.example.com`. */
  readonly wildcards: readonly string[];
}

export const NO_DELIVERY: DeliveryHosts = { exact: new Map(), wildcards: [] };

/** What a delivery host delivers: a bucket of the operator's, or one that D1 knows. */
export type DeliveryTarget =
  | ({ readonly kind: "fixed"; readonly host: string } & DeliveredBucket)
  /** `label` is the part before the wildcard's domain: the bucket's name, unless a bucket claims the host. */
  | { readonly kind: "subdomain"; readonly host: string; readonly label: string };

/** A Host header without case, port and the dot of the root domain. */
export function normalizedHost(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

/** Finds what a host delivers; undefined if it is no delivery host. */
export function deliveryTarget(hostHeader: string, { exact, wildcards }: DeliveryHosts): DeliveryTarget | undefined {
  // Most deployments have none.
  if (exact.size === 0 && wildcards.length === 0) return undefined;
  const host = normalizedHost(hostHeader);
  const fixed = exact.get(host);
  if (fixed !== undefined) return { kind: "fixed", host, ...fixed };
  const label = labelUnder(host, wildcards);
  return label === undefined ? undefined : { kind: "subdomain", host, label };
}

/** The part of a host before the longest of these domains that it is in. */
export function labelUnder(host: string, domains: readonly string[]): string | undefined {
  const within = domains.filter((domain) => isWithin(host, domain));
  if (within.length === 0) return undefined;
  return host.slice(0, -1 - Math.max(...within.map((domain) => domain.length)));
}

/** Whether a host is a subdomain of a domain. */
function isWithin(host: string, domain: string): boolean {
  return host.length > domain.length + 1 && host.endsWith(`.${domain}`);
}

/** Parses the setting: `host=bucket`, `host=bucket/prefix` and `*.domain`; undefined if it is malformed. */
export function parseDelivery(text: string): DeliveryHosts | undefined {
  const exact = new Map<string, DeliveredBucket>();
  const wildcards = new Set<string>();
  for (const item of text.split(",").map((one) => one.trim())) {
    if (item === "") continue;
    const [, domain] = /^\*\.([^=/]+)$/.exec(item) ?? [];
    if (domain !== undefined && isHostName(domain)) {
      wildcards.add(domain.toLowerCase());
      continue;
    }
    const [, host = "", bucketName = "", prefix = ""] = /^([^=]+?)\s*=\s*([^/\s]+)(?:\/(.*))?$/.exec(item) ?? [];
    const isBucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucketName);
    if (!isHostName(host) || !isBucketName || exact.has(host.toLowerCase())) return undefined;
    exact.set(host.toLowerCase(), { bucketName, prefix });
  }
  return { exact, wildcards: Array.from(wildcards) };
}

/** Whether a text is a host name without port. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i.test(text);
}

/**
 * The hosts that would serve both S3 and a site: scripts of the site could then act on the endpoint's origin.
 * @param domains the endpoint's
 */
export function conflictingHosts({ exact, wildcards }: DeliveryHosts, domains: readonly string[]): string[] {
  const isConflict = (host: string): boolean => domains.some((domain) => host === domain || isWithin(host, domain));
  const hosts = Array.from(exact.keys()).filter(isConflict);
  const ofWildcards = wildcards.filter((domain) => isConflict(domain) || domains.some((one) => isWithin(one, domain)));
  return [...hosts, ...ofWildcards.map((domain) => `*.${domain}`)];
}

/** The hosts without the conflicting ones, which keep serving S3. */
export function withoutConflicts(hosts: DeliveryHosts, domains: readonly string[]): DeliveryHosts {
  const conflicts = new Set(conflictingHosts(hosts, domains));
  return {
    exact: new Map(Array.from(hosts.exact).filter(([host]) => !conflicts.has(host))),
    wildcards: hosts.wildcards.filter((domain) => !conflicts.has(`*.${domain}`)),
  };
}

/** The hosts that a host of the console may not be: their paths are keys, or pages with scripts of their own. */
export type ConsoleHostConflict = "bucket" | "delivery";

/**
 * Finds why a host cannot be the console's.
 * @param domains the endpoint's; the console may share a host with one of them
 */
export function consoleHostConflict(
  host: string,
  domains: readonly string[],
  delivery: DeliveryHosts,
): ConsoleHostConflict | undefined {
  if (deliveryTarget(host, delivery) !== undefined) return "delivery";
  return !domains.includes(host) && labelUnder(host, domains) !== undefined ? "bucket" : undefined;
}
