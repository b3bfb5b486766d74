// Sends requests signed with a set of keys. S3, IAM and STS share one endpoint, and a request's signature names the
// service.
import { AwsClient } from "aws4fetch";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only in temporary credentials. */
  readonly sessionToken?: string;
}

export interface Place {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly region: string;
}

/** The headers and body of an S3 request. */
export interface RequestDetails {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

type Parameters = Readonly<Record<string, string>>;

const API_VERSIONS = { iam: "2010-05-08", sts: "2011-06-15" } as const;

/** Keys at an endpoint. */
export class Caller {
  readonly place: Place;
  readonly keys: Keys;
  readonly #client: AwsClient;

  constructor(place: Place, keys: Keys) {
    this.place = place;
    this.keys = keys;
    this.#client = new AwsClient({ ...keys, region: place.region, retries: 0 });
  }

  /**
   * Sends a request to S3 and returns its response, successful or not.
   * @param target encoded path and query
   */
  s3(method: string, target: string, { headers = {}, body }: RequestDetails = {}): Promise<Response> {
    return this.#client.fetch(this.place.endpoint + target, {
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      aws: { service: "s3", allHeaders: true },
    });
  }

  /** Returns a URL that permits one kind of S3 request for some seconds. */
  async presign(method: string, target: string, seconds: number): Promise<string> {
    const url = new URL(this.place.endpoint + target);
    url.searchParams.set("X-Amz-Expires", String(seconds));
    const { url: signed } = await this.#client.sign(url, { method, aws: { service: "s3", signQuery: true } });
    return signed;
  }

  /**
   * Calls IAM and returns its XML.
   * @throws Error with the code and message of a refusal
   */
  iam(action: string, parameters: Parameters = {}): Promise<string> {
    return this.#call("iam", action, parameters);
  }

  /**
   * Calls STS and returns its XML.
   * @throws Error with the code and message of a refusal
   */
  sts(action: string, parameters: Parameters = {}): Promise<string> {
    return this.#call("sts", action, parameters);
  }

  async #call(service: keyof typeof API_VERSIONS, action: string, parameters: Parameters): Promise<string> {
    const response = await this.#client.fetch(`${this.place.endpoint}/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: new URLSearchParams({ Action: action, Version: API_VERSIONS[service], ...parameters }).toString(),
      aws: { service },
    });
    const xml = await response.text();
    if (!response.ok) throw new Error(`${action}: ${textIn(xml, "Code")}: ${textIn(xml, "Message")}`);
    return xml;
  }
}

/** The text of the first element with a name; empty if there is none. */
export function textIn(xml: string, name: string): string {
  return textsIn(xml, name)[0] ?? "";
}

/** The texts of all elements with a name. */
export function textsIn(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"));
  return Array.from(found, ([, text = ""]) =>
    text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  );
}

/** The keys in a response of IAM or STS. */
export function keysIn(xml: string): Keys {
  const sessionToken = textIn(xml, "SessionToken");
  return {
    accessKeyId: textIn(xml, "AccessKeyId"),
    secretAccessKey: textIn(xml, "SecretAccessKey"),
    ...(sessionToken === "" ? {} : { sessionToken }),
  };
}
