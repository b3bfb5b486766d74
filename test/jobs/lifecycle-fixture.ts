// Lifecycle rules' elements, objects of a given age, and the keys that a pass leaves.
import { applyActions } from "../../src/jobs/apply-lifecycle-actions.ts";
import { lifecycleFromText } from "../../src/protocol/lifecycle/lifecycle.ts";
import { lookUpBucket } from "../../src/state/metadata/buckets.ts";
import { WALK_START, walkPage } from "../../src/state/lifecycle/lifecycle-walk.ts";
import { send } from "../support/client.ts";
import { jobContext } from "../support/jobs.ts";
import { versionsOf } from "../support/versioning.ts";

export const noncurrentAfter = (days: number, newer?: number): string =>
  `<NoncurrentVersionExpiration><NoncurrentDays>${days}</NoncurrentDays>${newer === undefined ? "" : `<NewerNoncurrentVersions>${newer}</NewerNoncurrentVersions>`}</NoncurrentVersionExpiration>`;
export const MARKERS = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
export const abortAfter = (days: number): string =>
  `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`;
export const tagged = (key: string, value: string): string => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;

export async function keysOf(bucket: string): Promise<string[]> {
  const text = await (await send("GET", `/${bucket}?list-type=2`)).text();
  return Array.from(text.matchAll(/<Key>(.*?)<\/Key>/g), ([, key = ""]) => key);
}

/** `key` or `key (marker)`, in listing order, the latest with a star. */
export async function shownVersions(bucket: string): Promise<string[]> {
  return (await versionsOf(bucket)).map(
    ({ kind, key, isLatest }) => `${key}${kind === "Version" ? "" : " marker"}${isLatest ? "*" : ""}`,
  );
}

/** Evaluates a page of actions; `applyActions` executes them later, after other writes. */
export async function evaluatePage(
  bucketName: string,
  now: number,
  phase: "current" | "versions" | "uploads" = "current",
) {
  const context = jobContext(now);
  const { bucket } = await context.database.look(lookUpBucket(bucketName));
  const configuration = lifecycleFromText(bucket?.configurations.lifecycle ?? null);
  if (bucket === undefined || configuration === undefined) throw new Error("no rules");
  const walk = { database: context.database, bucket, configuration, now };
  const { evaluated } = await walkPage(walk, { ...WALK_START, phase });
  return { evaluated, applyActions: async () => (await applyActions(context, walk, evaluated)).report };
}
