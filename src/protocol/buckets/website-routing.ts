// Routing rules and redirects of a website: which rule applies, and the Location that it results in.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
import { uriEncode } from "../../bytes/uri-encode.ts";
import type { RoutingRule, WebsiteRedirect } from "./website.ts";

/** A redirect. */
export interface Redirect {
  readonly status: number;
  readonly location: string;
}

/** The origin that the client sent the request to. */
export interface RequestOrigin {
  readonly protocol: "http" | "https";
  /** With its port. */
  readonly host: string;
}

/**
 * The redirect of the first rule that applies.
 * @param errorStatus the status of the failed request; undefined before the object is looked up
 */
export function routedRedirect(
  rules: readonly RoutingRule[],
  key: string,
  errorStatus: number | undefined,
  origin: RequestOrigin,
): Redirect | undefined {
  const rule = rules.find(({ condition }) => {
    if (condition?.httpErrorCodeReturnedEquals !== errorStatus) return false;
    return condition?.keyPrefixEquals === undefined || key.startsWith(condition.keyPrefixEquals);
  });
  if (rule === undefined) return undefined;
  const { hostName, protocol, httpRedirectCode } = rule.redirect;
  const status = httpRedirectCode ?? 301;
  const path = localPath(replacedKey(rule, key));
  if (hostName === undefined && protocol === undefined) return { status, location: path };
  return { status, location: `${protocol ?? origin.protocol}://${hostName ?? origin.host}${withoutDot(path)}` };
}

/** The redirect of every request to another host. */
export function redirectToHost(target: WebsiteRedirect, key: string, origin: RequestOrigin): Redirect {
  const location = `${target.protocol ?? origin.protocol}://${target.hostName}/${uriEncode(key, true)}`;
  return { status: 301, location };
}

/** The redirect of a folder's name without its slash. */
export function redirectToFolder(key: string): Redirect {
  return { status: 302, location: localPath(`${uriEncode(key, true)}/`) };
}

/** A stored redirect as a Location header. */
export function storedLocation(location: string): string {
  return location.replaceAll(" ", "%20");
}

/** The key after the rule's replacement. What comes from the request is encoded; what comes from the rule is a URL's text. */
function replacedKey({ condition, redirect }: RoutingRule, key: string): string {
  const { replaceKeyWith, replaceKeyPrefixWith } = redirect;
  if (replaceKeyWith !== undefined) return urlText(replaceKeyWith);
  if (replaceKeyPrefixWith === undefined) return uriEncode(key, true);
  return urlText(replaceKeyPrefixWith) + uriEncode(key.slice(condition?.keyPrefixEquals?.length ?? 0), true);
}

/** A rule's text may contain `#` and `?`, but nothing that a Location cannot contain. */
function urlText(text: string): string {
  return text.replaceAll(/[^\u0021-\u007e]|["<>\\^`{|}]/gu, (character) => uriEncode(character));
}

/** A path on the same host. Browsers read `//a` as another host. */
function localPath(encodedKey: string): string {
  return encodedKey.startsWith("/") ? `/./${encodedKey}` : `/${encodedKey}`;
}

function withoutDot(path: string): string {
  return path.startsWith("/.//") ? path.slice(2) : path;
}
