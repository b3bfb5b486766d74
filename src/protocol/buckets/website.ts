// A bucket's website configuration: its parsed and stored form, and the document that GetBucketWebsite returns.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import { S3_NAMESPACE } from "../core/s3-error.ts";

export type WebsiteProtocol = "http" | "https";

/** The requests or errors that a routing rule applies to; undefined fields match all. */
export interface RoutingCondition {
  readonly keyPrefixEquals: string | undefined;
  /** A status from 400 to 599. */
  readonly httpErrorCodeReturnedEquals: number | undefined;
}

/** The target of a redirect; undefined fields come from the request. At most one of the replacements is defined. */
export interface RoutingRedirect {
  readonly protocol: WebsiteProtocol | undefined;
  readonly hostName: string | undefined;
  readonly replaceKeyPrefixWith: string | undefined;
  readonly replaceKeyWith: string | undefined;
  /** A status from 301 to 399. */
  readonly httpRedirectCode: number | undefined;
}

export interface RoutingRule {
  readonly condition: RoutingCondition | undefined;
  readonly redirect: RoutingRedirect;
}

/** Redirects every request to another host. */
export interface WebsiteRedirect {
  readonly hostName: string;
  readonly protocol: WebsiteProtocol | undefined;
}

export type WebsiteConfiguration =
  | { readonly redirectAllRequestsTo: WebsiteRedirect }
  | {
      readonly redirectAllRequestsTo: undefined;
      readonly indexSuffix: string;
      readonly errorKey: string | undefined;
      readonly routingRules: readonly RoutingRule[];
    };

/** The stored form. */
export function websiteText(configuration: WebsiteConfiguration): string {
  return JSON.stringify(configuration);
}

/** Reads the stored form; undefined for none. */
export function websiteFromText(text: string | null): WebsiteConfiguration | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as WebsiteConfiguration);
}

/** The document of a configuration. */
export function websiteElement(configuration: WebsiteConfiguration): XmlElement {
  return element("WebsiteConfiguration", contentOf(configuration), { xmlns: S3_NAMESPACE });
}

function contentOf(configuration: WebsiteConfiguration): readonly (XmlElement | undefined)[] {
  if (configuration.redirectAllRequestsTo !== undefined) {
    const { hostName, protocol } = configuration.redirectAllRequestsTo;
    return [element("RedirectAllRequestsTo", [element("HostName", hostName), optionalElement("Protocol", protocol)])];
  }
  const { indexSuffix, errorKey, routingRules } = configuration;
  return [
    element("IndexDocument", [element("Suffix", indexSuffix)]),
    errorKey === undefined ? undefined : element("ErrorDocument", [element("Key", errorKey)]),
    routingRules.length === 0 ? undefined : element("RoutingRules", routingRules.map(ruleElement)),
  ];
}

function ruleElement({ condition, redirect }: RoutingRule): XmlElement {
  return element("RoutingRule", [
    condition === undefined
      ? undefined
      : element("Condition", [
          optionalElement("HttpErrorCodeReturnedEquals", condition.httpErrorCodeReturnedEquals),
          optionalElement("KeyPrefixEquals", condition.keyPrefixEquals),
        ]),
    element("Redirect", [
      optionalElement("Protocol", redirect.protocol),
      optionalElement("HostName", redirect.hostName),
      optionalElement("ReplaceKeyPrefixWith", redirect.replaceKeyPrefixWith),
      optionalElement("ReplaceKeyWith", redirect.replaceKeyWith),
      optionalElement("HttpRedirectCode", redirect.httpRedirectCode),
    ]),
  ]);
}
