// Examples of bucket policies.
import { t } from "../../i18n/language.ts";
import type { Example } from "./document-form.tsx";

export function policyExamples(bucket: string): Example[] {
  const objects = `arn:aws:s3:::${bucket}/*`;
  const whole = `arn:aws:s3:::${bucket}`;
  return [
    {
      label: t("policy.example.publicRead"),
      text: policyText({
        Sid: "PublicRead",
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: objects,
      }),
    },
    {
      label: t("policy.example.userReads"),
      text: policyText(
        {
          Sid: "List",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::000000000000:user/alice" },
          Action: "s3:ListBucket",
          Resource: whole,
          Condition: { StringLike: { "s3:prefix": "reports/*" } },
        },
        {
          Sid: "Read",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::000000000000:user/alice" },
          Action: "s3:GetObject",
          Resource: `arn:aws:s3:::${bucket}/reports/*`,
        },
      ),
    },
    {
      label: t("policy.example.httpsOnly"),
      text: policyText({
        Sid: "OnlyOverTls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [whole, objects],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      }),
    },
    {
      label: t("policy.example.writeOnce"),
      text: policyText({
        Sid: "WriteOnce",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:PutObject",
        Resource: objects,
        Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
      }),
    },
  ];
}

function policyText(...Statement: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement }, undefined, 2);
}
