// PutBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
import { BUCKET_POLICY_MAX_BYTES, parsePolicy } from "../auth/policy/parse.ts";
import { PolicyProblem, type Policy, type PolicyKind } from "../auth/policy/policy.ts";
import { isPublicPolicy } from "../auth/policy/public.ts";
import { decodeUtf8 } from "../bytes/text.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { readPublicAccessBlock } from "../protocol/acl/public-access-block.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const putBucketPolicy = defineOperation({
  name: "PutBucketPolicy",
  actions: ["s3:PutBucketPolicy"],
  route: { method: "PUT", level: "bucket", query: ["policy"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const text = await readText(context);
    const policy = parse(text, { of: "bucket", bucketName: bucket.name, accountId: bucket.ownerId });
    const block = readPublicAccessBlock(bucket.configurations.public_access_block);
    if (block.BlockPublicPolicy && isPublicPolicy(policy)) throw new S3Error("AccessDenied");
    await context.database.batch([setConfiguration(bucket, "policy", text)]);
  },

  write: () => ({ status: 204, headers: {} }),
});

/** The policy as it was sent, which is how it is shown again. */
async function readText(context: Context): Promise<string> {
  const body = context.openBody();
  if (body.length > BUCKET_POLICY_MAX_BYTES) {
    throw new S3Error("MalformedPolicy", {}, "Policy exceeds the maximum allowed document size.");
  }
  const text = decodeUtf8(await readDocument(context.request, body));
  if (text === undefined) throw new S3Error("MalformedPolicy");
  return text;
}

function parse(text: string, kind: PolicyKind): Policy {
  try {
    return parsePolicy(text, kind);
  } catch (error) {
    if (error instanceof PolicyProblem) throw new S3Error("MalformedPolicy", { Detail: error.detail }, error.message);
    throw error;
  }
}
