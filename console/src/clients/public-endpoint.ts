// Reads the server's hosts: the endpoint for links and other clients, which differs from the origin of a page on the
// console's own host, and the domains of websites.

export interface PublicEndpoint {
  /** Without a trailing slash. Where the server names none, it is the page's own origin. */
  readonly endpoint: string;
  /** The domains below which each bucket with a website has a host of its name. */
  readonly sites: readonly string[];
}

/** Never rejects. */
export async function getPublicEndpoint({ origin, protocol, port }: Location): Promise<PublicEndpoint> {
  try {
    const response = await fetch(`${origin}/_/console/endpoint.json`);
    const answer: unknown = await response.json();
    const [host, sites]: unknown[] = [Reflect.get(Object(answer), "host"), Reflect.get(Object(answer), "sites")];
    return {
      endpoint: typeof host === "string" ? `${protocol}//${host}${port === "" ? "" : `:${port}`}` : origin,
      sites: Array.isArray(sites) ? sites.filter((site) => typeof site === "string") : [],
    };
  } catch {
    return { endpoint: origin, sites: [] };
  }
}
