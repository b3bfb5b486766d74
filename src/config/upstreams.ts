// The S3 stores that the operator declares for imports. Buckets name them, so neither an endpoint nor a credential comes
// from a request.

/** An S3 store, and the buckets that may import from it. */
export interface Upstream {
  /** Scheme, host and port. */
  readonly endpoint: string;
  /** The region that requests are signed for. */
  readonly region: string;
  readonly style: "path" | "virtual";
  /** Undefined: requests are not signed. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Names of Cairn's buckets; one that ends in `*` is a prefix. */
  readonly buckets: readonly string[];
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const ENDPOINT = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?\/?$/i;
const FIELDS = new Set(["endpoint", "region", "style", "accessKeyId", "secretAccessKey", "buckets"]);

/** Parses the JSON of UPSTREAMS; undefined if it is invalid. */
export function parseUpstreams(text: string): ReadonlyMap<string, Upstream> | undefined {
  const upstreams = new Map<string, Upstream>();
  if (text === "") return upstreams;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(parsed)) return undefined;
  for (const [name, value] of Object.entries(parsed)) {
    const upstream = isRecord(value) ? readUpstream(value) : undefined;
    if (upstream === undefined || !NAME.test(name)) return undefined;
    upstreams.set(name, upstream);
  }
  return upstreams;
}

/** Whether the operator lets a bucket import from an upstream. */
export function mayImport({ buckets }: Upstream, bucketName: string): boolean {
  return buckets.some((name) => (name.endsWith("*") ? bucketName.startsWith(name.slice(0, -1)) : bucketName === name));
}

function readUpstream(fields: Readonly<Record<string, unknown>>): Upstream | undefined {
  // A misspelt field would otherwise be a default.
  if (Object.keys(fields).some((name) => !FIELDS.has(name))) return undefined;
  const { endpoint, region = "auto", style = "path", accessKeyId, secretAccessKey, buckets } = fields;
  if (typeof endpoint !== "string" || !ENDPOINT.test(endpoint) || !URL.canParse(endpoint)) return undefined;
  if (typeof region !== "string" || !/^[a-z0-9-]{1,64}$/i.test(region)) return undefined;
  if (style !== "path" && style !== "virtual") return undefined;
  if (!isNameList(buckets)) return undefined;
  if (accessKeyId === undefined && secretAccessKey === undefined) {
    return { endpoint, region, style, credentials: undefined, buckets };
  }
  if (typeof accessKeyId !== "string" || !/^[\w.+@-]{3,128}$/.test(accessKeyId)) return undefined;
  if (typeof secretAccessKey !== "string" || secretAccessKey === "") return undefined;
  return { endpoint, region, style, credentials: { accessKeyId, secretAccessKey }, buckets };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNameList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === "string" && /^[a-z0-9._-]*\*?$/i.test(name) && name !== "")
  );
}
