// ListParts: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
import { textElement } from "../bytes/xml-text.ts";
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { checksumElement } from "../protocol/core/checksums.ts";
import { etagElement } from "../protocol/core/etag.ts";
import { PAGE_MAX_ENTRIES, readPageSize } from "../protocol/listings/listing.ts";
import { dateXml, ownerElement } from "../protocol/listings/listing-xml.ts";
import { readUploadId } from "../protocol/objects/multipart.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpPartPage, type ListedPart } from "../state/listings/part-listing.ts";
import { lookUpUpload } from "../state/metadata/uploads.ts";

export const listParts = defineOperation({
  name: "ListParts",
  actions: ["s3:ListMultipartUploadParts"],
  route: { method: "GET", level: "object", query: ["uploadId"] },
  inputs: { query: ["max-parts", "part-number-marker"] },

  read({ address, query }) {
    const { bucket, key } = addressedObject(address);
    const maxParts = readPageSize(query, "max-parts");
    // An empty marker precedes every part; a malformed number is refused like a malformed page size.
    const marker = (query.get("part-number-marker") ?? "") === "" ? 0 : readPageSize(query, "part-number-marker");
    return { bucketName: bucket, key, uploadId: readUploadId(query), maxParts, marker };
  },

  lookUp: ({ bucketName, key, uploadId, marker, maxParts }) =>
    lookUpBoth(
      lookUpUpload(bucketName, key, uploadId),
      lookUpPartPage(uploadId, marker, Math.min(maxParts, PAGE_MAX_ENTRIES) + 1),
    ),

  run(_context, { uploadId, maxParts }, { upload, parts }) {
    if (upload === undefined) throw new S3Error("NoSuchUpload", { UploadId: uploadId });
    const limit = Math.min(maxParts, PAGE_MAX_ENTRIES);
    return Promise.resolve({ upload, page: parts.slice(0, limit), isTruncated: limit > 0 && parts.length > limit });
  },

  write: ({ upload, page, isTruncated }, { bucketName, key, uploadId, maxParts, marker }): S3Response => ({
    status: 200,
    headers: {},
    body: element(
      "ListPartsResult",
      [
        element("Bucket", bucketName),
        element("Key", key),
        element("UploadId", uploadId),
        ownerElement(upload.ownerId, "Initiator"),
        ownerElement(upload.ownerId),
        element("StorageClass", upload.storageClass),
        element("PartNumberMarker", marker),
        element("NextPartNumberMarker", page.at(-1)?.partNumber ?? 0),
        element("MaxParts", maxParts),
        element("IsTruncated", isTruncated),
        optionalElement("ChecksumAlgorithm", upload.checksumAlgorithm),
        optionalElement("ChecksumType", upload.checksumType),
        // Digests of bytes that a customer's key encrypts are returned only to requests with that key.
        { xml: page.map((part) => partXml(part, upload.encryption === undefined)).join("") },
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

function partXml(
  { partNumber, modifiedAt, etag, size, checksumAlgorithm, checksum }: ListedPart,
  showsDigest: boolean,
) {
  const digest =
    showsDigest && checksumAlgorithm !== undefined && checksum !== undefined
      ? textElement(checksumElement(checksumAlgorithm), checksum)
      : "";
  return (
    `<Part><PartNumber>${partNumber}</PartNumber>${dateXml("LastModified", modifiedAt)}${etagElement(etag)}` +
    `<Size>${size}</Size>${digest}</Part>`
  );
}
