// The documents of the requests in operation-requests.ts.

export const DELIVERY = "<DeliveryConfiguration><CleanUrls>true</CleanUrls></DeliveryConfiguration>";
export const UPSTREAM =
  "<UpstreamConfiguration><Source>declared</Source><Bucket>old-bucket</Bucket></UpstreamConfiguration>";
export const TAG_RESOURCE =
  "<TagResourceRequest><Tags><Tag><Key>colour</Key><Value>red</Value></Tag></Tags></TagResourceRequest>";
export const SINGLE_KEY_ACL = `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>000000000000</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>000000000000</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`;
export const PUBLIC_ACCESS_BLOCK = `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>`;
export const OWNERSHIP = `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`;
export const ENCRYPTION = `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`;
export const LIFECYCLE = `<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`;
export const VERSIONING = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`;
export const NOTIFICATION =
  "<NotificationConfiguration><EventBridgeConfiguration> </EventBridgeConfiguration></NotificationConfiguration>";
export const POLICY = (bucket: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: "000000000000" },
        Action: "s3:ListBucketVersions",
        Resource: `arn:aws:s3:::${bucket}`,
      },
    ],
  });
