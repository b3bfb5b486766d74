// Cross-origin resource sharing (CORS): parses a bucket's rules, matches requests with them, and makes the headers for
// browsers. https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
import { element, optionalElement, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { parseDocument } from "../core/document-body.ts";
import { WildcardSet } from "./wildcard-set.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

/** A rule. Each origin and header may contain one `*`. */
export interface CorsRule {
  readonly id: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

/** A preflight request, or the cross-origin properties of an actual request. */
export interface CorsRequest {
  readonly origin: string;
  readonly method: string;
  /** The lower-case names of the headers that the browser intends to send. */
  readonly headers: readonly string[];
}

const METHODS = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);
const MAX_RULES = 100;
const MAX_DOCUMENT_BYTES = 64 * 1024;
/** More than fit into a document of that size: the shortest element has 31 bytes. */
const MAX_ELEMENTS = 3000;
const VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/**
 * Parses a CORSConfiguration.
 * @throws S3Error MalformedXML, InvalidRequest for an unsupported method or a second `*`
 */
export function parseCors(document: Uint8Array): CorsRule[] {
  if (document.length > MAX_DOCUMENT_BYTES) throw new S3Error("MalformedXML");
  const rules = parseDocument(document, "CORSConfiguration", MAX_ELEMENTS).children.map(parseRule);
  if (rules.length === 0 || rules.length > MAX_RULES) throw new S3Error("MalformedXML");
  return rules;
}

function parseRule(node: XmlNode): CorsRule {
  if (node.name !== "CORSRule") throw new S3Error("MalformedXML");
  const values = new Map<string, string[]>();
  for (const { name, text, children } of node.children) {
    if (!RULE_ELEMENTS.has(name) || children.length > 0) throw new S3Error("MalformedXML");
    values.set(name, [...(values.get(name) ?? []), text.trim()]);
  }
  const all = (name: string): string[] => values.get(name) ?? [];
  const [id, ...moreIds] = all("ID");
  const [maxAge, ...moreAges] = all("MaxAgeSeconds");
  if (moreIds.length > 0 || moreAges.length > 0 || (maxAge !== undefined && !/^\d{1,10}$/.test(maxAge))) {
    throw new S3Error("MalformedXML");
  }
  const rule: CorsRule = {
    id,
    allowedOrigins: all("AllowedOrigin"),
    allowedMethods: all("AllowedMethod"),
    allowedHeaders: all("AllowedHeader"),
    exposeHeaders: all("ExposeHeader"),
    maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
  };
  checkRule(rule);
  return rule;
}

const RULE_ELEMENTS = new Set([
  "ID",
  "AllowedOrigin",
  "AllowedMethod",
  "AllowedHeader",
  "ExposeHeader",
  "MaxAgeSeconds",
]);

function checkRule({ id, allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders }: CorsRule): void {
  if (allowedOrigins.length === 0 || allowedMethods.length === 0 || (id?.length ?? 0) > 255) {
    throw new S3Error("MalformedXML");
  }
  for (const method of allowedMethods) {
    if (METHODS.has(method)) continue;
    const message = `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`;
    throw new S3Error("InvalidRequest", {}, message);
  }
  for (const [what, values] of [
    ["AllowedOrigin", allowedOrigins],
    ["AllowedHeader", allowedHeaders],
  ] as const) {
    const wrong = values.find((value) => value.split("*").length > 2);
    if (wrong === undefined) continue;
    throw new S3Error("InvalidRequest", {}, `${what} "${wrong}" can not have more than one wildcard.`);
  }
  // Responses contain these names in a header, so each must be a valid header name.
  for (const name of exposeHeaders) {
    if (name.includes("*")) {
      throw new S3Error(
        "InvalidRequest",
        {},
        `ExposeHeader "${name}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
    }
    if (!/^[\w!#$%&'+.^`|~-]+$/.test(name))
      throw new S3Error("InvalidRequest", {}, `ExposeHeader "${name}" is invalid.`);
  }
}

/** The document of a list of rules. */
export function corsElement(rules: readonly CorsRule[]): XmlElement {
  const elements = rules.map((rule) =>
    element("CORSRule", [
      optionalElement("ID", rule.id),
      ...rule.allowedMethods.map((method) => element("AllowedMethod", method)),
      ...rule.allowedOrigins.map((origin) => element("AllowedOrigin", origin)),
      ...rule.allowedHeaders.map((header) => element("AllowedHeader", header)),
      ...rule.exposeHeaders.map((header) => element("ExposeHeader", header)),
      optionalElement("MaxAgeSeconds", rule.maxAgeSeconds),
    ]),
  );
  return element("CORSConfiguration", elements, { xmlns: S3_NAMESPACE });
}

/**
 * The CORS headers of a response, from the first rule that allows the origin, the method and every header; undefined if
 * no rule does.
 */
export function corsHeaders(rules: readonly CorsRule[], request: CorsRequest): Record<string, string> | undefined {
  const rule = rules.find((candidate) => allows(candidate, request));
  if (rule === undefined) return undefined;
  const allowsAnyOrigin = rule.allowedOrigins.includes("*");
  const headers: Record<string, string> = {
    "access-control-allow-origin": allowsAnyOrigin ? "*" : request.origin,
    "access-control-allow-methods": rule.allowedMethods.join(", "),
    vary: VARY,
  };
  if (!allowsAnyOrigin) headers["access-control-allow-credentials"] = "true";
  if (request.headers.length > 0) headers["access-control-allow-headers"] = request.headers.join(", ");
  if (rule.exposeHeaders.length > 0) headers["access-control-expose-headers"] = rule.exposeHeaders.join(", ");
  if (rule.maxAgeSeconds !== undefined) headers["access-control-max-age"] = String(rule.maxAgeSeconds);
  return headers;
}

function allows(rule: CorsRule, { origin, method, headers }: CorsRequest): boolean {
  if (!rule.allowedMethods.includes(method) || !new WildcardSet(rule.allowedOrigins).has(origin)) return false;
  if (headers.length === 0) return true;
  const allowed = new WildcardSet(rule.allowedHeaders.map((pattern) => pattern.toLowerCase()));
  return headers.every((header) => allowed.has(header));
}
