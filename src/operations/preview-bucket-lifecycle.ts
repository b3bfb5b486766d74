// PreviewBucketLifecycle, an operation of Cairn's own, lists the actions that the bucket's lifecycle rules would take on
// a given day, with the rule of each: `GET /bucket?lifecycle&dry-run=2026-12-31&prefix=logs/`, in pages.
import { parseIsoDate } from "../bytes/dates.ts";
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lifecycleFromText } from "../protocol/lifecycle/lifecycle.ts";
import { neverPaysOff } from "../protocol/lifecycle/transition-cost.ts";
import { invalidArgument, S3_NAMESPACE, S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import type { EvaluatedEntry } from "../state/lifecycle/lifecycle-evaluation.ts";
import {
  positionFromText,
  positionText,
  WALK_START,
  walkPage,
  type LifecycleWalkPage,
} from "../state/lifecycle/lifecycle-walk.ts";

export const previewBucketLifecycle = defineOperation({
  name: "PreviewBucketLifecycle",
  actions: ["s3:GetLifecycleConfiguration"],
  furtherActions: [
    { action: "s3:ListBucketVersions" },
    { action: "s3:ListBucketMultipartUploads", when: "when a rule aborts uploads" },
  ],
  route: { method: "GET", level: "bucket", query: ["lifecycle", "dry-run"] },
  inputs: { query: ["prefix", "continuation-token"] },

  read(request) {
    const date = request.query.get("dry-run") ?? "";
    const now = parseIsoDate(`${date}T00:00:00Z`);
    if (now === undefined) throw invalidArgument("dry-run", date, "The day must be written as YYYY-MM-DD");
    const token = request.query.get("continuation-token");
    const position = token === undefined ? WALK_START : positionFromText(token);
    if (position === undefined) {
      throw invalidArgument("continuation-token", token, "The continuation token provided is incorrect");
    }
    const prefix = request.query.get("prefix") ?? "";
    return { bucketName: addressedBucket(request.address), date, now, prefix, position };
  },

  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run({ access, inputs, database }, { bucketName, now, prefix, position }, { bucket }) {
    // The response contains keys, versions and uploads, so it needs the permissions to list them.
    const on = { bucket, bucketName, inputs };
    access.requireAllowed({ ...on, actions: ["s3:ListBucketVersions", "s3:ListBucket"] });
    const configuration = lifecycleFromText(bucket.configurations.lifecycle);
    if (configuration?.rules.some((rule) => rule.isEnabled && rule.abortAfterDays !== undefined) === true) {
      access.requireAllowed({ ...on, actions: ["s3:ListBucketMultipartUploads"] });
    }
    if (configuration === undefined) throw new S3Error("NoSuchLifecycleConfiguration", { BucketName: bucketName });
    return { bucket, page: await walkPage({ database, bucket, configuration, now, prefix, locksAt: now }, position) };
  },

  write: ({ bucket, page }, input) => ({ status: 200, headers: {}, body: previewElement(bucket, input, page) }),
});

function previewElement(
  bucket: Bucket,
  { date, prefix, now }: { readonly date: string; readonly prefix: string; readonly now: number },
  { evaluated, examined, next }: LifecycleWalkPage,
): XmlElement {
  return element(
    "LifecyclePreview",
    [
      element("Bucket", bucket.name),
      prefix === "" ? undefined : element("Prefix", prefix),
      element("Date", date),
      element("Examined", examined),
      element("IsTruncated", next !== undefined),
      optionalElement("NextContinuationToken", next === undefined ? undefined : positionText(next)),
      ...evaluated.map((one) => element("Action", actionElements(bucket, one, now))),
    ],
    { xmlns: S3_NAMESPACE },
  );
}

function actionElements(bucket: Bucket, evaluated: EvaluatedEntry, now: number): (XmlElement | undefined)[] {
  const { action } = evaluated;
  return [
    element("Type", typeOf(bucket, evaluated)),
    element("RuleID", action.ruleId),
    element("Key", evaluated.key),
    evaluated.kind === "upload" ? element("UploadId", evaluated.uploadId) : versionElement(bucket, evaluated),
    evaluated.kind === "upload" ? undefined : element("Size", evaluated.size),
    action.action === "transition" ? element("StorageClass", action.storageClass) : undefined,
    action.action === "transition" && evaluated.kind !== "upload" && neverPaysOff({ ...evaluated, at: now })
      ? element("NeverPaysOff", true)
      : undefined,
  ];
}

function versionElement(
  { versioning }: Bucket,
  { versionId, isNullVersion }: Exclude<EvaluatedEntry, { kind: "upload" }>,
): XmlElement | undefined {
  return versioning === null ? undefined : element("VersionId", isNullVersion ? "null" : versionId);
}

function typeOf({ versioning }: Bucket, { kind, action }: EvaluatedEntry): string {
  if (action.action === "transition") return "Transition";
  switch (kind) {
    case "upload":
      return "AbortMultipartUpload";
    case "current":
      return versioning === null ? "Delete" : "CreateDeleteMarker";
    case "marker":
      return "DeleteMarkerRemoval";
    case "noncurrent":
      return "DeleteVersion";
  }
}
