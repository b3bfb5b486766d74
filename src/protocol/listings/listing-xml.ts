// Writes the entries of a listing as XML.
import { formatIsoDate } from "../../bytes/dates.ts";
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import { quoteEtag } from "../core/etag.ts";
import type { ListingEntry } from "../objects/stored-object.ts";

/** An owner element. An account's display name is its id. */
export function ownerElement(ownerId: string, name = "Owner"): XmlElement {
  return element(name, [element("ID", ownerId), element("DisplayName", ownerId)]);
}

/** The entries of a page: objects first, then common prefixes, each in key order. */
export function entryElements(
  entries: readonly ListingEntry[],
  encode: (text: string) => string,
  showsOwner: boolean,
): XmlElement[] {
  const contents: XmlElement[] = [];
  const prefixes: XmlElement[] = [];
  for (const entry of entries) {
    if ("commonPrefix" in entry) {
      prefixes.push(element("CommonPrefixes", [element("Prefix", encode(entry.commonPrefix))]));
      continue;
    }
    const { object } = entry;
    contents.push(
      element("Contents", [
        element("Key", encode(object.key)),
        element("LastModified", formatIsoDate(object.modifiedAt)),
        element("ETag", quoteEtag(object.etag)),
        optionalElement("ChecksumAlgorithm", object.checksumAlgorithm),
        optionalElement("ChecksumType", object.checksumType),
        element("Size", object.size),
        showsOwner ? ownerElement(object.ownerId) : undefined,
        element("StorageClass", object.storageClass),
      ]),
    );
  }
  return [...contents, ...prefixes];
}
