// A bucket's query configuration, Cairn's own (docs/search.md): what queries find by an index. Parses the document of
// PutBucketQueryConfiguration and renders it.
import { element, optionalElement, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { parseDocument } from "../core/document-body.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";
import { isTagKey } from "../core/tagging.ts";
import { METADATA_NAME } from "../objects/object-metadata.ts";

/** What an index is of: a tag, an entry of the user metadata, the content type, storage class, size or time. */
export type IndexKind = "tag" | "meta" | "type" | "class" | "size" | "time";

/** An index. The stored form of a configuration is a JSON array of them, each as [kind, name]. */
export interface QueryIndex {
  readonly kind: IndexKind;
  /** The name of the tag or the metadata entry; `*`: each of them; empty: of the others. */
  readonly name: string;
}

/** The index of every tag, or of every metadata entry. */
export const EVERY_NAME = "*";

const PROPERTIES: ReadonlyMap<string, IndexKind> = new Map([
  ["ContentType", "type"],
  ["StorageClass", "class"],
  ["Size", "size"],
  ["LastModified", "time"],
]);
const MAX_NAMED = 10;

/** Reads the stored form; undefined for none. */
export function queryConfigurationFromText(text: string | null): readonly QueryIndex[] | undefined {
  if (text === null) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (JSON.parse(text) as readonly [IndexKind, string][]).map(([kind, name]) => ({ kind, name }));
}

/** Writes the stored form. */
export function queryConfigurationText(indexes: readonly QueryIndex[]): string {
  return JSON.stringify(indexes.map(({ kind, name }) => [kind, name]));
}

/** Parses a QueryConfiguration. @throws S3Error MalformedXML, InvalidTag */
export function parseQueryConfiguration(document: Uint8Array): readonly QueryIndex[] {
  const indexes = parseDocument(document, "QueryConfiguration").children.map(readIndex);
  const names = (kind: IndexKind): string[] => indexes.flatMap((index) => (index.kind === kind ? [index.name] : []));
  const isNamedWell = (["tag", "meta"] as const).every((kind) => {
    const found = names(kind);
    return found.length <= MAX_NAMED && (found.length < 2 || !found.includes(EVERY_NAME));
  });
  const distinct = new Set(indexes.map(({ kind, name }) => `${kind} ${name}`));
  if (indexes.length === 0 || distinct.size < indexes.length || !isNamedWell) throw new S3Error("MalformedXML");
  return indexes;
}

/** Reads one Index element. A Status, which GetBucketQueryConfiguration returns, has no effect. */
function readIndex(node: XmlNode): QueryIndex {
  const [child, ...others] = node.children.filter(({ name }) => name !== "Status");
  if (node.name !== "Index" || child === undefined || others.length > 0) throw new S3Error("MalformedXML");
  const text = child.text.trim();
  if (child.name === "Tag") {
    if (text === EVERY_NAME) return { kind: "tag", name: text };
    if (!isTagKey(child.text)) throw new S3Error("InvalidTag", { TagKey: child.text });
    return { kind: "tag", name: child.text };
  }
  if (child.name === "UserMetadata" && METADATA_NAME.test(text)) return { kind: "meta", name: text.toLowerCase() };
  const kind = child.name === "Property" ? PROPERTIES.get(text) : undefined;
  if (kind === undefined) throw new S3Error("MalformedXML");
  return { kind, name: "" };
}

/** The document of a configuration, with the state of each index. */
export function queryConfigurationElement(
  indexes: readonly QueryIndex[],
  isComplete: (index: QueryIndex) => boolean,
): XmlElement {
  return element(
    "QueryConfiguration",
    indexes.map((index) => {
      const property = Array.from(PROPERTIES).find(([, kind]) => kind === index.kind)?.[0];
      return element("Index", [
        index.kind === "tag" ? element("Tag", index.name) : undefined,
        index.kind === "meta" ? element("UserMetadata", index.name) : undefined,
        optionalElement("Property", property),
        element("Status", isComplete(index) ? "Active" : "Building"),
      ]);
    }),
    { xmlns: S3_NAMESPACE },
  );
}
