// ListObjects (version 1): https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { listingNote } from "../protocol/buckets/upstream-configuration.ts";
import { addressedBucket, addressedSnapshot } from "../protocol/core/addressing.ts";
import { encodeListed, pageAfter, readEncodingType, readPageSize, readScope } from "../protocol/listings/listing.ts";
import { entriesXml } from "../protocol/listings/listing-xml.ts";
import { joinInputs, LISTING_SCOPE } from "../protocol/core/operation-inputs.ts";
import { invalidArgument, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { addressOfSnapshot } from "../protocol/core/snapshot.ts";
import { lookUpListing } from "../state/listings/snapshot-listing.ts";

export const listObjects = defineOperation({
  name: "ListObjects",
  actions: ["s3:ListBucket"],
  versionActions: ["s3:ListBucketVersions"],
  readsSnapshots: true,
  route: { method: "GET", level: "bucket" },
  inputs: joinInputs(LISTING_SCOPE, { query: ["list-type", "marker", "max-keys"] }),

  read({ address, query }) {
    const version = query.get("list-type");
    if (version !== undefined && version !== "1") {
      throw invalidArgument("list-type", version, "Invalid List Type specified in Request");
    }
    const scope = readScope(query);
    const marker = query.get("marker") ?? "";
    const maxKeys = readPageSize(query, "max-keys");
    const snapshot = addressedSnapshot(address);
    return {
      bucketName: addressedBucket(address),
      snapshot,
      scope,
      marker,
      maxKeys,
      encodingType: readEncodingType(query),
      page: pageAfter(marker, scope, maxKeys, snapshot),
    };
  },

  lookUp: ({ bucketName, page }) => lookUpListing(bucketName, page),

  run: (_context, _input, facts) => Promise.resolve(facts),

  write({ bucket, entries, isTruncated, last }, { snapshot, scope, marker, maxKeys, encodingType }): S3Response {
    const encode = (text: string): string => encodeListed(text, encodingType);
    // Without a delimiter, clients use the last key as the next marker, but a page of a snapshot may end after that
    // key.
    const namesMarker = scope.delimiter !== "" || snapshot !== undefined;
    const nextMarker = isTruncated && namesMarker ? last : undefined;
    return {
      status: 200,
      headers: { "x-amz-bucket-region": bucket.region, ...listingNote(bucket.configurations.upstream) },
      body: element(
        "ListBucketResult",
        [
          element("Name", addressOfSnapshot(bucket.name, snapshot)),
          element("Prefix", encode(scope.prefix)),
          element("Marker", encode(marker)),
          nextMarker === undefined ? undefined : element("NextMarker", encode(nextMarker)),
          element("MaxKeys", maxKeys),
          scope.delimiter === "" ? undefined : element("Delimiter", encode(scope.delimiter)),
          optionalElement("EncodingType", encodingType),
          element("IsTruncated", isTruncated),
          entriesXml(entries, encode, true),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});
