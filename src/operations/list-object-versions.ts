// ListObjectVersions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
import { formatIsoDate } from "../bytes/dates.ts";
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import {
  encodeListed,
  entriesAfter,
  PAGE_MAX_ENTRIES,
  readEncodingType,
  readPageSize,
  readScope,
} from "../protocol/listings/listing.ts";
import { ownerElement } from "../protocol/listings/listing-xml.ts";
import { joinInputs, LISTING_SCOPE } from "../protocol/core/operation-inputs.ts";
import { invalidArgument, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { versionIdOfMarker, versionMarker } from "../protocol/core/version-id.ts";
import { lookUpNullVersion, lookUpVersionPage, type ListedVersion } from "../state/listings/version-listing.ts";

export const listObjectVersions = defineOperation({
  name: "ListObjectVersions",
  actions: ["s3:ListBucketVersions", "s3:ListBucket"],
  route: { method: "GET", level: "bucket", query: ["versions"] },
  inputs: joinInputs(LISTING_SCOPE, { query: ["key-marker", "version-id-marker", "max-keys"] }),

  read({ address, query }) {
    const keyMarker = query.get("key-marker") ?? "";
    const versionIdMarker = query.get("version-id-marker") ?? "";
    if (versionIdMarker !== "" && keyMarker === "") {
      const message = "A version-id marker cannot be specified without a key marker.";
      throw invalidArgument("version-id-marker", versionIdMarker, message);
    }
    if (versionIdMarker !== "" && versionIdMarker !== "null" && versionIdOfMarker(versionIdMarker) === undefined) {
      throw invalidArgument("version-id-marker", versionIdMarker, "Invalid version id specified");
    }
    const scope = readScope(query);
    const maxKeys = readPageSize(query, "max-keys");
    const encodingType = readEncodingType(query);
    const bucketName = addressedBucket(address);
    return { bucketName, scope, keyMarker, versionIdMarker, maxKeys, encodingType };
  },

  lookUp: ({ bucketName, scope, keyMarker, versionIdMarker, maxKeys }) =>
    lookUpVersionPage({
      bucketName,
      ...scope,
      // Only the database knows the position of the null version, so `run` looks up such a page.
      ...entriesAfter(keyMarker, versionIdOfMarker(versionIdMarker), scope),
      limit: versionIdMarker === "null" ? 0 : Math.min(maxKeys, PAGE_MAX_ENTRIES),
    }),

  async run({ database }, { bucketName, scope, keyMarker, versionIdMarker, maxKeys }, facts) {
    if (versionIdMarker !== "null") return facts;
    // A client may name a null version that was deleted meanwhile. Its position is then unknown, and the page repeats
    // all versions of the key: listing a version twice is harmless, omitting one is not.
    const nullVersionId = await database.look(lookUpNullVersion(bucketName, keyMarker));
    const after = entriesAfter(keyMarker, nullVersionId ?? "", scope);
    const limit = Math.min(maxKeys, PAGE_MAX_ENTRIES);
    return database.look(lookUpVersionPage({ bucketName, ...scope, ...after, limit }));
  },

  write(
    { entries, isTruncated },
    { bucketName, scope, keyMarker, versionIdMarker, maxKeys, encodingType },
  ): S3Response {
    const encode = (text: string): string => encodeListed(text, encodingType);
    const versions = entries.flatMap((entry) => ("version" in entry ? [entry.version] : []));
    const prefixes = entries.flatMap((entry) => ("commonPrefix" in entry ? [entry.commonPrefix] : []));
    const last = entries.at(-1);
    const lastVersion = last !== undefined && "version" in last ? last.version : undefined;
    const nextKey = lastVersion?.key ?? (last !== undefined && "commonPrefix" in last ? last.commonPrefix : "");
    return {
      status: 200,
      headers: {},
      body: element(
        "ListVersionsResult",
        [
          element("Name", bucketName),
          element("Prefix", encode(scope.prefix)),
          element("KeyMarker", encode(keyMarker)),
          element("VersionIdMarker", versionIdMarker),
          isTruncated ? element("NextKeyMarker", encode(nextKey)) : undefined,
          isTruncated && lastVersion !== undefined
            ? element("NextVersionIdMarker", versionMarker(lastVersion))
            : undefined,
          element("MaxKeys", maxKeys),
          scope.delimiter === "" ? undefined : element("Delimiter", encode(scope.delimiter)),
          optionalElement("EncodingType", encodingType),
          element("IsTruncated", isTruncated),
          ...versions.map((version) => versionElement(version, encode)),
          ...prefixes.map((prefix) => element("CommonPrefixes", [element("Prefix", encode(prefix))])),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});

function versionElement(version: ListedVersion, encode: (text: string) => string): XmlElement {
  const common = [
    element("Key", encode(version.key)),
    element("VersionId", shownVersionId(version)),
    element("IsLatest", version.isLatest),
    element("LastModified", formatIsoDate(version.modifiedAt)),
  ];
  if (version.isDeleteMarker) return element("DeleteMarker", [...common, ownerElement(version.ownerId)]);
  return element("Version", [
    ...common,
    element("ETag", quoteEtag(version.etag)),
    optionalElement("ChecksumAlgorithm", version.checksumAlgorithm),
    optionalElement("ChecksumType", version.checksumType),
    element("Size", version.size),
    element("StorageClass", version.storageClass),
    ownerElement(version.ownerId),
  ]);
}
