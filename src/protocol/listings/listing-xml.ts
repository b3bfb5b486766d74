// Writes the entries of a listing as XML text.
import { formatIsoDate } from "../../bytes/dates.ts";
import { element, type XmlElement } from "../../bytes/xml.ts";
import { optionalTextElement, textElement, type XmlText } from "../../bytes/xml-text.ts";
import { etagElement } from "../core/etag.ts";
import type { ListedObject, ListingEntry } from "../objects/stored-object.ts";

/** An owner element. An account's display name is its id. */
export function ownerElement(ownerId: string, name = "Owner"): XmlElement {
  return element(name, [element("ID", ownerId), element("DisplayName", ownerId)]);
}

/** The entries of a page: objects first, then common prefixes, each in key order. */
export function entriesXml(
  entries: readonly ListingEntry[],
  encode: (text: string) => string,
  showsOwner: boolean,
): XmlText {
  let contents = "";
  let prefixes = "";
  const checksum = repeating(
    checksumXml,
    (a, b) => a.checksumAlgorithm === b.checksumAlgorithm && a.checksumType === b.checksumType,
  );
  const owner = repeating(
    (object: ListedObject) =>
      (showsOwner ? ownerXml(object.ownerId) : "") + textElement("StorageClass", object.storageClass),
    (a, b) => a.ownerId === b.ownerId && a.storageClass === b.storageClass,
  );
  for (const entry of entries) {
    if ("commonPrefix" in entry) {
      prefixes += commonPrefixXml(encode(entry.commonPrefix));
      continue;
    }
    const { object } = entry;
    contents +=
      `<Contents>${textElement("Key", encode(object.key))}${dateXml("LastModified", object.modifiedAt)}` +
      `${etagElement(object.etag)}${checksum(object)}<Size>${object.size}</Size>${owner(object)}</Contents>`;
  }
  return { xml: contents + prefixes };
}

/** The common prefixes among the entries of a page. */
export function commonPrefixesXml(entries: readonly object[], encode: (text: string) => string): XmlText {
  return {
    xml: entries.map((entry) => (isCommonPrefix(entry) ? commonPrefixXml(encode(entry.commonPrefix)) : "")).join(""),
  };
}

function isCommonPrefix(entry: object): entry is { readonly commonPrefix: string } {
  return "commonPrefix" in entry;
}

/** A common prefix in its encoded form. */
function commonPrefixXml(prefix: string): string {
  return `<CommonPrefixes>${textElement("Prefix", prefix)}</CommonPrefixes>`;
}

/** Writes values that are mostly the same as the ones before them, each different one once. */
function repeating(
  write: (object: ListedObject) => string,
  isSame: (left: ListedObject, right: ListedObject) => boolean,
): (object: ListedObject) => string {
  let last: ListedObject | undefined;
  let xml = "";
  return (object) => {
    if (last === undefined || !isSame(last, object)) xml = write(object);
    last = object;
    return xml;
  };
}

/** The algorithm and the type of a checksum, if there is one. */
export function checksumXml({
  checksumAlgorithm,
  checksumType,
}: Pick<ListedObject, "checksumAlgorithm" | "checksumType">): string {
  return (
    optionalTextElement("ChecksumAlgorithm", checksumAlgorithm) + optionalTextElement("ChecksumType", checksumType)
  );
}

/** The text of {@link ownerElement}. */
export function ownerXml(ownerId: string, name = "Owner"): string {
  return `<${name}>${textElement("ID", ownerId)}${textElement("DisplayName", ownerId)}</${name}>`;
}

/** A time in milliseconds since the epoch. */
export function dateXml(name: string, time: number): string {
  return `<${name}>${formatIsoDate(time)}</${name}>`;
}
