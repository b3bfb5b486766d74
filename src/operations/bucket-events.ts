// ListBucketEvents and ListBucketDeadEvents, operations of Cairn's own (docs/events.md): the feed of a bucket's events, and
// those whose delivery was given up. Both answer in JSON, oldest first, and continue after a cursor.
import { formatIsoDate } from "../bytes/dates.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { invalidArgument } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { recordWithSequencer, seqOfSequencer, sequencerOf } from "../protocol/buckets/event-record.ts";
import { lookUpEvents } from "../state/metadata/bucket-events.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpDeadEvents } from "../state/metadata/event-deliveries.ts";

const MAX_EVENTS = 1000;
const DEFAULT_EVENTS = 100;
/** Reads no events and returns the cursor behind the newest one. */
const NOW = "now";

interface FeedInput {
  readonly bucketName: string;
  /** Undefined: only the position of the newest event. */
  readonly after: number | undefined;
  readonly limit: number;
}

export const bucketEvents = [
  defineOperation({
    name: "ListBucketEvents",
    actions: ["s3:ListBucketEvents"],
    route: { method: "GET", level: "bucket", query: ["events"] },
    inputs: { query: ["after", "max-events"] },
    read: readFeed,
    lookUp: ({ bucketName, after, limit }) =>
      lookUpBoth(
        lookUpBucket(bucketName),
        lookUpEvents(bucketName, after ?? Number.MAX_SAFE_INTEGER, after === undefined ? 0 : limit),
      ),
    run({ now, settings }, { after, limit }, { page: { events, newest } }) {
      const last = events.at(-1)?.seq ?? (after === undefined ? newest : after) ?? 0;
      const records = events.map(({ seq, record }) => recordWithSequencer(record, seq));
      // Purged events can only be missing after a cursor from before the retention time.
      const isGapPossible = after !== undefined && after > 0 && after / 1000 < now - settings.eventRetentionMs;
      return Promise.resolve({
        records,
        cursor: sequencerOf(last),
        isTruncated: events.length === limit,
        isGapPossible,
      });
    },
    write: ({ records, cursor, isTruncated, isGapPossible }) =>
      json(
        `{"Records":[${records.join(",")}],"Cursor":"${cursor}","IsTruncated":${isTruncated},"IsGapPossible":${isGapPossible}}`,
      ),
  }),
  defineOperation({
    name: "ListBucketDeadEvents",
    actions: ["s3:ListBucketEvents"],
    route: { method: "GET", level: "bucket", query: ["events", "dead"] },
    inputs: { query: ["after", "max-events"] },
    read: readFeed,
    lookUp: ({ bucketName, after, limit }) =>
      lookUpBoth(lookUpBucket(bucketName), lookUpDeadEvents(bucketName, after ?? Number.MAX_SAFE_INTEGER, limit)),
    run: (_context, { after = 0, limit }, { dead }) =>
      Promise.resolve({
        entries: dead.map(({ seq, destination, attempts, failedAt, reason, record }) => {
          const facts = {
            Destination: destination,
            Attempts: attempts,
            FailedAt: formatIsoDate(failedAt),
            Reason: reason,
          };
          return `${JSON.stringify(facts).slice(0, -1)},"Message":${recordWithSequencer(record, seq)}}`;
        }),
        cursor: sequencerOf(dead.at(-1)?.seq ?? after),
        isTruncated: dead.length === limit,
      }),
    write: ({ entries, cursor, isTruncated }) =>
      json(`{"DeadEvents":[${entries.join(",")}],"Cursor":"${cursor}","IsTruncated":${isTruncated}}`),
  }),
];

/** @throws S3Error InvalidArgument */
function readFeed({ address, query }: S3Request): FeedInput {
  const bucketName = addressedBucket(address);
  const limit = query.get("max-events") ?? String(DEFAULT_EVENTS);
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_EVENTS) {
    throw invalidArgument("max-events", limit.slice(0, 256), `max-events must be an integer from 1 to ${MAX_EVENTS}.`);
  }
  const cursor = query.get("after");
  if (cursor === NOW) return { bucketName, after: undefined, limit: Number(limit) };
  const after = cursor === undefined ? 0 : seqOfSequencer(cursor);
  if (after === undefined) {
    throw invalidArgument(
      "after",
      cursor?.slice(0, 256),
      "after must be a sequencer, a Cursor of an earlier answer, or now.",
    );
  }
  return { bucketName, after, limit: Number(limit) };
}

function json(body: string): S3Response {
  return { status: 200, headers: { "content-type": "application/json" }, body };
}
