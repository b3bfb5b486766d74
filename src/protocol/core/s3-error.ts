// S3's errors: one class, and one table of codes with status and default message. Further XML elements (BucketName,
// ArgumentName, …) are data of the error.

const ERRORS = {
  AnnotationLimitExceeded: [
    400,
    "The request would exceed the maximum number or size of annotations allowed per object.",
  ],
  AnnotationNameTooLong: [400, "The annotation name exceeds 512 bytes."],
  AccessControlListNotSupported: [400, "The bucket does not allow ACLs"],
  AccessForbidden: [403, "CORSResponse: CORS is not enabled for this bucket."],
  AccessDenied: [403, "Access Denied"],
  AuthorizationHeaderMalformed: [400, "The authorization header you provided is invalid."],
  AuthorizationQueryParametersError: [
    400,
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
  ],
  BadDigest: [400, "The Content-MD5 or checksum value that you specified did not match what the server received."],
  BadRequest: [400, "Bad Request"],
  BucketAlreadyExists: [
    409,
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Select a different name and try again.",
  ],
  BucketAlreadyOwnedByYou: [409, "Your previous request to create the named bucket succeeded and you already own it."],
  BucketNotEmpty: [409, "The bucket you tried to delete is not empty"],
  ConditionalRequestConflict: [
    409,
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
  ],
  DatabaseSchemaMismatch: [503, "The database's schema is not the one that this Worker needs."],
  DeliveryHostAlreadyInUse: [409, "The host belongs to another bucket."],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size"],
  EntityTooLarge: [400, "Your proposed upload exceeds the maximum allowed size"],
  EncryptionTypeMismatch: [
    400,
    "The existing object was created with a different encryption type. Subsequent write requests must include the appropriate encryption parameters in the request.",
  ],
  ExpiredToken: [400, "The provided token has expired."],
  IdempotencyParameterMismatch: [
    400,
    "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).",
  ],
  IllegalLocationConstraintException: [
    400,
    "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.",
  ],
  InsufficientStorage: [
    507,
    "The database that holds the metadata is full, and nothing was changed. Reads go on. Delete objects, versions or uploads to make room.",
  ],
  IncompleteBody: [400, "You did not provide the number of bytes specified by the Content-Length HTTP header"],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidAccessKeyId: [403, "The AWS Access Key Id you provided does not exist in our records."],
  InvalidAnnotationName: [400, "The annotation name you provided is invalid."],
  InvalidArgument: [400, "Invalid Argument"],
  InvalidBucketAclWithObjectOwnership: [
    400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
  ],
  InvalidBucketState: [409, "The request is not valid for the current state of the bucket."],
  InvalidBucketName: [400, "The specified bucket is not valid."],
  IllegalVersioningConfigurationException: [400, "The Versioning element must be specified"],
  InvalidBucketOwnerAWSAccountID: [400, "The value of the expected bucket owner parameter must be an AWS Account ID."],
  InvalidChunkSizeError: [400, "Only the last chunk is allowed to have a size less than 8192 bytes"],
  InvalidDigest: [400, "The Content-MD5 you specified was invalid."],
  InvalidEncryptionAlgorithmError: [400, "The Encryption request you specified is not valid. Supported value: AES256."],
  InvalidLocationConstraint: [400, "The specified location-constraint is not valid"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [400, "The list of parts was not in ascending order. Parts must be ordered by part number."],
  InvalidPartNumber: [416, "The requested partnumber is not satisfiable"],
  InvalidPolicyDocument: [
    400,
    "The content of the form does not meet the conditions specified in the policy document.",
  ],
  InvalidRedirectLocation: [400, "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."],
  InvalidPrefix: [400, "The annotation prefix you provided is invalid."],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRequest: [400, "Invalid Request"],
  InvalidRetentionPeriod: [400, "The retention period is not valid"],
  InvalidStorageClass: [400, "The storage class you specified is not valid"],
  InvalidTag: [400, "The tag provided was not a valid tag."],
  InvalidToken: [400, "The provided token is malformed or otherwise invalid."],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  InvalidWriteOffset: [400, "The write offset value that you specified does not match the current object size."],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedACLError: [400, "The XML you provided was not well-formed or did not validate against our published schema"],
  MalformedPOSTRequest: [400, "The body of your POST request is not well-formed multipart/form-data."],
  MalformedPolicy: [400, "Policies must be valid JSON and the first byte must be '{'"],
  MalformedTrailerError: [
    400,
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  ],
  MalformedXML: [400, "The XML you provided was not well-formed or did not validate against our published schema"],
  MaxPostPreDataLengthExceeded: [400, "Your POST request fields preceeding the upload file was too large."],
  MetadataTooLarge: [400, "Your metadata headers exceed the maximum allowed metadata size"],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource."],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header."],
  MissingRequestBodyError: [400, "Request Body is empty"],
  MissingSecurityHeader: [400, "Your request was missing a required header"],
  NoSuchAnnotation: [404, "The specified annotation does not exist on this object."],
  NoSuchCORSConfiguration: [404, "The CORS configuration does not exist"],
  NoSuchBucket: [404, "The specified bucket does not exist"],
  NoSuchBucketPolicy: [404, "The bucket policy does not exist"],
  NoSuchPublicAccessBlockConfiguration: [404, "The public access block configuration was not found"],
  NoSuchDeliveryConfiguration: [404, "The bucket has no delivery configuration"],
  NoSuchLifecycleConfiguration: [404, "The lifecycle configuration does not exist"],
  NoSuchWebsiteConfiguration: [404, "The specified bucket does not have a website configuration"],
  ReplicationConfigurationNotFoundError: [404, "The replication configuration was not found"],
  ObjectLockConfigurationNotFoundError: [404, "Object Lock configuration does not exist for this bucket"],
  NoSuchObjectLockConfiguration: [404, "The specified object does not have a ObjectLock configuration"],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchQueryConfiguration: [404, "The bucket has no query configuration"],
  NoSuchQuotaConfiguration: [404, "The bucket has no quota"],
  NoSuchSnapshot: [404, "The specified snapshot does not exist"],
  NoSuchTagSet: [404, "The TagSet does not exist"],
  NoSuchUpstreamConfiguration: [404, "The bucket has no upstream"],
  NoSuchUpload: [
    404,
    "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  ],
  NoSuchZipMember: [404, "The ZIP file has no member of this name."],
  NoSuchVersion: [404, "The specified version does not exist."],
  NotImplemented: [501, "A header or operation you provided implies functionality that is not implemented"],
  OwnershipControlsNotFoundError: [404, "The bucket ownership controls were not found"],
  PreconditionFailed: [412, "At least one of the pre-conditions you specified did not hold"],
  QueryTooBroad: [400, "The query would examine too many objects."],
  QuotaExceeded: [
    403,
    "The quota of the bucket or of the user who created it does not allow this, and nothing was changed. Delete objects or versions to make room.",
  ],
  RequestTimeTooSkewed: [403, "The difference between the request time and the current time is too large."],
  ServiceUnavailable: [503, "Please reduce your request rate."],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  ],
  SnapshotAlreadyExists: [409, "The bucket has a snapshot of that name already"],
  SlowDown: [503, "Please reduce your request rate."],
  TooManyParts: [
    400,
    "You have attempted to add more parts than the maximum of 10000 that are allowed for this object. You can use the CopyObject operation to copy this object to another and then add more data to the newly copied object.",
  ],
  TooManySnapshots: [400, "You have attempted to create more snapshots of the bucket than allowed"],
  TooManyBuckets: [400, "You have attempted to create more buckets than allowed"],
  UnexpectedContent: [400, "This request does not support content"],
  UnsupportedMediaType: [415, "The annotation payload is not valid UTF-8 encoded text."],
  UnresolvableGrantByEmailAddress: [400, "The email address you provided does not match any account on record."],
  XAmzContentSHA256Mismatch: [400, "The provided 'x-amz-content-sha256' header does not match what was computed."],
} as const satisfies Record<string, readonly [status: number, message: string]>;

/** The XML namespace of successful responses; errors have none. */
export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

export type S3ErrorCode = keyof typeof ERRORS;

/** XML elements of an error in addition to Code and Message; undefined ones are omitted. */
export type ErrorFields = Readonly<Record<string, string | number | undefined>>;

/** An S3 error response. */
export class S3Error extends Error {
  readonly code: S3ErrorCode;
  readonly fields: ErrorFields;
  readonly headers: Readonly<Record<string, string>>;

  /** `message` replaces the default one; `headers` are added to the response (Allow, Content-Range). */
  constructor(
    code: S3ErrorCode,
    fields: ErrorFields = {},
    message: string = ERRORS[code][1],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "S3Error";
    this.code = code;
    this.fields = fields;
    this.headers = headers;
  }

  get status(): number {
    return ERRORS[this.code][0];
  }
}

/** 400 InvalidArgument that names the argument. */
export function invalidArgument(name: string, value: string | undefined, message: string): S3Error {
  return new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: value }, message);
}
