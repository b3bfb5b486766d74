// Signs URLs with aws4fetch, and sends requests to them.
import { AwsClient } from "aws4fetch";

import { anonymous, deliver, ENDPOINT, ROOT } from "../support/client.ts";

export interface Signing {
  readonly signedAt?: number;
  readonly expires?: number;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** A URL that any bearer can use, with the host as its only signed header. */
export async function urlOf(method: string, target: string, signing: Signing = {}): Promise<string> {
  const { signedAt = Date.now(), expires = 60, credentials = ROOT } = signing;
  const url = new URL(`${ENDPOINT}${target}`);
  url.searchParams.set("X-Amz-Expires", String(expires));
  const client = new AwsClient({ ...credentials, service: "s3", region: "us-east-1" });
  const datetime = new Date(signedAt).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  return (await client.sign(url.href, { method, aws: { signQuery: true, datetime } })).url;
}

/** Uses a URL as a browser does. */
export async function use(
  method: string,
  url: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return deliver(anonymous(method, url.slice(ENDPOINT.length), { body, headers }));
}
