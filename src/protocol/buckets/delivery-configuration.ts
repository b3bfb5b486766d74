// A bucket's delivery configuration, Cairn's own (docs/delivery.md): its hosts, prefix and clean URLs. Parses the document
// of PutBucketDelivery and renders it.
import { element, type XmlElement } from "../../bytes/xml.ts";
import { checkKey } from "../core/addressing.ts";
import { parseDocument } from "../core/document-body.ts";
import { isHostName } from "../core/host-names.ts";
import { invalidArgument, S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

const MAX_HOSTS = 20;

export interface DeliveryConfiguration {
  /** Normalised host names. */
  readonly hosts: readonly string[];
  /** The prefix of all keys that are delivered. */
  readonly prefix: string;
  readonly cleanUrls: boolean;
}

/** Reads the stored form; undefined for none. */
export function deliveryFromText(text: string | null): DeliveryConfiguration | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as DeliveryConfiguration);
}

/** The stored form. Triggers of the table buckets read `hosts`. */
export function deliveryText(configuration: DeliveryConfiguration): string {
  return JSON.stringify(configuration);
}

/**
 * Parses a DeliveryConfiguration.
 * @throws S3Error MalformedXML, InvalidArgument for a malformed host, KeyTooLongError
 */
export function parseDeliveryConfiguration(document: Uint8Array): DeliveryConfiguration {
  const { children } = parseDocument(document, "DeliveryConfiguration");
  const hosts = new Set<string>();
  const others = new Map<string, string>();
  for (const child of children) {
    if (child.children.length > 0 || others.has(child.name)) throw new S3Error("MalformedXML");
    if (child.name === "Host") hosts.add(readHost(child.text.trim()));
    else others.set(child.name, child.text);
  }
  for (const name of others.keys()) {
    if (name !== "Prefix" && name !== "CleanUrls") throw new S3Error("MalformedXML");
  }
  if (hosts.size > MAX_HOSTS) throw new S3Error("MalformedXML");
  const cleanUrls = others.get("CleanUrls")?.trim() ?? "false";
  if (cleanUrls !== "true" && cleanUrls !== "false") throw new S3Error("MalformedXML");
  const prefix = others.get("Prefix") ?? "";
  checkKey(prefix);
  return { hosts: Array.from(hosts), prefix, cleanUrls: cleanUrls === "true" };
}

function readHost(text: string): string {
  const host = text.toLowerCase();
  if (isHostName(host)) return host;
  throw invalidArgument("Host", text.slice(0, 256), "The host must be a host name, without scheme, port and path.");
}

/** The document of a configuration. */
export function deliveryElement({ hosts, prefix, cleanUrls }: DeliveryConfiguration): XmlElement {
  return element(
    "DeliveryConfiguration",
    [...hosts.map((host) => element("Host", host)), element("Prefix", prefix), element("CleanUrls", cleanUrls)],
    { xmlns: S3_NAMESPACE },
  );
}
