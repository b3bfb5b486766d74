// QueryBucket, an operation of Cairn's own (docs/search.md), finds current versions by key, tags, metadata, size, time,
// content type and storage class. A key's tags and metadata match and show only if the caller may read them.
import { matchesGlob, globOf, type Glob } from "../auth/policy/glob.ts";
import { MatchText } from "../auth/policy/match-text.ts";
import { compareUtf8, successorOf } from "../bytes/text.ts";
import { element, optionalElement } from "../bytes/xml.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { S3_NAMESPACE, S3Error } from "../protocol/core/s3-error.ts";
import {
  encodeListed,
  makeToken,
  PAGE_MAX_ENTRIES,
  readEncodingType,
  readPageSize,
  readToken,
} from "../protocol/listings/listing.ts";
import {
  QUERY_FAMILIES,
  QUERY_PARAMETERS,
  readObjectQuery,
  readScan,
  type ObjectQuery,
} from "../protocol/listings/object-query.ts";
import { foundXml, type FoundObject } from "../protocol/listings/query-xml.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import type { QueryCandidate } from "../state/listings/query-listing.ts";
import { lookUpFirstPage, readCandidates } from "../state/listings/query-pages.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";

/** The most rows of a bucket without an index that one request examines. */
const MAX_EXAMINED_ROWS = 5000;
/** The most candidates of one statement. Tags and metadata of more could take more memory than a request should. */
const MAX_CANDIDATES = 250;

/** A query, prepared for matching. */
interface PreparedQuery extends ObjectQuery {
  readonly pattern: Glob | undefined;
  /** Texts that every matching key contains. */
  readonly texts: readonly string[];
}

