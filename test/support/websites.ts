// Website configurations, as clients put them.
import { send } from "./client.ts";

const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";

/** A configuration with an index document and more elements. */
export function websiteDocument(more = ""): string {
  return websiteOf(INDEX + more);
}

/** A configuration of these elements. */
export function websiteOf(elements: string): string {
  return `<WebsiteConfiguration ${NAMESPACE}>${elements}</WebsiteConfiguration>`;
}

/** The RoutingRules element, of the content of each rule. */
export function rulesOf(...rules: readonly string[]): string {
  return `<RoutingRules>${rules.map((rule) => `<RoutingRule>${rule}</RoutingRule>`).join("")}</RoutingRules>`;
}

export async function putWebsite(bucket: string, document: string): Promise<Response> {
  return send("PUT", `/${bucket}?website`, { body: document });
}
