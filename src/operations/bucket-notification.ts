// GetBucketNotificationConfiguration, PutBucketNotificationConfiguration: docs/events.md and
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
// An empty document deletes the configuration, as in AWS.
import { isDeclared } from "../config/event-targets.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../protocol/core/s3-request.ts";
import { notificationElement, parseNotification } from "../protocol/buckets/notification-document.ts";
import {
  notificationFromText,
  notificationText,
  type NotificationConfiguration,
} from "../protocol/buckets/notification.ts";
import { insertTestEvents } from "../state/metadata/bucket-events.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";
import type { Settings } from "../config/settings.ts";

const SKIP_HEADER = "x-amz-skip-destination-validation";
const route = { level: "bucket", query: ["notification"] } as const;

export const bucketNotification = [
  defineOperation({
    name: "GetBucketNotificationConfiguration",
    actions: ["s3:GetBucketNotification"],
    route: { ...route, method: "GET" },
    read: ({ address }) => ({ bucketName: addressedBucket(address) }),
    lookUp: ({ bucketName }) => lookUpBucket(bucketName),
    run: (_context, _input, { bucket }) => Promise.resolve(notificationFromText(bucket.configurations.notification)),
    write: (configuration) => ({ status: 200, headers: {}, body: notificationElement(configuration) }),
  }),
  defineOperation({
    name: "PutBucketNotificationConfiguration",
    actions: ["s3:PutBucketNotification"],
    route: { ...route, method: "PUT" },
    inputs: joinInputs(DOCUMENT, { headers: [SKIP_HEADER] }),
    read: (request) => ({ bucketName: addressedBucket(request.address), skipsValidation: readSkip(request) }),
    lookUp: ({ bucketName }) => lookUpBucket(bucketName),
    async run(context, { skipsValidation }, { bucket }) {
      const { settings, database, origin, now } = context;
      const configuration = parseNotification(await readDocument(context.request, context.openBody()));
      if (!skipsValidation) checkDestinations(configuration, settings);
      const known = new Set(
        notificationFromText(bucket.configurations.notification).rules.map(({ destination }) => destination),
      );
      const added = new Set(configuration.rules.map(({ destination }) => destination).filter((it) => !known.has(it)));
      await database.batch([
        setConfiguration(bucket, "notification", notificationText(configuration)),
        ...insertTestEvents(bucket, origin, skipsValidation ? [] : Array.from(added), now),
      ]);
    },
    write: () => ({ status: 200, headers: {} }),
  }),
];

/** @throws S3Error InvalidArgument */
function readSkip(request: S3Request): boolean {
  const value = requestHeader(request, SKIP_HEADER)?.toLowerCase() ?? "false";
  if (value === "true" || value === "false") return value === "true";
  throw new S3Error("InvalidArgument", { ArgumentName: SKIP_HEADER, ArgumentValue: value.slice(0, 256) });
}

/** @throws S3Error InvalidArgument {ArgumentName1, ArgumentValue1, …} for destinations that the operator does not declare */
function checkDestinations({ rules }: NotificationConfiguration, { eventTargets }: Settings): void {
  const unknown = new Set(rules.map(({ destination }) => destination).filter((arn) => !isDeclared(eventTargets, arn)));
  if (unknown.size === 0) return;
  const fields: Record<string, string> = {};
  for (const [index, arn] of Array.from(unknown).entries()) {
    fields[`ArgumentName${index + 1}`] = arn;
    fields[`ArgumentValue${index + 1}`] =
      "The destination is not declared in the settings EVENT_QUEUES and EVENT_WEBHOOKS.";
  }
  throw new S3Error("InvalidArgument", fields, "Unable to validate the following destination configurations");
}
