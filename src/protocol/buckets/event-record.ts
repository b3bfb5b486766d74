// The records of events, in S3's message structure, and the names of the events of each change.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
import { formatIsoDate } from "../../bytes/dates.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";

/** Who caused a change, and by which operation. */
export interface EventOrigin {
  /** The name of the S3 operation, or `Lifecycle`. */
  readonly operation: string;
  readonly principalId: string;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly hostId: string;
}

/** The origin of what lifecycle rules do. */
export const LIFECYCLE_ORIGIN: EventOrigin = {
  operation: "Lifecycle",
  principalId: "s3.amazonaws.com",
  sourceIp: "s3.amazonaws.com",
  requestId: "",
  hostId: "",
};

/** What happened to a version. */
export type EventKind =
  | "created"
  | "deleted"
  | "marked"
  | "tagged"
  | "untagged"
  | "acl"
  | "transitioned"
  | "retention"
  | "annotated"
  | "unannotated";

/** What only some events say about their change. */
export interface EventDetails {
  /** The storage class that a transition moved the version to. */
  readonly storageClass?: string | undefined;
  /** The retention that was set; undefined if one was removed. */
  readonly retention?: { readonly mode: string; readonly retainUntil: number } | undefined;
  /** The annotation that was stored or deleted. */
  readonly annotation?: { readonly name: string; readonly size?: number; readonly etag?: string } | undefined;
}

/** A change of one version. */
export interface ObjectEvent {
  readonly kind: EventKind;
  readonly key: string;
  /** As clients see it; undefined in a bucket that never was versioned. */
  readonly versionId: string | undefined;
  /** Undefined for deletions. */
  readonly size?: number | undefined;
  readonly etag?: string | undefined;
  readonly details?: EventDetails | undefined;
}

/** Operations whose new versions are not from a plain PUT. A rename and a restored snapshot refer to existing bytes. */
const CREATIONS: ReadonlyMap<string, string> = new Map([
  ["PostObject", "Post"],
  ["CopyObject", "Copy"],
  ["RenameObject", "Copy"],
  ["RestoreBucketSnapshot", "Copy"],
  ["ImportObject", "Copy"],
  ["CompleteMultipartUpload", "CompleteMultipartUpload"],
]);

/** The name of a change's event, without `s3:`. */
export function eventNameOf(kind: EventKind, operation: string): string {
  switch (kind) {
    case "created":
      return `ObjectCreated:${CREATIONS.get(operation) ?? "Put"}`;
    case "deleted":
      return operation === LIFECYCLE_ORIGIN.operation ? "LifecycleExpiration:Delete" : "ObjectRemoved:Delete";
    case "marked":
      return operation === LIFECYCLE_ORIGIN.operation
        ? "LifecycleExpiration:DeleteMarkerCreated"
        : "ObjectRemoved:DeleteMarkerCreated";
    case "tagged":
      return "ObjectTagging:Put";
    case "untagged":
      return "ObjectTagging:Delete";
    case "acl":
      return "ObjectAcl:Put";
    case "transitioned":
      return "LifecycleTransition";
    case "retention":
      return "ObjectRetention:Put";
    case "annotated":
      return "ObjectAnnotation:Put";
    case "unannotated":
      return "ObjectAnnotation:Delete";
  }
}

interface EventBucket {
  readonly name: string;
  readonly ownerId: string;
  readonly region: string;
}

/**
 * The JSON of an event's record, without its sequencer.
 * @param now milliseconds since the epoch
 */
export function eventRecord(
  bucket: EventBucket,
  { kind, key, versionId, size, etag, details = {} }: ObjectEvent,
  { operation, principalId, sourceIp, requestId, hostId }: EventOrigin,
  ruleId: string | undefined,
  now: number,
): string {
  const { storageClass, retention, annotation } = details;
  const eventName = eventNameOf(kind, operation);
  return JSON.stringify({
    eventVersion: eventVersionOf(eventName),
    eventSource: "aws:s3",
    awsRegion: bucket.region,
    eventTime: formatIsoDate(now),
    eventName,
    userIdentity: { principalId },
    requestParameters: { sourceIPAddress: sourceIp },
    responseElements: { "x-amz-request-id": requestId, "x-amz-id-2": hostId },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: ruleId,
      bucket: {
        name: bucket.name,
        ownerIdentity: { principalId: bucket.ownerId },
        arn: `arn:aws:s3:::${bucket.name}`,
      },
      object: {
        key: uriEncode(key, true).replaceAll("%20", "+"),
        size,
        eTag: etag,
        versionId,
        annotation: annotation && { name: annotation.name, size: annotation.size, eTag: annotation.etag },
      },
    },
    lifecycleEventData: storageClass && { transitionEventData: { destinationStorageClass: storageClass } },
    objectRetentionEventData: retention && {
      mode: retention.mode,
      retainUntilDate: formatIsoDate(retention.retainUntil),
    },
  });
}

/** AWS's first version of the record that has the type of the event. Each is compatible with those before it. */
function eventVersionOf(eventName: string): string {
  if (/^Object(?:Created|Removed):/.test(eventName)) return "2.1";
  return /^Object(?:Retention|Annotation):/.test(eventName) ? "2.5" : "2.3";
}

/** The message that a destination gets when a configuration names it. */
export function testEvent(bucketName: string, { requestId, hostId }: EventOrigin, now: number): string {
  return JSON.stringify({
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: formatIsoDate(now),
    Bucket: bucketName,
    RequestId: requestId,
    HostId: hostId,
  });
}

const SEQUENCER_DIGITS = 16;

/** A sequence number as text whose byte order is the numbers' order. */
export function sequencerOf(seq: number): string {
  return seq.toString(16).toUpperCase().padStart(SEQUENCER_DIGITS, "0");
}

/** The sequence number of a sequencer; undefined if it is malformed. */
export function seqOfSequencer(text: string): number | undefined {
  const seq = /^[\dA-Fa-f]{1,16}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  return Number.isSafeInteger(seq) ? seq : undefined;
}

/** The JSON of a stored record with its sequencer. A test event has none. */
export function recordWithSequencer(record: string, seq: number): string {
  // eventRecord wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const parsed = JSON.parse(record) as { readonly s3?: { readonly object: object } };
  if (parsed.s3 === undefined) return record;
  const object = { ...parsed.s3.object, sequencer: sequencerOf(seq) };
  return JSON.stringify({ ...parsed, s3: { ...parsed.s3, object } });
}

/** The JSON of the message for one event. */
export function eventMessage(record: string, seq: number): string {
  const complete = recordWithSequencer(record, seq);
  return complete === record ? record : `{"Records":[${complete}]}`;
}
