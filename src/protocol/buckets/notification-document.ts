// Parses and renders NotificationConfiguration documents.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
import { randomDigits } from "../../bytes/random-id.ts";
import { element, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";
import { checkNotificationRules } from "./notification-checks.ts";
import type { NotificationConfiguration, NotificationKind, NotificationRule } from "./notification.ts";

const MAX_DOCUMENT_BYTES = 512 * 1024;
const ID_DIGITS = 32;

/** The name of a rule's destination in its element, by the kind, which is also the name of most elements' prefix. */
const KINDS: readonly NotificationKind[] = ["Topic", "Queue", "CloudFunction"];

/**
 * Parses a configuration. Rules without an id get a random one.
 * @throws S3Error MalformedXML, InvalidArgument
 */
export function parseNotification(document: Uint8Array): NotificationConfiguration {
  if (document.length > MAX_DOCUMENT_BYTES) throw new S3Error("MalformedXML");
  const { children } = parseDocument(document, "NotificationConfiguration");
  const rules: NotificationRule[] = [];
  let recordsAll = false;
  for (const child of children) {
    const kind = KINDS.find((name) => child.name === `${name}Configuration`);
    if (kind !== undefined) rules.push(parseRule(kind, child));
    else if (child.name === "EventBridgeConfiguration" && child.children.length === 0 && !recordsAll) recordsAll = true;
    else throw new S3Error("MalformedXML");
  }
  checkNotificationRules(rules);
  return { rules, recordsAll };
}

function parseRule(kind: NotificationKind, node: XmlNode): NotificationRule {
  const events = node.children.filter(({ name }) => name === "Event");
  const others = node.children.filter(({ name }) => name !== "Event");
  const single = singleChildren({ ...node, children: others }, ["Id", kind, "Filter"]);
  if (events.length === 0) throw new S3Error("MalformedXML");
  const destination = single.get(kind);
  if (destination === undefined) throw new S3Error("MalformedXML");
  const id = leafText(single.get("Id"))?.trim() ?? "";
  return {
    kind,
    id: id === "" ? randomDigits(ID_DIGITS) : id,
    destination: leafText(destination)?.trim() ?? "",
    events: Array.from(new Set(events.map((event) => leafText(event)?.trim() ?? ""))),
    ...parseFilter(single.get("Filter")),
  };
}

/** Reads the filter rules. Their names are `prefix` and `suffix` in any case, as AWS accepts and returns them. */
function parseFilter(node: XmlNode | undefined): Pick<NotificationRule, "prefix" | "suffix"> {
  if (node === undefined) return {};
  const key = singleChildren(node, ["S3Key"]).get("S3Key");
  const found = new Map<string, string>();
  for (const rule of key?.children ?? []) {
    if (rule.name !== "FilterRule") throw new S3Error("MalformedXML");
    const fields = singleChildren(rule, ["Name", "Value"]);
    const name = leafText(fields.get("Name"))?.trim().toLowerCase() ?? "";
    if (name !== "prefix" && name !== "suffix") {
      throw filterError(name, "filter rule name must be either prefix or suffix");
    }
    if (found.has(name)) throw filterError(name, `Cannot specify more than one ${name} rule in a filter.`);
    found.set(name, leafText(fields.get("Value")) ?? "");
  }
  return { prefix: found.get("prefix"), suffix: found.get("suffix") };
}

function filterError(name: string, message: string): S3Error {
  return new S3Error(
    "InvalidArgument",
    { ArgumentName: "FilterRule.Name", ArgumentValue: name.slice(0, 256) },
    message,
  );
}

/** The text of an element without children. @throws S3Error MalformedXML if it has children */
function leafText(node: XmlNode | undefined): string | undefined {
  if (node !== undefined && node.children.length > 0) throw new S3Error("MalformedXML");
  return node?.text;
}

/** The document of a configuration. */
export function notificationElement({ rules, recordsAll }: NotificationConfiguration): XmlElement {
  return element(
    "NotificationConfiguration",
    [...rules.map(ruleElement), ...(recordsAll ? [element("EventBridgeConfiguration")] : [])],
    { xmlns: S3_NAMESPACE },
  );
}

function ruleElement({ kind, id, destination, events, prefix, suffix }: NotificationRule): XmlElement {
  const filter = [filterRule("prefix", prefix), filterRule("suffix", suffix)].filter((rule) => rule !== undefined);
  return element(`${kind}Configuration`, [
    element("Id", id),
    element(kind, destination),
    ...events.map((event) => element("Event", event)),
    filter.length === 0 ? undefined : element("Filter", [element("S3Key", filter)]),
  ]);
}

function filterRule(name: string, value: string | undefined): XmlElement | undefined {
  return value === undefined ? undefined : element("FilterRule", [element("Name", name), element("Value", value)]);
}
