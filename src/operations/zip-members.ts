// GetZipMember and ListZipMembers, operations of Cairn's own (docs/archives.md), read one member, or the directory, of an
// object that is a ZIP file, without the rest of it. They need what GetObject needs.
import { element, optionalElement } from "../bytes/xml.ts";
import { formatIsoSeconds } from "../bytes/dates.ts";
import type { ZipEntry } from "../bytes/archives/zip-directory.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type Operation, type S3Response } from "../contract/operation.ts";
import { CUSTOMER_KEY, joinInputs, READ_CONDITIONS, RESPONSE_OVERRIDES } from "../protocol/core/operation-inputs.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { invalidArgument, S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import {
  encodeListed,
  makeToken,
  PAGE_MAX_ENTRIES,
  readEncodingType,
  readPageSize,
  readToken,
} from "../protocol/listings/listing.ts";
import { isNotModified } from "../protocol/objects/conditions.ts";
import {
  checkReadKey,
  encryptionHeaders,
  readCustomerKey,
  type CustomerKey,
} from "../protocol/objects/customer-encryption.ts";
import { refuseAnonymousOverrides, requireVersion, type ObjectReadInput } from "../protocol/objects/object-reading.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import {
  memberEtag,
  memberHeaders,
  memberRange,
  readingZip,
  readZipRead,
} from "../protocol/objects/zip-member-request.ts";
import { knowingSmallBlobs } from "../state/blobs/small-blob-store.ts";
import { openObject } from "../state/reads/object-bytes.ts";
import { lookUpObjectContent, type ObjectContentFacts } from "../state/reads/object-reads.ts";
import { findMember, openMember, readDirectory, type ZipFile } from "../state/reads/zip-members.ts";

interface Input extends ObjectReadInput {
  readonly customerKey: CustomerKey | undefined;
}

const SHARED = {
  actions: ["s3:GetObject"],
  versionActions: ["s3:GetObjectVersion"],
  readsSnapshots: true,
  // The directory may be anywhere, so all slices of a multipart object are looked up.
  lookUp: (input: Input) => lookUpObjectContent({ ...input, range: undefined, partNumber: undefined }),
  subject: ({ object }: ObjectContentFacts) => object,
} as const;

const INPUTS = joinInputs(CUSTOMER_KEY, { query: ["versionId"] });

function getZipMember(method: "GET" | "HEAD"): Operation {
  return defineOperation({
    ...SHARED,
    name: "GetZipMember",
    route: { method, level: "object", query: ["zip-member"] },
    inputs: joinInputs(INPUTS, READ_CONDITIONS, RESPONSE_OVERRIDES, { headers: ["range", "if-range"] }),

    async read(request, { customerKeysOverHttp }) {
      const member = request.query.get("zip-member") ?? "";
      if (member === "") throw invalidArgument("zip-member", member, "The name of the member is missing.");
      return { ...readZipRead(request), customerKey: await readCustomerKey(request, customerKeysOverHttp), member };
    },

    async run(context, input, facts): Promise<S3Response> {
      refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
      const object = requireVersion(input, facts);
      await checkReadKey(object.encryption, input.customerKey);
      const etag = await memberEtag(object, input.member);
      if (isNotModified(input.conditions, etag, object.modifiedAt, context.now)) {
        return { status: 304, headers: { etag: quoteEtag(etag) } };
      }
      const file = fileOf(context, object, facts, input.customerKey);
      const member = await readingZip(() => findMember(file, input.member));
      if (member === undefined) throw new S3Error("NoSuchZipMember", { Key: object.key, Member: input.member });
      const { name, size } = member.entry;
      const range = member.isStored ? memberRange(input, { etag, size }) : undefined;
      const isVersioned = facts.bucket.versioning !== null;
      const headers = {
        ...memberHeaders(input, object, { name, etag, size, hasRanges: member.isStored }, isVersioned, range),
        ...encryptionHeaders(input.customerKey),
      };
      if (method === "HEAD") return { status: range === undefined ? 200 : 206, headers };
      // Members are read from the blob store.
      const withCache = size === 0 ? headers : { ...headers, "x-cache": "BYPASS" };
      if (range === undefined) {
        return { status: 200, headers: withCache, body: await readingZip(() => openMember(file, member)) };
      }
      const body = await file.open({ offset: member.range.offset + range.offset, length: range.length });
      return { status: 206, headers: withCache, body };
    },

    write: (response) => response,
  });
}

const listZipMembers = defineOperation({
  ...SHARED,
  name: "ListZipMembers",
  route: { method: "GET", level: "object", query: ["zip-list"] },
  inputs: joinInputs(INPUTS, { query: ["continuation-token", "encoding-type", "max-keys"] }),

  async read(request, { customerKeysOverHttp }) {
    const { query } = request;
    return {
      ...readZipRead(request),
      customerKey: await readCustomerKey(request, customerKeysOverHttp),
      token: query.get("continuation-token"),
      limit: Math.min(readPageSize(query, "max-keys"), PAGE_MAX_ENTRIES),
      encodingType: readEncodingType(query),
    };
  },

  async run(context, input, facts) {
    const object = requireVersion(input, facts);
    await checkReadKey(object.encryption, input.customerKey);
    const listing = ["zip-list", object.blobId ?? object.manifestId ?? ""];
    const start = input.token === undefined ? 0 : Number(await readToken(input.token, listing));
    const file = fileOf(context, object, facts, input.customerKey);
    return readingZip(async () => {
      const page: ZipEntry[] = [];
      let index = 0;
      for (const entry of (await readDirectory(file)).entries) {
        if (index >= start && page.length < input.limit) page.push(entry);
        index += 1;
      }
      const next = start + page.length;
      const isTruncated = page.length > 0 && next < index;
      return { object, page, nextToken: isTruncated ? await makeToken(String(next), listing) : undefined };
    });
  },

  write: ({ object, page, nextToken }, { encodingType }): S3Response => ({
    status: 200,
    headers: {},
    body: element(
      "ListZipMembersResult",
      [
        element("Key", encodeListed(object.key, encodingType)),
        element("KeyCount", page.length),
        optionalElement("EncodingType", encodingType),
        element("IsTruncated", nextToken !== undefined),
        optionalElement("NextContinuationToken", nextToken),
        ...page.map((entry) =>
          element("Member", [
            element("Name", encodeListed(entry.name, encodingType)),
            element("Size", entry.size),
            element("CompressedSize", entry.compressedSize),
            element("Method", entry.method),
            element("CRC32", entry.crc32.toString(16).padStart(8, "0")),
            element("LastModified", formatIsoSeconds(entry.modifiedAt)),
          ]),
        ),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

export const zipMembers: readonly Operation[] = [getZipMember("GET"), getZipMember("HEAD"), listZipMembers];

function fileOf(
  { blobs }: Context,
  object: StoredObject,
  { slices, small }: ObjectContentFacts,
  key: CustomerKey | undefined,
): ZipFile {
  return {
    size: object.size,
    async open(range) {
      const stream = await openObject(knowingSmallBlobs(blobs, small), object, slices, range, key);
      if (stream === undefined) throw new Error(`the blob of version ${object.versionId} is missing`);
      return stream;
    },
  };
}
