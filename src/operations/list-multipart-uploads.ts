// ListMultipartUploads: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
import { textElement } from "../bytes/xml-text.ts";
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import {
  encodeListed,
  entriesAfter,
  PAGE_MAX_ENTRIES,
  readEncodingType,
  readPageSize,
  readScope,
} from "../protocol/listings/listing.ts";
import { checksumXml, commonPrefixesXml, dateXml, ownerXml } from "../protocol/listings/listing-xml.ts";
import { joinInputs, LISTING_SCOPE } from "../protocol/core/operation-inputs.ts";
import { invalidArgument, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpUploadPage, type ListedUpload } from "../state/listings/upload-listing.ts";

export const listMultipartUploads = defineOperation({
  name: "ListMultipartUploads",
  actions: ["s3:ListBucketMultipartUploads"],
  route: { method: "GET", level: "bucket", query: ["uploads"] },
  inputs: joinInputs(LISTING_SCOPE, { query: ["key-marker", "upload-id-marker", "max-uploads"] }),

  read({ address, query }) {
    const scope = readScope(query);
    const keyMarker = query.get("key-marker") ?? "";
    // AWS ignores an upload id marker without a key marker.
    const uploadIdMarker = keyMarker === "" ? "" : (query.get("upload-id-marker") ?? "");
    if (uploadIdMarker !== "" && !/^[0-9a-v]{36}$/.test(uploadIdMarker)) {
      throw invalidArgument("upload-id-marker", uploadIdMarker, "Invalid uploadId marker");
    }
    const maxUploads = readPageSize(query, "max-uploads");
    const after = entriesAfter(keyMarker, uploadIdMarker === "" ? undefined : uploadIdMarker, scope);
    return {
      bucketName: addressedBucket(address),
      scope,
      keyMarker,
      uploadIdMarker,
      maxUploads,
      encodingType: readEncodingType(query),
      after,
    };
  },

  lookUp: ({ bucketName, scope, after, maxUploads }) =>
    lookUpUploadPage({ bucketName, ...scope, ...after, limit: Math.min(maxUploads, PAGE_MAX_ENTRIES) }),

  run: (_context, _input, { entries, isTruncated }) => Promise.resolve({ entries, isTruncated }),

  write(
    { entries, isTruncated },
    { bucketName, scope, keyMarker, uploadIdMarker, maxUploads, encodingType },
  ): S3Response {
    const encode = (text: string): string => encodeListed(text, encodingType);
    const last = entries.at(-1);
    const nextKey = last === undefined ? "" : "upload" in last ? last.upload.key : last.commonPrefix;
    const nextUploadId = last !== undefined && "upload" in last ? last.upload.uploadId : "";
    return {
      status: 200,
      headers: {},
      body: element(
        "ListMultipartUploadsResult",
        [
          element("Bucket", bucketName),
          element("KeyMarker", encode(keyMarker)),
          element("UploadIdMarker", uploadIdMarker),
          ...(isTruncated
            ? [element("NextKeyMarker", encode(nextKey)), element("NextUploadIdMarker", nextUploadId)]
            : []),
          element("Prefix", encode(scope.prefix)),
          scope.delimiter === "" ? undefined : element("Delimiter", encode(scope.delimiter)),
          optionalElement("EncodingType", encodingType),
          element("MaxUploads", maxUploads),
          element("IsTruncated", isTruncated),
          { xml: entries.map((entry) => ("upload" in entry ? uploadXml(entry.upload, encode) : "")).join("") },
          commonPrefixesXml(entries, encode),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});

function uploadXml(upload: ListedUpload, encode: (text: string) => string): string {
  return (
    `<Upload>${textElement("Key", encode(upload.key))}${textElement("UploadId", upload.uploadId)}` +
    `${ownerXml(upload.ownerId, "Initiator")}${ownerXml(upload.ownerId)}` +
    `${textElement("StorageClass", upload.storageClass)}${dateXml("Initiated", upload.initiatedAt)}` +
    `${checksumXml(upload)}</Upload>`
  );
}
