// GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy. A policy is stored and returned unchanged.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
import { BUCKET_POLICY_MAX_BYTES, parsePolicy } from "../auth/policy/parse.ts";
import { PolicyProblem, type Policy, type PolicyKind } from "../auth/policy/policy.ts";
import { isPublicPolicy } from "../auth/policy/public.ts";
import { decodeUtf8 } from "../bytes/text.ts";
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import type { Context } from "../contract/context.ts";
import { readPublicAccessBlock } from "../protocol/acl/public-access-block.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const bucketPolicy = defineBucketConfiguration({
  subresource: "policy",
  get: { name: "GetBucketPolicy", actions: ["s3:GetBucketPolicy"] },
  put: { name: "PutBucketPolicy", actions: ["s3:PutBucketPolicy"], status: 204 },
  delete: { name: "DeleteBucketPolicy", actions: ["s3:DeleteBucketPolicy"] },
  load: ({ configurations }) => configurations.policy ?? undefined,
  missing: "NoSuchBucketPolicy",
  async parseBody(context, { name, ownerId, configurations }) {
    const text = await readText(context);
    const policy = parse(text, { of: "bucket", bucketName: name, accountId: ownerId });
    const block = readPublicAccessBlock(configurations.public_access_block);
    if (block.BlockPublicPolicy && isPublicPolicy(policy)) throw new S3Error("AccessDenied");
    return text;
  },
  store: (bucket, text) => setConfiguration(bucket, "policy", text ?? null),
  render: (text) => ({ headers: { "content-type": "application/json" }, body: text }),
});

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
