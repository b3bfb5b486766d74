// Parses the Resource and NotResource elements.
import { PolicyProblem, type PolicyKind } from "./policy.ts";
import type { ResourceLevel } from "./actions.ts";
import { parseTemplate, type Template } from "./template.ts";

const S3_PREFIX = "arn:aws:s3:::";

/** ARNs of users, groups, policies and sessions, of one account or any. */
const ARN_OF_IAM = /^arn:aws:(?:iam|sts)::(?:\d{12}|\*|\$\{[^}]*\}|):[^\s]+$/;

/**
 * Parses a resource. A bucket policy may name only that bucket and its objects.
 * @throws PolicyProblem
 */
export function parseResource(written: string, hasVariables: boolean, kind: PolicyKind): Template {
  const template = parseTemplate(written, { hasVariables, hasWildcards: true });
  const isPossible = kind.of === "bucket" ? isIn(kind.bucketName, written) : isKnown(written);
  if (template === undefined || !isPossible) throw new PolicyProblem("Policy has invalid resource", written);
  return template;
}

/** Whether a resource in a bucket policy is the bucket or its objects. */
export function levelOf(written: string): ResourceLevel {
  return written.includes("/") ? "object" : "bucket";
}

function isIn(bucketName: string, written: string): boolean {
  const bucketArn = S3_PREFIX + bucketName;
  // An object's key has at least one character.
  return written === bucketArn || (written.startsWith(`${bucketArn}/`) && written.length > bucketArn.length + 1);
}

function isKnown(written: string): boolean {
  if (written === "*") return true;
  return (written.startsWith(S3_PREFIX) && written.length > S3_PREFIX.length) || ARN_OF_IAM.test(written);
}
