// Writes the objects that a query found: the elements of a listing, and tags and metadata if the query includes them.
import { optionalTextElement, textElement, type XmlText } from "../../bytes/xml-text.ts";
import { etagElement } from "../core/etag.ts";
import type { Tag } from "../core/tagging.ts";
import type { ListedObject } from "../objects/stored-object.ts";
import { checksumXml, dateXml } from "./listing-xml.ts";

/** An object with what the query includes of it; undefined: not included, or not readable by the caller. */
export interface FoundObject extends ListedObject {
  readonly contentType: string | undefined;
  readonly userMetadata: Readonly<Record<string, string>> | undefined;
  readonly tags: readonly Tag[] | undefined;
}

/** The Contents elements of a page. */
export function foundXml(found: readonly FoundObject[], encode: (key: string) => string): XmlText {
  const contents = found.map(
    (object) =>
      `<Contents>${textElement("Key", encode(object.key))}${dateXml("LastModified", object.modifiedAt)}` +
      `${etagElement(object.etag)}${checksumXml(object)}<Size>${object.size}</Size>` +
      `${textElement("StorageClass", object.storageClass)}${optionalTextElement("ContentType", object.contentType)}` +
      `${metadataXml(object.userMetadata)}${tagsXml(object.tags)}</Contents>`,
  );
  return { xml: contents.join("") };
}

function metadataXml(metadata: Readonly<Record<string, string>> | undefined): string {
  if (metadata === undefined) return "";
  const entries = Object.entries(metadata).map(
    ([name, value]) => `<MetadataEntry>${textElement("Name", name)}${textElement("Value", value)}</MetadataEntry>`,
  );
  return `<UserMetadata>${entries.join("")}</UserMetadata>`;
}

function tagsXml(tags: readonly Tag[] | undefined): string {
  if (tags === undefined) return "";
  const entries = tags.map(({ key, value }) => `<Tag>${textElement("Key", key)}${textElement("Value", value)}</Tag>`);
  return `<TagSet>${entries.join("")}</TagSet>`;
}
