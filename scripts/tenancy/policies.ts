// The three policies of a bucket that tenants share: what a tenant may do, what an upload may do, and what is needed to
// add and to remove tenants. docs/tenancy.md explains them.

/** A policy, ready for JSON. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly object[];
}

/** Users of tenants have this path, so that whoever looks after them looks after no others. */
export const TENANT_PATH = "/tenants/";

/**
 * The policy of every tenant, the same for all: `${aws:username}` is the name of the user whose keys sign, and what
 * somebody does with temporary credentials of that user's is done in the same name.
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
        // With the slash: `alice` alone would list the folders of alice2 as well.
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

/** What temporary credentials for uploads are narrowed to: new bytes below one prefix, nothing to be read. */
export function uploadPolicy(bucket: string, prefix: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/${prefix}*` }],
  };
}

/** What is needed to add tenants to a bucket and to remove them. It does not read what they store. */
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
