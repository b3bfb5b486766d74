// The endpoint for links and settings of other clients: on a host of the console's own, the server names another one.

/** Without a trailing slash. Where the server names none, it is the page's own origin. Never rejects. */
export async function getPublicEndpoint({ origin, protocol, port }: Location): Promise<string> {
  try {
    const response = await fetch(`${origin}/_/console/endpoint.json`);
    const host: unknown = Reflect.get(Object(await response.json()), "host");
    return typeof host === "string" ? `${protocol}//${host}${port === "" ? "" : `:${port}`}` : origin;
  } catch {
    return origin;
  }
}