export const queryBucket = defineOperation({
  name: "QueryBucket",
  actions: ["s3:QueryBucket"],
  authorizes: "both",
  furtherActions: [
    { action: "s3:ListBucket" },
    { action: "s3:GetObject", when: "for each key whose content type or user metadata the query tests or includes" },
    { action: "s3:GetObjectTagging", when: "for each key whose tags the query tests or includes" },
  ],
  route: { method: "GET", level: "bucket", query: ["query"] },
  inputs: {
    query: [...QUERY_PARAMETERS.filter((name) => name !== "query"), ...QUERY_FAMILIES.map((family) => `${family}*`)],
  },

  async read({ address, query }) {
    const bucketName = addressedBucket(address);
    const read = readObjectQuery(query);
    const prepared = prepare(read);
    const scope = ["query", bucketName, JSON.stringify(read)];
    const token = query.get("continuation-token");
    const last = token === undefined ? undefined : await readToken(token, scope);
    const maxKeys = readPageSize(query, "max-keys");
    const { prefix } = read;
    const head = headOf(read.glob);
    const range = head.startsWith(prefix) ? head : prefix;
    const after = last === undefined ? range : successorOf(last);
    return {
      bucketName,
      query: prepared,
      scans: readScan(query),
      scope,
      token,
      maxKeys,
      limit: Math.min(maxKeys, PAGE_MAX_ENTRIES),
      encodingType: readEncodingType(query),
      candidates: {
        bucketName,
        query: prepared,
        texts: prepared.texts,
        pageLimit: MAX_CANDIDATES,
        // Clients can forge tokens, and a policy may limit the principal to the prefix.
        range: {
          prefix: range,
          from: compareUtf8(after, range) < 0 ? range : after,
          through: undefined,
          rows: MAX_EXAMINED_ROWS,
          limit: Math.min(maxKeys + 1, MAX_CANDIDATES),
        },
      },
    };
  },

  lookUp: ({ bucketName, candidates }) => lookUpBoth(lookUpBucket(bucketName), lookUpFirstPage(candidates)),

  async run(context, { query, candidates, limit, scope, scans, bucketName }, facts) {
    const { bucket } = facts;
    const { access, inputs, request, database } = context;
    access.requireAllowed({ actions: ["s3:ListBucket"], bucket, bucketName, inputs });
    await refuseContradictions(request, inputs);
    if (limit === 0) return { found: [], nextToken: undefined };
    const found: FoundObject[] = [];
    const { pages, through, isIndexed } = await readCandidates(database, candidates, facts);
    for await (const page of pages) {
      for (const candidate of page) {
        const visible = matches(query, candidate) ? visibleTo(context, bucket, query, candidate) : undefined;
        if (visible === undefined) continue;
        // One object more shows that the page is truncated.
        if (found.length === limit) return { found, nextToken: await makeToken(found.at(-1)?.key ?? "", scope) };
        found.push(visible);
      }
    }
    if (through === undefined) return { found, nextToken: undefined };
    if (!isIndexed && !scans && found.length < limit) throw tooBroad(query);
    return { found, nextToken: await makeToken(through, scope) };
  },

  write: ({ found, nextToken }, { bucketName, query, token, maxKeys, encodingType }) => ({
    status: 200,
    headers: {},
    body: element(
      "QueryBucketResult",
      [
        element("Name", bucketName),
        element("Prefix", encodeListed(query.prefix, encodingType)),
        optionalElement("ContinuationToken", token),
        optionalElement("NextContinuationToken", nextToken),
        element("KeyCount", found.length),
        element("MaxKeys", maxKeys),
        optionalElement("EncodingType", encodingType),
        element("IsTruncated", nextToken !== undefined),
        foundXml(found, (key) => encodeListed(key, encodingType)),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

/** The refusal of a query that would examine too many objects for what it finds, with what to narrow. */
function tooBroad(query: ObjectQuery): S3Error {
  const [tag, entry] = [query.tags[0] ?? query.tagPrefixes[0], query.metadata[0] ?? query.metadataPrefixes[0]];
  const conditions = [
    tag && `the tag ${tag.name}`,
    entry && `the user metadata ${entry.name}`,
    query.contentType && "ContentType",
    query.storageClass && "StorageClass",
    (query.minSize ?? query.maxSize) === undefined ? undefined : "Size",
    (query.modifiedAfter ?? query.modifiedBefore) === undefined ? undefined : "LastModified",
  ].filter((condition) => condition !== undefined && condition !== "");
  const index = conditions.length === 0 ? "" : `, index ${conditions.join(" or ")} with PutBucketQueryConfiguration`;
  return new S3Error(
    "QueryTooBroad",
    {},
    `The query would examine more than ${MAX_EXAMINED_ROWS} objects for one page. Narrow it to fewer keys with prefix or glob${index}, or add scan=true to examine all of them page by page.`,
  );
}

function prepare(query: ObjectQuery): PreparedQuery {
  const { suffix, contains, glob = "" } = query;
  const texts = [suffix, contains, ...glob.split(/[*?]/)].filter((text) => text !== "");
  const parts = Array.from(glob.matchAll(/[*?]|[^*?]+/g), ([text]) =>
    text === "*" || text === "?" ? ({ wildcard: text } as const) : { text },
  );
  // A statement has at most 100 parameters, and the longest texts narrow most.
  const longest = texts.toSorted((one, other) => other.length - one.length).slice(0, 8);
  return { ...query, texts: longest, pattern: glob === "" ? undefined : globOf(parts) };
}

/** The text before a pattern's first wildcard, with which every matching key begins. */
function headOf(glob = ""): string {
  return glob.split(/[*?]/, 1)[0] ?? "";
}

/** Tests every condition of a query exactly. */
function matches(query: PreparedQuery, object: QueryCandidate): boolean {
  const { key, size, modifiedAt } = object;
  const { minSize = 0, maxSize = Infinity, modifiedAfter = -Infinity, modifiedBefore = Infinity } = query;
  return (
    key.startsWith(query.prefix) &&
    key.endsWith(query.suffix) &&
    key.includes(query.contains) &&
    size >= minSize &&
    size <= maxSize &&
    modifiedAt >= modifiedAfter &&
    modifiedAt < modifiedBefore &&
    (query.storageClass === undefined || object.storageClass === query.storageClass) &&
    (query.contentType === undefined || isOfType(object.contentType, query.contentType)) &&
    query.tags.every(({ name, value }) => object.tags.some((tag) => tag.key === name && tag.value === value)) &&
    query.tagPrefixes.every(({ name, value }) =>
      object.tags.some((tag) => tag.key === name && tag.value.startsWith(value)),
    ) &&
    query.metadata.every(({ name, value }) => object.userMetadata[name] === value) &&
    query.metadataPrefixes.every(({ name, value }) => object.userMetadata[name]?.startsWith(value) === true) &&
    (query.pattern === undefined || matchesGlob(query.pattern, new MatchText(key)))
  );
}

function isOfType(contentType: string, wanted: string): boolean {
  const type = (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
  return wanted.endsWith("/*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

/**
 * The object with the tags and metadata that the caller may read; undefined if the query tests what the caller may not
 * read. Metadata of objects under a customer's key needs the key, which a query does not have.
 */
function visibleTo(
  { access }: Context,
  bucket: Bucket,
  query: ObjectQuery,
  object: QueryCandidate,
): FoundObject | undefined {
  const on = { bucket, bucketName: bucket.name, key: object.key, object };
  const testsTags = query.tags.length + query.tagPrefixes.length > 0;
  const testsMetadata = query.metadata.length + query.metadataPrefixes.length > 0 || query.contentType !== undefined;
  const mayReadTags = (testsTags || query.includesTags) && access.allows({ ...on, actions: ["s3:GetObjectTagging"] });
  const mayReadMetadata =
    (testsMetadata || query.includesMetadata) &&
    !object.hasCustomerKey &&
    access.allows({ ...on, actions: ["s3:GetObject"] });
  if ((testsTags && !mayReadTags) || (testsMetadata && !mayReadMetadata)) return undefined;
  return {
    ...object,
    tags: query.includesTags && mayReadTags ? object.tags : undefined,
    contentType: query.includesMetadata && mayReadMetadata ? object.contentType : undefined,
    userMetadata: query.includesMetadata && mayReadMetadata ? object.userMetadata : undefined,
  };
}
