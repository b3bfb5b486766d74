// The table of all S3 operations, one row each. An operation that is not implemented has a row too, so that it returns
// 501 NotImplemented and its requests never match a similar route.
import { notImplemented, type Operation } from "../contract/operation.ts";
import { abortMultipartUpload } from "../operations/abort-multipart-upload.ts";
import { checkConsistency } from "../operations/check-consistency.ts";
import { bucketArchives } from "../operations/bucket-archives.ts";
import { bucketCors } from "../operations/bucket-cors.ts";
import { bucketDelivery } from "../operations/bucket-delivery.ts";
import { bucketEncryption } from "../operations/bucket-encryption.ts";
import { bucketObjectLock } from "../operations/bucket-object-lock.ts";
import { getObjectLegalHold } from "../operations/get-object-legal-hold.ts";
import { getObjectRetention } from "../operations/get-object-retention.ts";
import { putObjectLegalHold } from "../operations/put-object-legal-hold.ts";
import { putObjectRetention } from "../operations/put-object-retention.ts";
import { bucketLifecycle } from "../operations/bucket-lifecycle.ts";
import { bucketEvents } from "../operations/bucket-events.ts";
import { bucketNotification } from "../operations/bucket-notification.ts";
import { bucketOwnershipControls } from "../operations/bucket-ownership-controls.ts";
import { bucketPolicy } from "../operations/bucket-policy.ts";
import { bucketQueryConfiguration } from "../operations/bucket-query-configuration.ts";
import { bucketQuota } from "../operations/bucket-quota.ts";
import { bucketUpstream } from "../operations/bucket-upstream.ts";
import { bucketTagging } from "../operations/bucket-tagging.ts";
import { bucketWebsite } from "../operations/bucket-website.ts";
import { publicAccessBlock } from "../operations/public-access-block.ts";
import { defaultConfigurations } from "../operations/default-configurations.ts";
import { completeMultipartUpload } from "../operations/complete-multipart-upload.ts";
import { copyObject } from "../operations/copy-object.ts";
import { createBucketSnapshot } from "../operations/create-bucket-snapshot.ts";
import { createBucket } from "../operations/create-bucket.ts";
import { createMultipartUpload } from "../operations/create-multipart-upload.ts";
import { deleteBucketSnapshot } from "../operations/delete-bucket-snapshot.ts";
import { deleteBucket } from "../operations/delete-bucket.ts";
import { deleteObjectTagging } from "../operations/delete-object-tagging.ts";
import { deleteObject } from "../operations/delete-object.ts";
import { deleteObjects } from "../operations/delete-objects.ts";
import { getBucketAcl } from "../operations/get-bucket-acl.ts";
import { getBucketLocation } from "../operations/get-bucket-location.ts";
import { getBucketPolicyStatus } from "../operations/get-bucket-policy-status.ts";
import { getBucketUsage } from "../operations/get-bucket-usage.ts";
import { getAccountRequestUsage, getBucketRequestUsage } from "../operations/get-request-usage.ts";
import { getBucketVersioning } from "../operations/get-bucket-versioning.ts";
import { getObjectAcl } from "../operations/get-object-acl.ts";
import { getObjectAttributes } from "../operations/get-object-attributes.ts";
import { getObjectTagging } from "../operations/get-object-tagging.ts";
import { getObject } from "../operations/get-object.ts";
import { headBucket } from "../operations/head-bucket.ts";
import { headObject } from "../operations/head-object.ts";
import { listBucketSnapshots } from "../operations/list-bucket-snapshots.ts";
import { listBuckets } from "../operations/list-buckets.ts";
import { listMultipartUploads } from "../operations/list-multipart-uploads.ts";
import { listObjectVersions } from "../operations/list-object-versions.ts";
import { listObjectsV2 } from "../operations/list-objects-v2.ts";
import { listObjects } from "../operations/list-objects.ts";
import { listParts } from "../operations/list-parts.ts";
import { listScheduledJobs } from "../operations/list-scheduled-jobs.ts";
import { listTagsForResource } from "../operations/list-tags-for-resource.ts";
import { postObject } from "../operations/post-object.ts";
import { previewBucketLifecycle } from "../operations/preview-bucket-lifecycle.ts";
import { purgeBucketCache } from "../operations/purge-bucket-cache.ts";
import { putBucketAcl } from "../operations/put-bucket-acl.ts";
import { putBucketVersioning } from "../operations/put-bucket-versioning.ts";
import { putObjectAcl } from "../operations/put-object-acl.ts";
import { putObjectTagging } from "../operations/put-object-tagging.ts";
import { deleteObjectAnnotation } from "../operations/delete-object-annotation.ts";
import { getObjectAnnotation } from "../operations/get-object-annotation.ts";
import { listObjectAnnotations } from "../operations/list-object-annotations.ts";
import { putObjectAnnotation } from "../operations/put-object-annotation.ts";
import { queryBucket } from "../operations/query-bucket.ts";
import { putObject } from "../operations/put-object.ts";
import { renameObject, renameObjectByQuery } from "../operations/rename-object.ts";
import { restoreBucketSnapshot } from "../operations/restore-bucket-snapshot.ts";
import { tagResource } from "../operations/tag-resource.ts";
import { untagResource } from "../operations/untag-resource.ts";
import { uploadPartCopy } from "../operations/upload-part-copy.ts";
import { uploadPart } from "../operations/upload-part.ts";
import { zipMembers } from "../operations/zip-members.ts";

