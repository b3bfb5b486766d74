// Lets the Cache API keep what it would keep for seconds. It has the machine's clock: on a busy machine entries would expire
// between two requests of a test. Tests set another clock, by which Cairn computes the age of what it finds.

/** Where the platform's own method is kept: each test file installs the other one again. */
const OWN_PUT = Symbol.for("put of the platform");

export function letCachesLast(): void {
  const own: unknown = Reflect.get(Cache.prototype, OWN_PUT) ?? Reflect.get(Cache.prototype, "put");
  if (typeof own !== "function") throw new Error("there is no Cache API");
  Reflect.set(Cache.prototype, OWN_PUT, own);
  Reflect.set(
    Cache.prototype,
    "put",
    function put(this: Cache, request: RequestInfo | URL, response: Response): unknown {
      return Reflect.apply(own, this, [request, lasting(response)]);
    },
  );
}

function lasting(response: Response): Response {
  if (!/max-age=[1-9]\d?$/.test(response.headers.get("cache-control") ?? "")) return response;
  const headers = new Headers(response.headers);
  headers.set("cache-control", "max-age=3600");
  return new Response(response.body, { headers });
}
