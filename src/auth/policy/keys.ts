// The condition keys that policies may test: AWS's names, of which those that Cairn does not support never have a
// value. Other names are rejected as mistakes, because a condition that can never hold would hide them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html

/** A request's values of a condition key, by its lower-case name; undefined if it has none. */
export type ConditionKeys = (lowerCaseName: string) => readonly string[] | undefined;

const GLOBAL_KEYS = `AssumedRoot CalledViaAWSMCP ChatbotSourceArn Ec2InstanceSourcePrivateIPv4 Ec2InstanceSourceVpc
  IsMcpServiceAction SignInSessionArn ViaAWSMCPService VpceAccount VpceOrgID VpceOrgPaths CalledVia CalledViaFirst CalledViaLast CurrentTime EpochTime FederatedProvider MultiFactorAuthAge
  MultiFactorAuthPresent PrincipalAccount PrincipalArn PrincipalIsAWSService PrincipalOrgID PrincipalOrgPaths
  PrincipalServiceName PrincipalServiceNamesList PrincipalType Referer RequestedRegion ResourceAccount ResourceOrgID
  ResourceOrgPaths SecureTransport SourceAccount SourceArn SourceIdentity SourceIp SourceOrgID SourceOrgPaths SourceOwner
  SourceVpc SourceVpcArn SourceVpce TagKeys TokenIssueTime UserAgent ViaAWSService VpcSourceIp userid username`;

const S3_KEYS = `AccessGrantsInstanceArn ExistingJobOperation ExistingJobPriority JobSuspendedCause RequestJobOperation
  RequestJobPriority destinationRegion isReplicationPauseRequest AccessPointNetworkOrigin DataAccessPointAccount DataAccessPointArn InventoryAccessibleOptionalFields
  LocationConstraint ObjectCreationOperation RequestObjectTagKeys ResourceAccount TlsVersion VersionId authType delimiter
  if-match if-none-match max-keys object-lock-legal-hold object-lock-mode object-lock-remaining-retention-days
  object-lock-retain-until-date prefix signatureAge signatureversion x-amz-acl x-amz-content-sha256 x-amz-copy-source
  x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write x-amz-grant-write-acp
  x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption
  x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm x-amz-storage-class
  x-amz-website-redirect-location`;

/** The keys of IAM and STS calls, and those that AWS adds to the role sessions of its services. */
const OTHER_KEYS: readonly string[] = [
  ...names("sts", "DurationSeconds ExternalId RoleSessionName SourceIdentity TaskPolicyArn TransitiveTagKeys"),
  ...names("iam", "AssociatedResourceArn AWSServiceName PassedToService PermissionsBoundary PolicyARN"),
  ...names("codebuild", "BuildArn ProjectArn"),
  ...names("ec2", "RoleDelivery SourceInstanceArn"),
  ...names("glue", "CredentialIssuingService RoleAssumedBy"),
  ...names("identitystore", "UserId"),
  ...names("lambda", "SourceFunctionArn"),
  ...names("ssm", "SourceInstanceArn"),
];

const KEYS: ReadonlySet<string> = new Set([...names("aws", GLOBAL_KEYS), ...names("s3", S3_KEYS), ...OTHER_KEYS]);

/** Prefixes that a tag's key follows. */
const TAG_FAMILIES: readonly string[] = [
  ...names("aws", "PrincipalTag/ RequestTag/ ResourceTag/"),
  ...names("s3", "AccessPointTag/ BucketTag/ ExistingObjectTag/ RequestObjectTag/"),
  ...names("iam", "ResourceTag/"),
];

/** Keys whose values are tag keys, which are folded like the tag keys in condition keys' names. */
export const TAG_KEY_LISTS: ReadonlySet<string> = new Set(["aws:tagkeys", "s3:requestobjecttagkeys"]);

/** Whether a lower-case name is a known condition key. */
export function isConditionKey(lowerCaseName: string): boolean {
  return (
    KEYS.has(lowerCaseName) ||
    TAG_FAMILIES.some((family) => lowerCaseName.startsWith(family) && lowerCaseName.length > family.length)
  );
}

function names(service: string, list: string): string[] {
  return list.split(/\s+/).map((name) => `${service}:${name}`.toLowerCase());
}
