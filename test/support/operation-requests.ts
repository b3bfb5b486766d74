// A valid request for every operation, with its set-up and its required permissions.
import {
  DELIVERY,
  UPSTREAM,
  ENCRYPTION,
  LIFECYCLE,
  NOTIFICATION,
  OWNERSHIP,
  POLICY,
  PUBLIC_ACCESS_BLOCK,
  SINGLE_KEY_ACL,
  TAG_RESOURCE,
  VERSIONING,
} from "./operation-documents.ts";
import { expect } from "vitest";
import { archiveOf, archiveOfList, zipRead } from "./archive-requests.ts";
import { send, type SendOptions } from "./client.ts";
import { corsDocument } from "./cors.ts";
import { md5Base64, utf8 } from "./digests.ts";
import { freshBucket, freshBucketName, putAll } from "./fresh-bucket.ts";
import { completionOf, createUpload, putPart } from "./multipart.ts";
import { LOCK_PREPARATIONS } from "./lock-requests.ts";
import { SEARCH_PREPARATIONS } from "./search-requests.ts";
import { takeSnapshot } from "./snapshots.ts";
import { taggingOf } from "./tagging.ts";
import { USAGE_PREPARATIONS } from "./usage-requests.ts";
import { versionedBucket } from "./versioning.ts";
import { websiteDocument } from "./websites.ts";

/** A request for an operation, and what it needs. */
export interface OperationRequest {
  readonly method: string;
  readonly target: string;
  readonly options?: SendOptions;
  /** One for each permission: its alternative actions, and its resource. */
  readonly permissions: readonly { readonly spellings: readonly string[]; readonly on: string }[];
}

/** Creates what an operation works on, and returns its request. */
export type Preparation = () => Promise<OperationRequest>;

const on = (on: string, ...spellings: readonly string[]) => ({ on, spellings });

/** The bucket that a request names in its path, or by the ARN in it. */
export function bucketNamedIn(target: string): string {
  return /^\/(?:v20180820\/tags\/arn%3Aaws%3As3%3A%3A%3A)?([^/?]*)/.exec(target)?.[1] ?? "";
}

/** An operation on a bucket that needs one permission. */
function onBucket(method: string, query: string, spellings: readonly string[], body?: string): Preparation {
  return async () => {
    const bucket = await freshBucket();
    const options = body === undefined ? {} : documented(body);
    return { method, target: `/${bucket}${query}`, options, permissions: [on(bucket, ...spellings)] };
  };
}

/** An operation of S3 Control on a bucket's tags that needs one permission. */
function onTags(method: string, query: string, spellings: readonly string[], body?: string): Preparation {
  return async () => {
    const bucket = await freshBucket();
    const target = `/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A${bucket}${query}`;
    const options = { body, headers: { "x-amz-account-id": "000000000000" } };
    return { method, target, options, permissions: [on(bucket, ...spellings)] };
  };
}

/** An operation on the object `k` that needs one permission. */
function onObject(
  method: string,
  query: string,
  spellings: readonly string[],
  options: SendOptions = {},
  extra: readonly string[] = [],
): Preparation {
  return async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const permissions = [on(`${bucket}/k`, ...spellings), ...extra.map((action) => on(`${bucket}/k`, action))];
    return { method, target: `/${bucket}/k${query}`, options, permissions };
  };
}

