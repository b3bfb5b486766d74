// A bucket's quota, Cairn's own (docs/quotas.md): its limits on stored bytes and objects. Parses the document of
// PutBucketQuota and renders it.
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

/** The limits; at least one is set. */
export interface BucketQuota {
  readonly maxBytes?: number | undefined;
  /** Versions, without delete markers. */
  readonly maxObjects?: number | undefined;
}

/** Reads the stored form; undefined for none. */
export function quotaFromText(text: string | null): BucketQuota | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as BucketQuota);
}

/** Parses a QuotaConfiguration. @throws S3Error MalformedXML */
export function parseBucketQuota(document: Uint8Array): BucketQuota {
  const children = singleChildren(parseDocument(document, "QuotaConfiguration"), ["MaxBytes", "MaxObjects"]);
  const limit = (name: string): number | undefined => {
    const child = children.get(name);
    if (child === undefined) return undefined;
    const text = child.text.trim();
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) throw new S3Error("MalformedXML");
    return value;
  };
  const quota = { maxBytes: limit("MaxBytes"), maxObjects: limit("MaxObjects") };
  if (quota.maxBytes === undefined && quota.maxObjects === undefined) throw new S3Error("MalformedXML");
  return quota;
}

/** The document of a quota, with what the bucket stores. */
export function bucketQuotaElement(
  { maxBytes, maxObjects }: BucketQuota,
  stored: { readonly bytes: number; readonly objects: number; readonly isCounted: boolean },
): XmlElement {
  return element(
    "QuotaConfiguration",
    [
      optionalElement("MaxBytes", maxBytes),
      optionalElement("MaxObjects", maxObjects),
      element("Stored", [
        element("State", stored.isCounted ? "Enforced" : "Counting"),
        element("Bytes", stored.bytes),
        element("Objects", stored.objects),
      ]),
    ],
    { xmlns: S3_NAMESPACE },
  );
}
