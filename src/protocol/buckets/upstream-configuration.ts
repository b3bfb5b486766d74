// A bucket's upstream, Cairn's own (docs/import.md): the store from which missing objects are imported. Parses the
// document of PutBucketUpstream and renders it. The store's endpoint and credentials are a setting.
import { element, type XmlElement } from "../../bytes/xml.ts";
import { checkKey } from "../core/addressing.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { invalidArgument, S3_NAMESPACE, S3Error } from "../core/s3-error.ts";
import { UPSTREAM_HEADER } from "../objects/upstream-use.ts";

/** The header of listings of a bucket with an upstream: they contain what was imported, and not what the upstream has. */
export function listingNote(text: string | null): Readonly<Record<string, string>> {
  return text === null ? {} : { [UPSTREAM_HEADER]: "not-listed" };
}

export interface UpstreamConfiguration {
  /** The name of a store in the setting UPSTREAMS. */
  readonly source: string;
  /** The bucket there. */
  readonly bucket: string;
  /** What the keys there begin with, and the keys here do not. */
  readonly prefix: string;
}

/** Reads the stored form; undefined for none. */
export function upstreamFromText(text: string | null): UpstreamConfiguration | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as UpstreamConfiguration);
}

/**
 * Parses an UpstreamConfiguration.
 * @throws S3Error MalformedXML, InvalidArgument for a malformed bucket name, KeyTooLongError
 */
export function parseUpstreamConfiguration(document: Uint8Array): UpstreamConfiguration {
  const children = singleChildren(parseDocument(document, "UpstreamConfiguration"), ["Source", "Bucket", "Prefix"]);
  for (const child of children.values()) if (child.children.length > 0) throw new S3Error("MalformedXML");
  const source = children.get("Source")?.text.trim() ?? "";
  const bucket = children.get("Bucket")?.text.trim() ?? "";
  const prefix = children.get("Prefix")?.text ?? "";
  if (source === "" || bucket === "") throw new S3Error("MalformedXML");
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket)) {
    throw invalidArgument("Bucket", bucket.slice(0, 256), "The bucket of the upstream must be a bucket name.");
  }
  checkKey(prefix);
  return { source, bucket, prefix };
}

/** The document of a configuration. */
export function upstreamElement({ source, bucket, prefix }: UpstreamConfiguration): XmlElement {
  return element(
    "UpstreamConfiguration",
    [element("Source", source), element("Bucket", bucket), element("Prefix", prefix)],
    { xmlns: S3_NAMESPACE },
  );
}
