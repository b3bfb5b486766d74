// ListObjects (version 1): https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { encodeListed, lastListed, pageAfter, readEncodingType, readPageSize, readScope } from "../protocol/listing.ts";
import { entryElements } from "../protocol/listing-xml.ts";
import { S3_NAMESPACE } from "../protocol/s3-error.ts";
import { lookUpObjectPage } from "../state/object-listing.ts";

export const listObjects = defineOperation({
  name: "ListObjects",
  actions: ["s3:ListBucket"],
  route: { method: "GET", level: "bucket" },

  read({ address, query }) {
    const scope = readScope(query);
    const marker = query.get("marker") ?? "";
    const maxKeys = readPageSize(query, "max-keys");
    return {
      bucketName: addressedBucket(address),
      scope,
      marker,
      maxKeys,
      encodingType: readEncodingType(query),
      page: pageAfter(marker, scope, maxKeys),
    };
  },

  lookUp: ({ bucketName, page }) => lookUpObjectPage(bucketName, page),

  run: (_context, _input, { bucket, entries, isTruncated }) => Promise.resolve({ bucket, entries, isTruncated }),

  write({ bucket, entries, isTruncated }, { scope, marker, maxKeys, encodingType }): S3Response {
    const encode = (text: string): string => encodeListed(text, encodingType);
    // Without a delimiter, clients take the last key for the next marker.
    const nextMarker = isTruncated && scope.delimiter !== "" ? lastListed(entries) : undefined;
    return {
      status: 200,
      headers: { "x-amz-bucket-region": bucket.region },
      body: element(
        "ListBucketResult",
        [
          element("Name", bucket.name),
          element("Prefix", encode(scope.prefix)),
          element("Marker", encode(marker)),
          nextMarker === undefined ? undefined : element("NextMarker", encode(nextMarker)),
          element("MaxKeys", maxKeys),
          scope.delimiter === "" ? undefined : element("Delimiter", encode(scope.delimiter)),
          optionalElement("EncodingType", encodingType),
          element("IsTruncated", isTruncated),
          ...entryElements(entries, encode, true),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});
