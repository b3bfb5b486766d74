// The three policies of a bucket that tenants share: those of a tenant, of an upload, and of the operator who adds and
// deletes tenants. docs/tenancy.md explains them.

/** A policy, ready for JSON. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly object[];
}

/** The path of tenants' users, so that an operator's policy covers only them. */
export const TENANT_PATH = "/tenants/";

/**
 * The policy of every tenant. `${aws:username}` is the name of the user whose keys sign, also when temporary
 * credentials of that user sign.
 */
export function tenantPolicy(bucket: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OwnObjects",
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:GetObjectTagging",
          "s3:PutObjectTagging",
          "s3:ListMultipartUploadParts",
          "s3:AbortMultipartUpload",
        ],
        Resource: `arn:aws:s3:::${bucket}/\${aws:username}/*`,
      },
      {
        Sid: "ListOwnFolder",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: `arn:aws:s3:::${bucket}`,
        // Without the slash, `alice` could also list the folder of alice2.
        Condition: { StringLike: { "s3:prefix": "${aws:username}/*" } },
      },
      {
        Sid: "LendOwnRights",
        Effect: "Allow",
        Action: "sts:GetFederationToken",
        Resource: "arn:aws:sts::*:federated-user/${aws:username}",
      },
    ],
  };
}

/** The session policy of temporary credentials for uploads: new objects below one prefix, no reads. */
export function uploadPolicy(bucket: string, prefix: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/${prefix}*` }],
  };
}

/** The permissions to add tenants to a bucket and to delete them. They do not permit reading the tenants' data. */
export function operatorPolicy(bucket: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Tenants",
        Effect: "Allow",
        Action: [
          "iam:CreateUser",
          "iam:GetUser",
          "iam:DeleteUser",
          "iam:PutUserPolicy",
          "iam:DeleteUserPolicy",
          "iam:CreateAccessKey",
          "iam:ListAccessKeys",
          "iam:UpdateAccessKey",
          "iam:DeleteAccessKey",
        ],
        Resource: `arn:aws:iam::*:user${TENANT_PATH}*`,
      },
      {
        Sid: "TheirBucket",
        Effect: "Allow",
        Action: ["s3:CreateBucket", "s3:PutBucketCORS", "s3:ListBucket", "s3:DeleteObject", "s3:DeleteBucket"],
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  };
}
