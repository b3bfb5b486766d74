// Names the bucket of an S3 endpoint. Settings import it, so it must not need the Workers runtime.

/** The bucket that stores the blobs, and the credentials for it. */
export interface S3BucketAddress {
  /** Scheme, host and port. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly style: "path" | "virtual";
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
