// Templates of users' policies for a bucket and a prefix.
import type { TextKey } from "../../i18n/en.ts";

export const TEMPLATES = {
  readOnly: "userPolicy.template.readOnly",
  uploadOnly: "userPolicy.template.uploadOnly",
  tenant: "userPolicy.template.tenant",
  full: "userPolicy.template.full",
} as const satisfies Readonly<Record<string, TextKey>>;

export type Template = keyof typeof TEMPLATES;

/** Replaced by the name of the policy's user. */
const USER = "${aws:username}";

/** Derives a policy's name, so that several templates of one user do not replace each other. */
export function templateName(template: Template, bucket: string): string {
  return `${template}-${bucket}`.replaceAll(/[^\w+=,.@-]/g, "-").slice(0, 128);
}

/** The document of a template. A prefix is used as it is given: `photos/` grants what is below that folder. */
export function templateDocument(template: Template, bucket: string, prefix: string): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statementsOf(template, bucket, prefix) }, undefined, 2);
}

function statementsOf(template: Template, bucket: string, prefix: string): object[] {
  const whole = `arn:aws:s3:::${bucket}`;
  const below = literal(prefix);
  const read = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"];
  const write = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"];
  switch (template) {
    case "readOnly":
      return [allow("Read", read, `${whole}/${below}*`), list(whole, below)];
    case "uploadOnly":
      return [allow("Upload", write, `${whole}/${below}*`)];
    case "tenant": {
      const own = `${below}${USER}/`;
      const actions = [...read, ...write, "s3:PutObjectTagging", "s3:DeleteObject", "s3:DeleteObjectVersion"];
      return [allow("OwnObjects", actions, `${whole}/${own}*`), list(whole, own)];
    }
    case "full":
      return [allow("Everything", ["s3:*"], [whole, `${whole}/*`])];
  }
}

/** Escapes wildcards and variables of policies. */
function literal(text: string): string {
  return text.replaceAll(/[*?$]/g, (character) => `\${${character}}`);
}

function allow(Sid: string, Action: readonly string[], Resource: string | readonly string[]): object {
  return { Sid, Effect: "Allow", Action, Resource };
}

function list(bucketArn: string, prefix: string): object {
  const statement = allow("List", ["s3:ListBucket", "s3:ListBucketVersions"], bucketArn);
  return prefix === "" ? statement : { ...statement, Condition: { StringLike: { "s3:prefix": `${prefix}*` } } };
}
