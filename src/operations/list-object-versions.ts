// ListObjectVersions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
import { textElement } from "../bytes/xml-text.ts";
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { listingNote } from "../protocol/buckets/upstream-configuration.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { etagElement } from "../protocol/core/etag.ts";
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
    const note = listingNote(facts.bucket.configurations.upstream);
    if (versionIdMarker !== "null") return { ...facts, note };
    // A client may name a null version that was deleted meanwhile. Its position is then unknown, and the page repeats
    // all versions of the key: listing a version twice is harmless, omitting one is not.
    const nullVersionId = await database.look(lookUpNullVersion(bucketName, keyMarker));
    const after = entriesAfter(keyMarker, nullVersionId ?? "", scope);
    const limit = Math.min(maxKeys, PAGE_MAX_ENTRIES);
    return { ...(await database.look(lookUpVersionPage({ bucketName, ...scope, ...after, limit }))), note };
  },

  write(
    { entries, isTruncated, note },
    { bucketName, scope, keyMarker, versionIdMarker, maxKeys, encodingType },
  ): S3Response {
    const encode = (text: string): string => encodeListed(text, encodingType);
    const last = entries.at(-1);
    const lastVersion = last !== undefined && "version" in last ? last.version : undefined;
    const nextKey = lastVersion?.key ?? (last !== undefined && "commonPrefix" in last ? last.commonPrefix : "");
    return {
      status: 200,
      headers: note,
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
          { xml: entries.map((entry) => ("version" in entry ? versionXml(entry.version, encode) : "")).join("") },
          commonPrefixesXml(entries, encode),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});

function versionXml(version: ListedVersion, encode: (text: string) => string): string {
  const common =
    textElement("Key", encode(version.key)) +
    textElement("VersionId", shownVersionId(version)) +
    `<IsLatest>${version.isLatest}</IsLatest>${dateXml("LastModified", version.modifiedAt)}`;
  const owner = ownerXml(version.ownerId);
  if (version.isDeleteMarker) return `<DeleteMarker>${common}${owner}</DeleteMarker>`;
  return (
    `<Version>${common}${etagElement(version.etag)}${checksumXml(version)}<Size>${version.size}</Size>` +
    `${textElement("StorageClass", version.storageClass)}${owner}</Version>`
  );
}