/** The same on a named version. */
function onVersion(
  method: string,
  query: string,
  spellings: readonly string[],
  options: SendOptions = {},
): Preparation {
  return async () => {
    const bucket = await freshBucket();
    const enabled = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`;
    await send("PUT", `/${bucket}?versioning`, documented(enabled));
    const put = await send("PUT", `/${bucket}/k`, { body: "text" });
    const versionId = put.headers.get("x-amz-version-id") ?? "";
    const target = `/${bucket}/k?${query}${query === "" ? "" : "&"}versionId=${versionId}`;
    return { method, target, options, permissions: [on(`${bucket}/k`, ...spellings)] };
  };
}

/** A document with its MD5. */
export function documented(body: string): SendOptions {
  return { body, headers: { "content-md5": md5Base64(utf8(body)) } };
}

/** On an upload with one part. */
function onUpload(
  method: string,
  query: (uploadId: string) => string,
  spellings: readonly string[],
  options: (etag: string) => SendOptions = () => ({}),
): Preparation {
  return async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const { etag } = await putPart(bucket, "k", uploadId, 1, "text");
    return {
      method,
      target: `/${bucket}/k?${query(uploadId)}`,
      options: options(etag),
      permissions: [on(`${bucket}/k`, ...spellings)],
    };
  };
}

const WEBSITE = websiteDocument();
const TAGGING = taggingOf({ colour: "red" });

/** The requests of each operation. */
export const PREPARATIONS: Readonly<Record<string, readonly Preparation[]>> = {
  ListBuckets: [
    async () => Promise.resolve({ method: "GET", target: "/", permissions: [on("*", "s3:ListAllMyBuckets")] }),
  ],
  CreateBucket: [
    async () => {
      const bucket = freshBucketName();
      return Promise.resolve({ method: "PUT", target: `/${bucket}`, permissions: [on(bucket, "s3:CreateBucket")] });
    },
  ],
  ListTagsForResource: [onTags("GET", "", ["s3:ListTagsForResource", "s3:GetBucketTagging"])],
  TagResource: [onTags("POST", "", ["s3:TagResource", "s3:PutBucketTagging"], TAG_RESOURCE)],
  UntagResource: [onTags("DELETE", "?tagKeys=colour", ["s3:UntagResource", "s3:PutBucketTagging"])],
  DeleteBucket: [onBucket("DELETE", "", ["s3:DeleteBucket"])],
  HeadBucket: [onBucket("HEAD", "", ["s3:ListBucket"])],
  ListObjects: [onBucket("GET", "", ["s3:ListBucket"])],
  ListObjectsV2: [onBucket("GET", "?list-type=2", ["s3:ListBucket"])],
  ListObjectVersions: [onBucket("GET", "?versions", ["s3:ListBucketVersions", "s3:ListBucket"])],
  ListMultipartUploads: [onBucket("GET", "?uploads", ["s3:ListBucketMultipartUploads"])],
  GetBucketLocation: [onBucket("GET", "?location", ["s3:GetBucketLocation"])],
  GetBucketVersioning: [onBucket("GET", "?versioning", ["s3:GetBucketVersioning"])],
  PutBucketVersioning: [onBucket("PUT", "?versioning", ["s3:PutBucketVersioning"], VERSIONING)],
  GetBucketAcl: [onBucket("GET", "?acl", ["s3:GetBucketAcl", "s3:ListBucket"])],
  PutBucketAcl: [onBucket("PUT", "?acl", ["s3:PutBucketAcl"], SINGLE_KEY_ACL)],
  GetBucketOwnershipControls: [onBucket("GET", "?ownershipControls", ["s3:GetBucketOwnershipControls"])],
  PutBucketOwnershipControls: [onBucket("PUT", "?ownershipControls", ["s3:PutBucketOwnershipControls"], OWNERSHIP)],
  DeleteBucketOwnershipControls: [onBucket("DELETE", "?ownershipControls", ["s3:PutBucketOwnershipControls"])],
  PutPublicAccessBlock: [onBucket("PUT", "?publicAccessBlock", ["s3:PutBucketPublicAccessBlock"], PUBLIC_ACCESS_BLOCK)],
  DeletePublicAccessBlock: [onBucket("DELETE", "?publicAccessBlock", ["s3:PutBucketPublicAccessBlock"])],
  GetPublicAccessBlock: [configured("publicAccessBlock", PUBLIC_ACCESS_BLOCK, "s3:GetBucketPublicAccessBlock")],
  GetBucketPolicy: [
    async () => {
      const bucket = await freshBucket();
      expect((await send("PUT", `/${bucket}?policy`, documented(POLICY(bucket)))).status).toBe(204);
      return { method: "GET", target: `/${bucket}?policy`, permissions: [on(bucket, "s3:GetBucketPolicy")] };
    },
  ],
  GetBucketPolicyStatus: [
    async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}?policy`, documented(POLICY(bucket)));
      return {
        method: "GET",
        target: `/${bucket}?policyStatus`,
        permissions: [on(bucket, "s3:GetBucketPolicyStatus")],
      };
    },
  ],
  PutBucketPolicy: [
    async () => {
      const bucket = await freshBucket();
      const permissions = [on(bucket, "s3:PutBucketPolicy")];
      return { method: "PUT", target: `/${bucket}?policy`, options: documented(POLICY(bucket)), permissions };
    },
  ],
  DeleteBucketPolicy: [onBucket("DELETE", "?policy", ["s3:DeleteBucketPolicy"])],
  GetBucketCors: [configured("cors", corsDocument("https://a.example"), "s3:GetBucketCORS")],
  PutBucketCors: [onBucket("PUT", "?cors", ["s3:PutBucketCORS"], corsDocument("https://a.example"))],
  DeleteBucketCors: [onBucket("DELETE", "?cors", ["s3:PutBucketCORS"])],
  GetBucketTagging: [configured("tagging", TAGGING, "s3:GetBucketTagging")],
  PutBucketTagging: [onBucket("PUT", "?tagging", ["s3:PutBucketTagging"], TAGGING)],
  DeleteBucketTagging: [onBucket("DELETE", "?tagging", ["s3:DeleteBucketTagging", "s3:PutBucketTagging"])],
  GetBucketEncryption: [onBucket("GET", "?encryption", ["s3:GetEncryptionConfiguration"])],
  PutBucketEncryption: [onBucket("PUT", "?encryption", ["s3:PutEncryptionConfiguration"], ENCRYPTION)],
  DeleteBucketEncryption: [onBucket("DELETE", "?encryption", ["s3:PutEncryptionConfiguration"])],
  GetBucketLifecycleConfiguration: [configured("lifecycle", LIFECYCLE, "s3:GetLifecycleConfiguration")],
  PutBucketLifecycleConfiguration: [onBucket("PUT", "?lifecycle", ["s3:PutLifecycleConfiguration"], LIFECYCLE)],
  DeleteBucketLifecycle: [
    onBucket("DELETE", "?lifecycle", ["s3:DeleteLifecycleConfiguration", "s3:PutLifecycleConfiguration"]),
  ],
  PreviewBucketLifecycle: [
    async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}?lifecycle`, documented(LIFECYCLE));
      const permissions = [on(bucket, "s3:GetLifecycleConfiguration"), on(bucket, "s3:ListBucketVersions")];
      return { method: "GET", target: `/${bucket}?lifecycle&dry-run=2030-01-01`, permissions };
    },
  ],
  GetBucketAccelerateConfiguration: [onBucket("GET", "?accelerate", ["s3:GetAccelerateConfiguration"])],
  GetBucketLogging: [onBucket("GET", "?logging", ["s3:GetBucketLogging"])],
  GetBucketNotificationConfiguration: [onBucket("GET", "?notification", ["s3:GetBucketNotification"])],
  PutBucketNotificationConfiguration: [onBucket("PUT", "?notification", ["s3:PutBucketNotification"], NOTIFICATION)],
  ListBucketEvents: [onBucket("GET", "?events", ["s3:ListBucketEvents"])],
  ListBucketDeadEvents: [onBucket("GET", "?events&dead", ["s3:ListBucketEvents"])],
  GetBucketRequestPayment: [onBucket("GET", "?requestPayment", ["s3:GetBucketRequestPayment"])],
  GetBucketReplication: [onBucket("GET", "?replication", ["s3:GetReplicationConfiguration"])],
  GetBucketDelivery: [configured("delivery", DELIVERY, "s3:GetBucketDelivery")],
  PutBucketDelivery: [onBucket("PUT", "?delivery", ["s3:PutBucketDelivery"], DELIVERY)],
  GetBucketUpstream: [configured("upstream", UPSTREAM, "s3:GetBucketUpstream")],
  PutBucketUpstream: [onBucket("PUT", "?upstream", ["s3:PutBucketUpstream"], UPSTREAM)],
  DeleteBucketUpstream: [onBucket("DELETE", "?upstream", ["s3:PutBucketUpstream"])],
  DeleteBucketDelivery: [onBucket("DELETE", "?delivery", ["s3:PutBucketDelivery"])],
  PurgeBucketCache: [onBucket("POST", "?purge", ["s3:PurgeBucketCache"])],
  GetBucketWebsite: [configured("website", WEBSITE, "s3:GetBucketWebsite")],
  PutBucketWebsite: [onBucket("PUT", "?website", ["s3:PutBucketWebsite"], WEBSITE)],
  DeleteBucketWebsite: [onBucket("DELETE", "?website", ["s3:DeleteBucketWebsite"])],
  GetObjectLockConfiguration: [onBucket("GET", "?object-lock", ["s3:GetBucketObjectLockConfiguration"])],
  ...LOCK_PREPARATIONS,
  ...USAGE_PREPARATIONS,

  CreateBucketSnapshot: [
    async () => {
      const bucket = await versionedBucket();
      return { method: "PUT", target: `/${bucket}?snapshot=s`, permissions: [on(bucket, "s3:CreateBucketSnapshot")] };
    },
  ],
  DeleteBucketSnapshot: [onSnapshot("DELETE", "?snapshot=s", "s3:DeleteBucketSnapshot")],
  ListBucketSnapshots: [onBucket("GET", "?snapshots", ["s3:ListBucketSnapshots"])],
  RestoreBucketSnapshot: [onSnapshot("POST", "?restoreSnapshot=s", "s3:RestoreBucketSnapshot")],
  ...SEARCH_PREPARATIONS,
  GetBucketArchive: [archiveOf("?zip"), archiveOf("?tar&prefix=k")],
  GetObjectsArchive: [
    archiveOfList("?zip", "s3:GetObject", ""),
    archiveOfList("?tar", "s3:GetObjectVersion", "<VersionId>null</VersionId>"),
  ],
  GetObject: [onObject("GET", "", ["s3:GetObject"]), onVersion("GET", "", ["s3:GetObjectVersion"])],
  GetZipMember: [
    zipRead("?zip-member=m", "s3:GetObject"),
    zipRead("?zip-member=m&versionId=null", "s3:GetObjectVersion"),
  ],
  ListZipMembers: [zipRead("?zip-list", "s3:GetObject"), zipRead("?zip-list&versionId=null", "s3:GetObjectVersion")],
  HeadObject: [onObject("HEAD", "", ["s3:GetObject"]), onVersion("HEAD", "", ["s3:GetObjectVersion"])],
  GetObjectAttributes: [
    onObject("GET", "?attributes", ["s3:GetObject"], { headers: { "x-amz-object-attributes": "ETag" } }),
    onVersion("GET", "attributes", ["s3:GetObjectVersion"], { headers: { "x-amz-object-attributes": "ETag" } }),
  ],
  GetObjectAcl: [
    onObject("GET", "?acl", ["s3:GetObjectAcl", "s3:GetObject"]),
    onVersion("GET", "acl", ["s3:GetObjectVersionAcl", "s3:GetObjectVersion"]),
  ],
  PutObjectAcl: [
    onObject("PUT", "?acl", ["s3:PutObjectAcl"], documented(SINGLE_KEY_ACL)),
    onVersion("PUT", "acl", ["s3:PutObjectVersionAcl"], documented(SINGLE_KEY_ACL)),
  ],
  GetObjectTagging: [
    onObject("GET", "?tagging", ["s3:GetObjectTagging"]),
    onVersion("GET", "tagging", ["s3:GetObjectVersionTagging"]),
  ],
  PutObjectTagging: [
    onObject("PUT", "?tagging", ["s3:PutObjectTagging"], documented(TAGGING)),
    onVersion("PUT", "tagging", ["s3:PutObjectVersionTagging"], documented(TAGGING)),
  ],
  DeleteObjectTagging: [
    onObject("DELETE", "?tagging", ["s3:DeleteObjectTagging"]),
    onVersion("DELETE", "tagging", ["s3:DeleteObjectVersionTagging"]),
  ],
  PutObject: [
    onObject("PUT", "", ["s3:PutObject"], { body: "text" }),
    onObject("PUT", "", ["s3:PutObject"], { body: "text", headers: { "x-amz-tagging": "a=b" } }, [
      "s3:PutObjectTagging",
    ]),
    onObject("PUT", "", ["s3:PutObject"], { body: "text", headers: { "if-match": md5Hex("text") } }, ["s3:GetObject"]),
    async () => {
      const bucket = await freshBucket();
      expect((await send("PUT", `/${bucket}?ownershipControls`, documented(OWNERSHIP))).status).toBe(200);
      return {
        method: "PUT",
        target: `/${bucket}/k`,
        options: { body: "text", headers: { "x-amz-acl": "public-read" } },
        permissions: [on(`${bucket}/k`, "s3:PutObject"), on(`${bucket}/k`, "s3:PutObjectAcl")],
      };
    },
  ],
  DeleteObject: [
    onObject("DELETE", "", ["s3:DeleteObject"]),
    onVersion("DELETE", "", ["s3:DeleteObjectVersion"]),
    onObject("DELETE", "", ["s3:DeleteObject"], { headers: { "if-match": md5Hex("text") } }, ["s3:GetObject"]),
  ],
  CopyObject: [
    copying({}, ["s3:GetObject"], ["s3:PutObject"]),
    copying(
      { "x-amz-tagging": "a=b" },
      ["s3:GetObject", "s3:GetObjectTagging"],
      ["s3:PutObject", "s3:PutObjectTagging"],
    ),
  ],
  RenameObject: [
    async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { from: "text" });
      const permissions = [on(`${bucket}/k`, "s3:PutObject"), on(`${bucket}/from`, "s3:DeleteObject")];
      return {
        method: "PUT",
        target: `/${bucket}/k`,
        options: { headers: { "x-amz-rename-source": "/from" } },
        permissions,
      };
    },
  ],
  CreateMultipartUpload: [
    onObject("POST", "?uploads", ["s3:PutObject"]),
    onObject("POST", "?uploads", ["s3:PutObject"], { headers: { "x-amz-tagging": "a=b" } }, ["s3:PutObjectTagging"]),
  ],
  UploadPart: [
    onUpload(
      "PUT",
      (id) => `partNumber=2&uploadId=${id}`,
      ["s3:PutObject"],
      () => ({ body: "more" }),
    ),
  ],
  UploadPartCopy: [
    async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { from: "text" });
      const uploadId = await createUpload(bucket, "k");
      return {
        method: "PUT",
        target: `/${bucket}/k?partNumber=1&uploadId=${uploadId}`,
        options: { headers: { "x-amz-copy-source": `/${bucket}/from` } },
        permissions: [on(`${bucket}/k`, "s3:PutObject"), on(`${bucket}/from`, "s3:GetObject")],
      };
    },
  ],
  ListParts: [onUpload("GET", (id) => `uploadId=${id}`, ["s3:ListMultipartUploadParts"])],
  CompleteMultipartUpload: [
    onUpload(
      "POST",
      (id) => `uploadId=${id}`,
      ["s3:PutObject"],
      (etag) => ({ body: completionOf([{ partNumber: 1, etag }]) }),
    ),
  ],
  AbortMultipartUpload: [onUpload("DELETE", (id) => `uploadId=${id}`, ["s3:AbortMultipartUpload"])],
};

/** On a bucket with the snapshot `s`. */
function onSnapshot(method: string, query: string, action: string): Preparation {
  return async () => {
    const bucket = await versionedBucket();
    await takeSnapshot(bucket, "s");
    return { method, target: `/${bucket}${query}`, permissions: [on(bucket, action)] };
  };
}

/** Reads a configuration that is set. */
function configured(subresource: string, document: string, action: string): Preparation {
  return async () => {
    const bucket = await freshBucket();
    const put = await send("PUT", `/${bucket}?${subresource}`, documented(document));
    expect(put.status).toBeLessThan(300);
    return { method: "GET", target: `/${bucket}?${subresource}`, permissions: [on(bucket, action)] };
  };
}

function copying(
  sourceHeaders: Readonly<Record<string, string>>,
  atSource: readonly string[],
  atDestination: readonly string[],
): Preparation {
  return async () => {
    const [from, to] = [await freshBucket(), await freshBucket()];
    await send("PUT", `/${from}/k`, { body: "text", headers: sourceHeaders });
    return {
      method: "PUT",
      target: `/${to}/copy`,
      options: { headers: { "x-amz-copy-source": `/${from}/k` } },
      permissions: [
        ...atSource.map((action) => on(`${from}/k`, action)),
        ...atDestination.map((action) => on(`${to}/copy`, action)),
      ],
    };
  };
}

function md5Hex(text: string): string {
  return Array.from(atob(md5Base64(utf8(text))), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
