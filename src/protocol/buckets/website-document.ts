// Parses the document of PutBucketWebsite.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
import type { XmlNode } from "../../bytes/xml.ts";
import { checkKey } from "../core/addressing.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import type {
  RoutingCondition,
  RoutingRedirect,
  RoutingRule,
  WebsiteConfiguration,
  WebsiteProtocol,
  WebsiteRedirect,
} from "./website.ts";

const MAX_ROUTING_RULES = 50;
const MAX_DOCUMENT_BYTES = 128 * 1024;

/**
 * Parses a WebsiteConfiguration.
 * @throws S3Error MalformedXML, InvalidArgument for a missing or malformed index document or a redirect beside other
 *   elements, InvalidRequest for a malformed rule, KeyTooLongError
 */
export function parseWebsite(document: Uint8Array): WebsiteConfiguration {
  if (document.length > MAX_DOCUMENT_BYTES) throw new S3Error("MalformedXML");
  const root = parseDocument(document, "WebsiteConfiguration");
  const fields = singleChildren(root, ["RedirectAllRequestsTo", "IndexDocument", "ErrorDocument", "RoutingRules"]);
  const redirect = fields.get("RedirectAllRequestsTo");
  if (redirect === undefined) {
    return {
      redirectAllRequestsTo: undefined,
      indexSuffix: readSuffix(fields.get("IndexDocument")),
      errorKey: readErrorKey(fields.get("ErrorDocument")),
      routingRules: readRules(fields.get("RoutingRules")),
    };
  }
  if (fields.size > 1) {
    const message = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
    throw invalidArgument("RedirectAllRequestsTo", "null", message);
  }
  return { redirectAllRequestsTo: readRedirectAll(redirect) };
}

function readRedirectAll(node: XmlNode): WebsiteRedirect {
  const fields = singleChildren(node, ["HostName", "Protocol"]);
  const hostName = readHostName(fields.get("HostName"));
  if (hostName === undefined) throw new S3Error("MalformedXML");
  return { hostName, protocol: readProtocol(fields.get("Protocol")) };
}

function readSuffix(node: XmlNode | undefined): string {
  if (node === undefined) {
    const message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
    throw invalidArgument("IndexDocument", "null", message);
  }
  const suffix = leafText(singleChildren(node, ["Suffix"]).get("Suffix")) ?? "";
  if (suffix === "" || suffix.includes("/")) {
    throw invalidArgument("IndexDocument", suffix, "The IndexDocument Suffix is not well formed");
  }
  checkKey(suffix);
  return suffix;
}

function readErrorKey(node: XmlNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  const key = leafText(singleChildren(node, ["Key"]).get("Key")) ?? "";
  if (key === "") throw new S3Error("MalformedXML");
  checkKey(key);
  return key;
}

function readRules(node: XmlNode | undefined): readonly RoutingRule[] {
  if (node === undefined) return [];
  const { children } = node;
  if (children.length === 0 || children.some(({ name }) => name !== "RoutingRule")) throw new S3Error("MalformedXML");
  if (children.length > MAX_ROUTING_RULES) {
    throw invalidRequest(
      `${children.length} routing rules provided, the number of routing rules in a website configuration is limited to ${MAX_ROUTING_RULES}.`,
    );
  }
  return children.map((rule) => {
    const fields = singleChildren(rule, ["Condition", "Redirect"]);
    const redirect = fields.get("Redirect");
    if (redirect === undefined) throw new S3Error("MalformedXML");
    const condition = fields.get("Condition");
    return {
      condition: condition === undefined ? undefined : readCondition(condition),
      redirect: readRedirect(redirect),
    };
  });
}

function readCondition(node: XmlNode): RoutingCondition {
  const fields = singleChildren(node, ["KeyPrefixEquals", "HttpErrorCodeReturnedEquals"]);
  if (fields.size === 0) {
    throw invalidRequest(
      "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
    );
  }
  return {
    keyPrefixEquals: readKeyPart(fields.get("KeyPrefixEquals")),
    httpErrorCodeReturnedEquals: readStatus(fields.get("HttpErrorCodeReturnedEquals"), "error", /^[45]\d\d$/),
  };
}

function readRedirect(node: XmlNode): RoutingRedirect {
  const fields = singleChildren(node, [
    "Protocol",
    "HostName",
    "ReplaceKeyPrefixWith",
    "ReplaceKeyWith",
    "HttpRedirectCode",
  ]);
  if (fields.size === 0) throw new S3Error("MalformedXML");
  if (fields.has("ReplaceKeyPrefixWith") && fields.has("ReplaceKeyWith")) {
    throw invalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
  }
  return {
    protocol: readProtocol(fields.get("Protocol")),
    hostName: readHostName(fields.get("HostName")),
    replaceKeyPrefixWith: readKeyPart(fields.get("ReplaceKeyPrefixWith")),
    replaceKeyWith: readKeyPart(fields.get("ReplaceKeyWith")),
    httpRedirectCode: readStatus(fields.get("HttpRedirectCode"), "redirect", /^3(?!00)\d\d$/),
  };
}

function readProtocol(node: XmlNode | undefined): WebsiteProtocol | undefined {
  const protocol = leafText(node)?.trim();
  if (protocol === undefined || protocol === "http" || protocol === "https") return protocol;
  throw invalidRequest(
    "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.",
  );
}

/** A host with an optional port. Other text could change the meaning of the Location that contains it. */
function readHostName(node: XmlNode | undefined): string | undefined {
  const host = leafText(node)?.trim();
  if (host === undefined || /^[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?(?::\d{1,5})?$/i.test(host)) return host;
  if (host === "") throw new S3Error("MalformedXML");
  throw invalidRequest("The HostName must be a host name, optionally with a port, without scheme and path.");
}

function readStatus(node: XmlNode | undefined, kind: "error" | "redirect", valid: RegExp): number | undefined {
  const text = leafText(node)?.trim();
  if (text === undefined) return undefined;
  if (valid.test(text)) return Number(text);
  const codes = kind === "error" ? "4XX or 5XX" : "3XX except 300";
  throw invalidRequest(`The provided HTTP ${kind} code (${text.slice(0, 16)}) is not valid. Valid codes are ${codes}.`);
}

/** Part of a key, verbatim: spaces count. */
function readKeyPart(node: XmlNode | undefined): string | undefined {
  const text = leafText(node);
  if (text !== undefined) checkKey(text);
  return text;
}

function leafText(node: XmlNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.children.length > 0) throw new S3Error("MalformedXML");
  return node.text;
}

function invalidRequest(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}