export const OPERATIONS: readonly Operation[] = [
  listBuckets,

  listTagsForResource,
  tagResource,
  untagResource,

  createBucket,
  headBucket,
  deleteBucket,
  getBucketLocation,
  listObjects,
  listObjectsV2,
  deleteObjects,
  listObjectVersions,
  listMultipartUploads,
  getBucketVersioning,
  putBucketVersioning,
  ...bucketCors,
  ...bucketDelivery,
  ...bucketEncryption,
  ...bucketLifecycle,
  ...bucketNotification,
  ...bucketOwnershipControls,
  ...bucketPolicy,
  ...bucketTagging,
  ...bucketWebsite,
  ...bucketQueryConfiguration,
  ...bucketQuota,
  ...bucketUpstream,
  ...publicAccessBlock,
  ...bucketObjectLock,
  ...defaultConfigurations,
  getBucketAcl,
  putBucketAcl,
  getBucketPolicyStatus,
  previewBucketLifecycle,
  createBucketSnapshot,
  listBucketSnapshots,
  restoreBucketSnapshot,
  deleteBucketSnapshot,
  checkConsistency,
  listScheduledJobs,
  getBucketUsage,
  queryBucket,
  getBucketRequestUsage,
  getAccountRequestUsage,
  ...bucketEvents,
  ...bucketArchives,
  purgeBucketCache,
  postObject,

  putObject,
  getObject,
  headObject,
  deleteObject,
  copyObject,
  renameObject,
  renameObjectByQuery,
  ...zipMembers,
  getObjectAttributes,
  getObjectTagging,
  putObjectTagging,
  deleteObjectTagging,
  getObjectAcl,
  putObjectAcl,
  putObjectAnnotation,
  getObjectAnnotation,
  listObjectAnnotations,
  deleteObjectAnnotation,
  getObjectRetention,
  putObjectRetention,
  getObjectLegalHold,
  putObjectLegalHold,

  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
  completeMultipartUpload,
  abortMultipartUpload,
  listParts,

  notImplemented("RestoreObject", "POST", "object", "restore"),
  notImplemented("SelectObjectContent", "POST", "object", "select", "select-type=2"),
  notImplemented("UpdateObjectEncryption", "PUT", "object", "encryption"),
  notImplemented("GetObjectTorrent", "GET", "object", "torrent"),

  notImplemented("PutBucketReplication", "PUT", "bucket", "replication"),
  notImplemented("DeleteBucketReplication", "DELETE", "bucket", "replication"),
  notImplemented("PutBucketLogging", "PUT", "bucket", "logging"),
  notImplemented("PutBucketAccelerateConfiguration", "PUT", "bucket", "accelerate"),
  notImplemented("PutBucketRequestPayment", "PUT", "bucket", "requestPayment"),
  notImplemented("GetBucketAbac", "GET", "bucket", "abac"),
  notImplemented("PutBucketAbac", "PUT", "bucket", "abac"),
  notImplemented("CreateSession", "GET", "bucket", "session"),

  notImplemented("ListBucketAnalyticsConfigurations", "GET", "bucket", "analytics"),
  notImplemented("GetBucketAnalyticsConfiguration", "GET", "bucket", "analytics", "id"),
  notImplemented("PutBucketAnalyticsConfiguration", "PUT", "bucket", "analytics"),
  notImplemented("DeleteBucketAnalyticsConfiguration", "DELETE", "bucket", "analytics"),
  notImplemented("ListBucketIntelligentTieringConfigurations", "GET", "bucket", "intelligent-tiering"),
  notImplemented("GetBucketIntelligentTieringConfiguration", "GET", "bucket", "intelligent-tiering", "id"),
  notImplemented("PutBucketIntelligentTieringConfiguration", "PUT", "bucket", "intelligent-tiering"),
  notImplemented("DeleteBucketIntelligentTieringConfiguration", "DELETE", "bucket", "intelligent-tiering"),
  notImplemented("ListBucketInventoryConfigurations", "GET", "bucket", "inventory"),
  notImplemented("GetBucketInventoryConfiguration", "GET", "bucket", "inventory", "id"),
  notImplemented("PutBucketInventoryConfiguration", "PUT", "bucket", "inventory"),
  notImplemented("DeleteBucketInventoryConfiguration", "DELETE", "bucket", "inventory"),
  notImplemented("ListBucketMetricsConfigurations", "GET", "bucket", "metrics"),
  notImplemented("GetBucketMetricsConfiguration", "GET", "bucket", "metrics", "id"),
  notImplemented("PutBucketMetricsConfiguration", "PUT", "bucket", "metrics"),
  notImplemented("DeleteBucketMetricsConfiguration", "DELETE", "bucket", "metrics"),
  notImplemented("CreateBucketMetadataConfiguration", "POST", "bucket", "metadataConfiguration"),
  notImplemented("GetBucketMetadataConfiguration", "GET", "bucket", "metadataConfiguration"),
  notImplemented("DeleteBucketMetadataConfiguration", "DELETE", "bucket", "metadataConfiguration"),
  notImplemented("CreateBucketMetadataTableConfiguration", "POST", "bucket", "metadataTable"),
  notImplemented("GetBucketMetadataTableConfiguration", "GET", "bucket", "metadataTable"),
  notImplemented("DeleteBucketMetadataTableConfiguration", "DELETE", "bucket", "metadataTable"),
  notImplemented("UpdateBucketMetadataAnnotationTableConfiguration", "PUT", "bucket", "metadataAnnotationTable"),
  notImplemented("UpdateBucketMetadataInventoryTableConfiguration", "PUT", "bucket", "metadataInventoryTable"),
  notImplemented("UpdateBucketMetadataJournalTableConfiguration", "PUT", "bucket", "metadataJournalTable"),
];
