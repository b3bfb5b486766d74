// GetObjectAttributes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
import { withReadableChecksums } from "../protocol/objects/sealed-checksums.ts";
import { formatHttpDate } from "../bytes/dates.ts";
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { checksumElement } from "../protocol/core/checksums.ts";
import { checkReadKey, readCustomerKey } from "../protocol/objects/customer-encryption.ts";
import {
  partsCountOf,
  readNamedVersion,
  requireVersion,
  versionIdHeader,
  type ObjectPart,
} from "../protocol/objects/object-reading.ts";
import { joinInputs, CUSTOMER_KEY } from "../protocol/core/operation-inputs.ts";
import { invalidArgument, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../protocol/core/s3-request.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import { lookUpObjectParts } from "../state/reads/object-reads.ts";

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"] as const;
type Attribute = (typeof ATTRIBUTES)[number];
const PAGE_MAX_PARTS = 1000;

export const getObjectAttributes = defineOperation({
  name: "GetObjectAttributes",
  actions: ["s3:GetObject"],
  explicitDenyActions: ["s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"],
  versionActions: ["s3:GetObjectVersion"],
  route: { method: "GET", level: "object", query: ["attributes"] },
  inputs: joinInputs(CUSTOMER_KEY, {
    query: ["versionId"],
    headers: ["x-amz-object-attributes", "x-amz-max-parts", "x-amz-part-number-marker"],
  }),

  read: async (request, { customerKeysOverHttp }) => ({
    ...readNamedVersion(request),
    attributes: readAttributes(requestHeader(request, "x-amz-object-attributes")),
    maxParts: Math.min(countOf(request, "x-amz-max-parts") ?? PAGE_MAX_PARTS, PAGE_MAX_PARTS),
    marker: countOf(request, "x-amz-part-number-marker") ?? 0,
    customerKey: await readCustomerKey(request, customerKeysOverHttp),
  }),

  // One part beyond the page shows whether the list is truncated.
  lookUp: (input) =>
    lookUpObjectParts(
      input,
      input.attributes.has("ObjectParts") ? { after: input.marker, limit: input.maxParts + 1 } : undefined,
    ),
  readsSnapshots: true,
  subject: ({ object }) => object,

  async run(_context, input, facts) {
    const stored = requireVersion(input, facts);
    await checkReadKey(stored.encryption, input.customerKey);
    const headers = versionIdHeader(stored, facts.bucket.versioning !== null);
    return { ...(await withReadableChecksums(stored, facts.parts, input.customerKey)), headers };
  },

  write({ object, parts, headers }, { attributes, maxParts, marker }): S3Response {
    const has = (name: Attribute, content: XmlElement | undefined): XmlElement | undefined =>
      attributes.has(name) ? content : undefined;
    return {
      status: 200,
      headers: { ...headers, "last-modified": formatHttpDate(object.modifiedAt) },
      body: element(
        "GetObjectAttributesResponse",
        [
          has("ETag", element("ETag", object.etag)),
          has("Checksum", checksumOf(object)),
          has("ObjectParts", partsOf(object, parts, maxParts, marker)),
          has("StorageClass", element("StorageClass", object.storageClass)),
          has("ObjectSize", element("ObjectSize", object.size)),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});

function checksumOf({ checksum }: StoredObject): XmlElement | undefined {
  if (checksum === undefined) return undefined;
  const { algorithm, type, value } = checksum;
  return element("Checksum", [
    element(checksumElement(algorithm), value.replace(/-\d+$/, "")),
    element("ChecksumType", type),
  ]);
}

/** Lists the parts only when each has a checksum of its own; otherwise returns only their number. */
function partsOf(
  object: StoredObject,
  parts: readonly ObjectPart[],
  maxParts: number,
  marker: number,
): XmlElement | undefined {
  const { checksum } = object;
  const count = partsCountOf(object);
  if (count === undefined) return undefined;
  if (checksum?.type !== "COMPOSITE") return element("ObjectParts", [element("PartsCount", count)]);
  const after = parts.filter(({ partNumber }) => partNumber > marker);
  const page = after.slice(0, maxParts);
  return element("ObjectParts", [
    element("PartsCount", count),
    element("PartNumberMarker", marker),
    optionalElement("NextPartNumberMarker", page.at(-1)?.partNumber),
    element("MaxParts", maxParts),
    element("IsTruncated", maxParts > 0 && after.length > page.length),
    ...page.map((part) =>
      element("Part", [
        element("PartNumber", part.partNumber),
        element("Size", part.size),
        part.checksum === undefined ? undefined : element(checksumElement(checksum.algorithm), part.checksum),
      ]),
    ),
  ]);
}

function readAttributes(header: string | undefined): ReadonlySet<string> {
  const names = (header ?? "").split(",").map((name) => name.trim());
  const known: readonly string[] = ATTRIBUTES;
  if (!names.every((name) => known.includes(name))) {
    throw invalidArgument("x-amz-object-attributes", header ?? "", "Invalid attribute name specified.");
  }
  return new Set(names);
}

/** The number in a header; undefined for a malformed one, which AWS ignores. */
function countOf(request: S3Request, name: string): number | undefined {
  const text = requestHeader(request, name)?.trim() ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
