// The actions that policies may name, and the resources that each applies to. Contains AWS's actions that Cairn does
// not implement, so that policies written for S3 work unchanged, and other stores' names of two actions.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
import { matchesGlob } from "./glob.ts";
import { MatchText } from "./match-text.ts";
import { parseTemplate, type Template } from "./template.ts";

/** The kind of resource that an action applies to. */
export type ResourceLevel = "account" | "bucket" | "object";

const S3_ACTIONS: Readonly<Record<ResourceLevel, string>> = {
  account: `CheckConsistency GetAccountRequestUsage GetAccountPublicAccessBlock ListAllMyBuckets ListScheduledJobs
    PutAccountPublicAccessBlock`,
  bucket: `CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration
    DeleteBucketPolicy DeleteBucketTagging DeleteBucketWebsite DeleteLifecycleConfiguration GetAccelerateConfiguration
    GetAnalyticsConfiguration GetBucketAbac GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging
    GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration
    GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment
    GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration
    GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket
    ListBucketMultipartUploads ListBucketVersions ListTagsForResource PutAccelerateConfiguration
    PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification
    PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
    PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration
    PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration
    PutReplicationConfiguration TagResource UntagResource UpdateBucketMetadataInventoryTableConfiguration
    UpdateBucketMetadataJournalTableConfiguration
    CreateBucketSnapshot DeleteBucketSnapshot GetBucketArchive GetBucketDelivery GetBucketQueryConfiguration GetBucketQuota GetBucketRequestUsage GetBucketUpstream GetBucketUsage
    ListBucketEvents ListBucketSnapshots PurgeBucketCache PutBucketDelivery PutBucketQueryConfiguration PutBucketQuota PutBucketUpstream QueryBucket RestoreBucketSnapshot`,
  object: `AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging
    DeleteObjectVersion DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetObject GetObjectAcl
    GetObjectAnnotation GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent
    GetObjectVersion GetObjectVersionAcl GetObjectVersionAnnotation GetObjectVersionAttributes
    GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication
    ListMultipartUploadParts ListObjectAnnotations ListObjectVersionAnnotations ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectAnnotation
    PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionAnnotation
    PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateTags RestoreObject UpdateObjectEncryption`,
};

const IAM_ACTIONS = `AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy CreateAccessKey
  CreateAccountAlias CreateGroup CreatePolicy CreatePolicyVersion CreateRole CreateUser DeleteAccessKey
  DeleteAccountAlias DeleteGroup DeleteGroupPolicy DeleteLoginProfile DeletePolicy DeletePolicyVersion DeleteRole
  DeleteRolePermissionsBoundary DeleteRolePolicy DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy
  DetachGroupPolicy DetachRolePolicy DetachUserPolicy GenerateCredentialReport GetAccessKeyLastUsed
  GetAccountAuthorizationDetails GetAccountSummary GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy
  GetCredentialReport GetGroup GetGroupPolicy GetLoginProfile GetPolicy GetPolicyVersion GetRole GetRolePolicy GetUser GetUserPolicy
  ListAccessKeys ListAccountAliases ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies
  ListEntitiesForPolicy ListGroupPolicies ListGroups ListGroupsForUser ListPolicies ListPolicyTags ListPolicyVersions
  ListMFADevices ListRolePolicies ListRoles ListRoleTags ListServiceSpecificCredentials ListSigningCertificates
  ListSSHPublicKeys ListUserPolicies ListUsers ListUserTags ListVirtualMFADevices PassRole PutGroupPolicy
  PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy RemoveUserFromGroup
  SetDefaultPolicyVersion SimulateCustomPolicy SimulatePrincipalPolicy TagPolicy TagRole TagUser UntagPolicy UntagRole
  UntagUser UpdateAccessKey UpdateAssumeRolePolicy UpdateGroup UpdateRole UpdateRoleDescription UpdateUser`;

const STS_ACTIONS = `AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage
  GetAccessKeyInfo GetCallerIdentity GetFederationToken GetServiceBearerToken GetSessionToken SetContext
  SetSourceIdentity TagSession`;

const BY_LEVEL: Readonly<Record<ResourceLevel, readonly MatchText[]>> = {
  account: names("s3", S3_ACTIONS.account),
  bucket: names("s3", S3_ACTIONS.bucket),
  object: names("s3", S3_ACTIONS.object),
};

const S3_NAMES = Object.values(BY_LEVEL).flat();
const ALL_NAMES = [...S3_NAMES, ...names("iam", IAM_ACTIONS), ...names("sts", STS_ACTIONS)];

/** Parses an action or a pattern of actions; undefined if it matches no known action. */
export function readAction(written: string, services: "s3" | "all"): Template | undefined {
  // Actions are case-insensitive.
  const template = parseTemplate(written.toLowerCase(), { hasVariables: false, hasWildcards: true });
  const isForm = written === "*" || /^[a-z0-9]+:[a-z0-9*?]+$/i.test(written);
  return isForm && template !== undefined && matchesAnyAction(template, services === "s3" ? S3_NAMES : ALL_NAMES)
    ? template
    : undefined;
}

/** Whether an action, or any that a pattern matches, applies to a resource of one of these levels. */
export function appliesToLevel(action: Template, levels: readonly ResourceLevel[]): boolean {
  return levels.some((level) => matchesAnyAction(action, BY_LEVEL[level]));
}

/** Whether a pattern matches one of these actions, in lower case. */
export function matchesAnyAction({ glob }: Template, actions: readonly MatchText[]): boolean {
  return glob !== undefined && actions.some((action) => matchesGlob(glob, action));
}

/** The lower-case actions of a service in a list of names. */
export function names(service: string, list: string): MatchText[] {
  return list.split(/\s+/).map((name) => new MatchText(`${service}:${name}`.toLowerCase()));
}
