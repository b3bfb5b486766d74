// Public access blocks, which limit what bucket policies and access control lists allow: the document and the stored
// form.
import { element, type XmlElement } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

const NAMES = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] as const;

/** The settings by AWS's names. */
export type PublicAccessBlock = Readonly<Record<(typeof NAMES)[number], boolean>>;

/** Parses a PublicAccessBlockConfiguration; omitted settings are off. @throws S3Error MalformedXML */
export function parsePublicAccessBlock(document: Uint8Array): PublicAccessBlock {
  const fields = singleChildren(parseDocument(document, "PublicAccessBlockConfiguration"), NAMES);
  return settings((name) => {
    const text = fields.get(name)?.text.trim().toLowerCase();
    if (text !== undefined && text !== "true" && text !== "false") throw new S3Error("MalformedXML");
    return text === "true";
  });
}

/** The document of a public access block. */
export function publicAccessBlockElement(block: PublicAccessBlock): XmlElement {
  const children = NAMES.map((name) => element(name, block[name]));
  return element("PublicAccessBlockConfiguration", children, { xmlns: S3_NAMESPACE });
}

/** The stored form of a public access block. */
export function publicAccessBlockText(block: PublicAccessBlock): string {
  return JSON.stringify(block);
}

/** Parses the stored form; null: all settings are off. */
export function readPublicAccessBlock(text: string | null): PublicAccessBlock {
  const stored: unknown = text === null ? {} : JSON.parse(text);
  return settings((name) => typeof stored === "object" && stored !== null && Reflect.get(stored, name) === true);
}

function settings(isOn: (name: keyof PublicAccessBlock) => boolean): PublicAccessBlock {
  return {
    BlockPublicAcls: isOn("BlockPublicAcls"),
    IgnorePublicAcls: isOn("IgnorePublicAcls"),
    BlockPublicPolicy: isOn("BlockPublicPolicy"),
    RestrictPublicBuckets: isOn("RestrictPublicBuckets"),
  };
}
