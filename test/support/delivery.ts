// Visits of delivery hosts, as browsers make them.
import { anonymous, deliver, type RequestScope } from "./client.ts";
import { d1With } from "./faults.ts";
import { freshBucket, freshBucketName, putAll } from "./fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "./policies.ts";

export const WILDCARD = "site.example.net";

/** A bucket with a delivery host of its own. */
export interface Site {
  readonly bucket: string;
  readonly host: string;
  /** The environment in which the host delivers the bucket. */
  readonly scope: RequestScope;
}

/** A bucket with these objects, which everyone may read, and a host that delivers it. */
export async function publicSite(objects: Readonly<Record<string, string>> = {}): Promise<Site> {
  const bucket = await freshBucket();
  await putPolicy(bucket, publicReadPolicy(bucket));
  await putAll(bucket, objects);
  return siteOf(bucket);
}

/** A host for a bucket, or for a prefix of it. */
export function siteOf(bucket: string, prefix = ""): Site {
  const host = `${freshBucketName()}.example.org`;
  return { bucket, host, scope: { DELIVERY: `${host}=${bucket}${prefix === "" ? "" : `/${prefix}`}, *.${WILDCARD}` } };
}

export interface VisitOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly scope?: RequestScope;
}

/** Sends a request to a site without credentials. */
export async function visit(
  { host, scope }: Pick<Site, "host" | "scope">,
  target: string,
  { method = "GET", headers, scope: more = {} }: VisitOptions = {},
): Promise<Response> {
  const request = anonymous(method, target, {
    endpoint: `http://${host}`,
    ...(headers === undefined ? {} : { headers }),
  });
  return deliver(request, { ...scope, ...more });
}

/** The body as text, whatever its type. */
export async function textOf(response: Response): Promise<string> {
  return new TextDecoder().decode(await response.arrayBuffer());
}

/** Status and text of a visit. */
export async function seen(
  site: Pick<Site, "host" | "scope">,
  target: string,
  options: VisitOptions = {},
): Promise<[number, string]> {
  const response = await visit(site, target, options);
  return [response.status, await textOf(response)];
}

/** A D1 that counts its batches. */
export class CountingD1 {
  batches = 0;
  readonly DB: D1Database;

  constructor() {
    this.DB = d1With(async (_sql, send) => {
      this.batches += 1;
      return send();
    });
  }
}
