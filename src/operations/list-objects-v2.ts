// ListObjectsV2: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { listingNote } from "../protocol/buckets/upstream-configuration.ts";
import { addressedBucket, addressedSnapshot } from "../protocol/core/addressing.ts";
import {
  encodeListed,
  makeToken,
  pageAfter,
  readEncodingType,
  readPageSize,
  readScope,
  readToken,
} from "../protocol/listings/listing.ts";
import { entriesXml } from "../protocol/listings/listing-xml.ts";
import { joinInputs, LISTING_SCOPE } from "../protocol/core/operation-inputs.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { addressOfSnapshot } from "../protocol/core/snapshot.ts";
import { lookUpListing } from "../state/listings/snapshot-listing.ts";

export const listObjectsV2 = defineOperation({
  name: "ListObjectsV2",
  actions: ["s3:ListBucket"],
  versionActions: ["s3:ListBucketVersions"],
  readsSnapshots: true,
  route: { method: "GET", level: "bucket", query: ["list-type=2"] },
  inputs: joinInputs(LISTING_SCOPE, { query: ["continuation-token", "fetch-owner", "max-keys", "start-after"] }),

  async read({ address, query }) {
    const bucketName = addressedBucket(address);
    const scope = readScope(query);
    const token = query.get("continuation-token");
    const snapshot = addressedSnapshot(address);
    const name = addressOfSnapshot(bucketName, snapshot);
    const listing = [name, scope.prefix, scope.delimiter];
    // A token takes precedence over start-after, which the response still contains.
    const startAfter = query.get("start-after") ?? "";
    const marker = token === undefined ? startAfter : await readToken(token, listing);
    const maxKeys = readPageSize(query, "max-keys");
    return {
      bucketName,
      name,
      scope,
      listing,
      token,
      startAfter,
      maxKeys,
      encodingType: readEncodingType(query),
      showsOwner: query.get("fetch-owner") === "true",
      page: pageAfter(marker, scope, maxKeys, snapshot),
    };
  },

  lookUp: ({ bucketName, page }) => lookUpListing(bucketName, page),

  async run(_context, { listing }, { bucket, entries, isTruncated, last }) {
    const nextToken = isTruncated && last !== undefined ? await makeToken(last, listing) : undefined;
    return { bucket, entries, nextToken };
  },

  write(
    { bucket, entries, nextToken },
    { name, scope, token, startAfter, maxKeys, encodingType, showsOwner },
  ): S3Response {
    const encode = (text: string): string => encodeListed(text, encodingType);
    return {
      status: 200,
      headers: { "x-amz-bucket-region": bucket.region, ...listingNote(bucket.configurations.upstream) },
      body: element(
        "ListBucketResult",
        [
          element("Name", name),
          element("Prefix", encode(scope.prefix)),
          startAfter === "" ? undefined : element("StartAfter", encode(startAfter)),
          optionalElement("ContinuationToken", token),
          optionalElement("NextContinuationToken", nextToken),
          element("KeyCount", entries.length),
          element("MaxKeys", maxKeys),
          scope.delimiter === "" ? undefined : element("Delimiter", encode(scope.delimiter)),
          optionalElement("EncodingType", encodingType),
          element("IsTruncated", nextToken !== undefined),
          entriesXml(entries, encode, showsOwner),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});
