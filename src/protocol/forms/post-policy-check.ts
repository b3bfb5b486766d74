// Whether a form is as its policy wants it: every condition holds, and every field has one.
import type { SizeRange } from "./form-file.ts";
import type { FormFields } from "./post-form.ts";
import type { PostCondition, PostPolicy } from "./post-policy.ts";
import { S3Error } from "../core/s3-error.ts";

/** Fields that need no condition: they are what proves it, or nothing that is stored. */
const FREE_FIELDS: ReadonlySet<string> = new Set(["x-amz-signature", "file", "policy"]);
const FREE_PREFIX = "x-ignore-";

/**
 * Checks a form's fields against its policy.
 * @param bucketName the bucket that the request is addressed to, whatever a field says
 * @param now milliseconds since the epoch
 * @returns the sizes that the file may have
 * @throws S3Error AccessDenied for a policy that has expired or does not hold
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
  // A policy that names no bucket could be used in any that its signer may write to.
  const names = [{ key: "bucket", name: "bucket" }, ...fields.entries()];
  const extra = names.filter(({ key }) => !covered.has(key) && !FREE_FIELDS.has(key) && !key.startsWith(FREE_PREFIX));
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
  // A list of types: each must be one that is allowed.
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
