// A bucket's encryption configuration. The blob store encrypts everything with its own keys (AES256), so AES256 is the
// only default. A configuration can block customer-provided keys (SSE-C).
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
import { element, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { newEncryption, type CustomerKey, type NewEncryption } from "../objects/customer-encryption.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { invalidArgument, S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

/** The parsed configuration. */
export interface BucketEncryption {
  readonly isBucketKeyEnabled: boolean;
  /** `SSE-C` blocks customer-provided keys, `NONE` blocks nothing; undefined if the document contained neither. */
  readonly blocked: "SSE-C" | "NONE" | undefined;
}

const DEFAULT: BucketEncryption = { isBucketKeyEnabled: false, blocked: undefined };

/** Parses the stored form of a configuration; null: the default. */
export function bucketEncryptionOf(text: string | null): BucketEncryption {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? DEFAULT : (JSON.parse(text) as BucketEncryption);
}

export function bucketEncryptionText(encryption: BucketEncryption): string {
  return JSON.stringify(encryption);
}

/**
 * Reads a ServerSideEncryptionConfiguration.
 * @throws S3Error MalformedXML, NotImplemented for KMS, InvalidArgument for a KMS key with AES256
 */
export function parseBucketEncryption(document: Uint8Array): BucketEncryption {
  const root = parseDocument(document, "ServerSideEncryptionConfiguration");
  const rule = singleChildren(root, ["Rule"]).get("Rule");
  if (rule === undefined) throw new S3Error("MalformedXML");
  const fields = singleChildren(rule, [
    "ApplyServerSideEncryptionByDefault",
    "BucketKeyEnabled",
    "BlockedEncryptionTypes",
  ]);
  checkDefault(fields.get("ApplyServerSideEncryptionByDefault"));
  return {
    isBucketKeyEnabled: readBoolean(fields.get("BucketKeyEnabled")),
    blocked: readBlocked(fields.get("BlockedEncryptionTypes")),
  };
}

function checkDefault(node: XmlNode | undefined): void {
  if (node === undefined) return;
  const fields = singleChildren(node, ["SSEAlgorithm", "KMSMasterKeyID"]);
  const algorithm = fields.get("SSEAlgorithm")?.text.trim();
  if (algorithm === "aws:kms" || algorithm === "aws:kms:dsse") {
    const message = "Encryption with keys of AWS KMS is not implemented. The supported default is AES256.";
    throw new S3Error("NotImplemented", { SSEAlgorithm: algorithm }, message);
  }
  if (algorithm !== "AES256") throw new S3Error("MalformedXML");
  const keyId = fields.get("KMSMasterKeyID")?.text.trim() ?? "";
  if (keyId === "") return;
  const message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
  throw invalidArgument("KMSMasterKeyID", keyId, message);
}

function readBoolean(node: XmlNode | undefined): boolean {
  const text = node?.text.trim() ?? "false";
  if (text !== "true" && text !== "false") throw new S3Error("MalformedXML");
  return text === "true";
}

function readBlocked(node: XmlNode | undefined): BucketEncryption["blocked"] {
  if (node === undefined) return undefined;
  const type = singleChildren(node, ["EncryptionType"]).get("EncryptionType")?.text.trim();
  if (type !== "SSE-C" && type !== "NONE") throw new S3Error("MalformedXML");
  return type;
}

/** The document of a configuration. */
export function bucketEncryptionElement({ isBucketKeyEnabled, blocked }: BucketEncryption): XmlElement {
  const rule = element("Rule", [
    element("ApplyServerSideEncryptionByDefault", [element("SSEAlgorithm", "AES256")]),
    element("BucketKeyEnabled", isBucketKeyEnabled),
    blocked === undefined ? undefined : element("BlockedEncryptionTypes", [element("EncryptionType", blocked)]),
  ]);
  return element("ServerSideEncryptionConfiguration", [rule], { xmlns: S3_NAMESPACE });
}

/**
 * Refuses a customer-provided key if the bucket blocks it.
 * @param configuration the stored form of the bucket's encryption configuration
 * @throws S3Error AccessDenied
 */
export function refuseBlockedKey(configuration: string | null, key: CustomerKey | undefined): void {
  if (key === undefined || bucketEncryptionOf(configuration).blocked !== "SSE-C") return;
  const message =
    "Server Side Encryption with Customer provided keys is blocked by the bucket's encryption configuration.";
  throw new S3Error("AccessDenied", {}, message);
}

/**
 * The encryption of a new object or upload in a bucket; undefined if the request has no key.
 * @throws S3Error AccessDenied if the bucket blocks customer-provided keys
 */
export async function checkCustomerKey(
  configuration: string | null,
  key: CustomerKey | undefined,
): Promise<NewEncryption | undefined> {
  refuseBlockedKey(configuration, key);
  return key === undefined ? undefined : newEncryption(key);
}
