// Declares GET operations of configurations that cannot be set. They return S3's error or default document.
import { element, type XmlElement } from "../bytes/xml.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE, S3Error, type S3ErrorCode } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { defineOperation, type Operation } from "./operation.ts";

interface DefaultConfiguration {
  /** The name of the GET operation. */
  readonly name: string;
  readonly actions: readonly string[];
  readonly subresource: string;
  /** S3's error for a bucket without it, or the root and content of the default document. */
  readonly answer: { readonly error: S3ErrorCode } | { readonly root: string; readonly content: readonly XmlElement[] };
}

/** Declares a GET operation that returns the same error or document for every bucket. */
export function defineDefaultConfiguration({ name, actions, subresource, answer }: DefaultConfiguration): Operation {
  return defineOperation({
    name,
    actions,
    route: { method: "GET", level: "bucket", query: [subresource] },
    read: (request) => ({ bucketName: addressedBucket(request.address) }),
    lookUp: ({ bucketName }) => lookUpBucket(bucketName),

    run(_context, { bucketName }) {
      if ("error" in answer) throw new S3Error(answer.error, { BucketName: bucketName });
      return Promise.resolve(element(answer.root, answer.content, { xmlns: S3_NAMESPACE }));
    },

    write: (body) => ({ status: 200, headers: {}, body }),
  });
}
