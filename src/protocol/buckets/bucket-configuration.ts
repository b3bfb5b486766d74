// Parses the documents of CreateBucket and PutBucketVersioning.
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";
import { readTagSet, type Tag } from "../core/tagging.ts";

/** The supported content of a CreateBucketConfiguration. */
export interface NewBucketConfiguration {
  readonly locationConstraint: string | undefined;
  readonly tags: readonly Tag[];
}

/**
 * Parses a CreateBucketConfiguration. An empty document sets nothing.
 * @throws S3Error MalformedXML, InvalidLocationConstraint, InvalidTag, BadRequest for more than ten tags,
 *   NotImplemented for other elements of AWS's schema
 */
export function parseNewBucketConfiguration(document: Uint8Array): NewBucketConfiguration {
  if (document.length === 0) return { locationConstraint: undefined, tags: [] };
  const root = parseDocument(document, "CreateBucketConfiguration");
  const fields = singleChildren(root, ["LocationConstraint", "Location", "Bucket", "Tags"]);
  for (const name of ["Location", "Bucket"]) {
    if (fields.has(name)) throw new S3Error("NotImplemented", { Header: name });
  }
  const set = fields.get("Tags");
  const tags = set === undefined ? [] : readTagSet(set, "bucket");
  const constraint = fields.get("LocationConstraint")?.text.trim();
  if (constraint === undefined || constraint === "") return { locationConstraint: undefined, tags };
  if (!/^[A-Za-z0-9-]{2,64}$/.test(constraint)) {
    throw new S3Error("InvalidLocationConstraint", { LocationConstraint: constraint });
  }
  return { locationConstraint: constraint, tags };
}

/** Whether a new bucket gets Object Lock. @throws S3Error InvalidArgument for other values than true and false */
export function readNewObjectLock(request: S3Request): boolean {
  const name = "x-amz-bucket-object-lock-enabled";
  const value = requestHeader(request, name)?.trim().toLowerCase();
  if (value === undefined || value === "true" || value === "false") return value === "true";
  throw invalidArgument(name, value, `${name} must be true or false.`);
}

/**
 * The status of a VersioningConfiguration.
 * @throws S3Error MalformedXML, IllegalVersioningConfigurationException, NotImplemented for MFA delete
 */
export function parseVersioning(document: Uint8Array): "Enabled" | "Suspended" {
  const fields = singleChildren(parseDocument(document, "VersioningConfiguration"), ["Status", "MfaDelete"]);
  const mfaDelete = fields.get("MfaDelete")?.text.trim();
  if (mfaDelete !== undefined && mfaDelete !== "Disabled") throw new S3Error("NotImplemented", { Header: "MfaDelete" });
  const status = fields.get("Status")?.text.trim();
  if (status === undefined) throw new S3Error("IllegalVersioningConfigurationException");
  if (status !== "Enabled" && status !== "Suspended") throw new S3Error("MalformedXML");
  return status;
}
