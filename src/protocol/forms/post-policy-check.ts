// Checks a form against its policy: every condition must hold, and every field needs a condition.
import type { SizeRange } from "./form-file.ts";
import type { FormFields } from "./post-form.ts";
import type { PostCondition, PostPolicy } from "./post-policy.ts";
import { S3Error } from "../core/s3-error.ts";

/** Fields that need no condition: they prove the policy or are not stored. */
const EXEMPT_FIELDS: ReadonlySet<string> = new Set(["x-amz-signature", "file", "policy"]);
const EXEMPT_PREFIX = "x-ignore-";

/**
 * Checks a form's fields against its policy.
 * @param bucketName the bucket that the request addresses; a `bucket` field has no effect
 * @param now milliseconds since the epoch
 * @returns the allowed sizes of the file
 * @throws S3Error AccessDenied for an expired policy or a failed condition
 */
export function checkPostPolicy(policy: PostPolicy, fields: FormFields, bucketName: string, now: number): SizeRange {
  if (now >= policy.expiresAt) throw refused("Policy expired.");
  const covered = new Set<string>();
  let range: SizeRange = { least: 0, most: Number.POSITIVE_INFINITY };
  for (const condition of policy.conditions) {
    if (condition.kind === "content-length-range") {
      range = narrowed(range, condition);
      continue;
    }
    const field = condition.field?.toLowerCase();
    const value = field === "bucket" ? bucketName : fields.get(field ?? "");
    if (field === undefined || value === undefined || !holds(condition, field, value)) throw failed(condition);
    covered.add(field);
  }
  // The bucket needs a condition too: otherwise the policy would be valid in every bucket that its signer can write.
  const names = [{ key: "bucket", name: "bucket" }, ...fields.entries()];
  const extra = names.filter(
    ({ key }) => !covered.has(key) && !EXEMPT_FIELDS.has(key) && !key.startsWith(EXEMPT_PREFIX),
  );
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.map(({ name }) => name).join(", ")}`);
  return range;
}

function holds(
  { kind, operand }: Extract<PostCondition, { readonly operand: string }>,
  field: string,
  value: string,
): boolean {
  if (kind === "eq") return value === operand;
  if (field !== "content-type") return value.startsWith(operand);
  // The value may be a list of types, each of which must match.
  return value.split(",").every((type) => type.trim().startsWith(operand));
}

function narrowed(range: SizeRange, condition: Extract<PostCondition, { kind: "content-length-range" }>): SizeRange {
  const { least, most } = condition;
  if (least === undefined || most === undefined) throw failed(condition);
  return { least: Math.max(range.least, least), most: Math.min(range.most, most) };
}

function failed({ shown }: PostCondition): S3Error {
  return refused(`Policy Condition failed: ${shown}`);
}

function refused(sentence: string): S3Error {
  return new S3Error("AccessDenied", {}, `Invalid according to Policy: ${sentence}`);
}
