// Constraints of IAM's and STS's text parameters, and the reading of tags.
// Rules: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
import { foldTagKey } from "../core/tagging.ts";
import { QueryApiError } from "./query-api-error.ts";
import { limitProblem } from "./user-limits.ts";
import type { QueryParameters, TextConstraint } from "./query-parameters.ts";

const NAME = /^[\w+=,.@-]+$/;

/** The name of a new user. */
export const NEW_USER_NAME: TextConstraint = { max: 64, pattern: NAME };
/** The name of an existing user. */
export const USER_NAME: TextConstraint = { max: 128, pattern: NAME };
export const POLICY_NAME: TextConstraint = { max: 128, pattern: NAME };
export const ACCESS_KEY_ID: TextConstraint = { min: 16, max: 128, pattern: /^\w+$/ };
export const PATH: TextConstraint = { max: 512, pattern: /^(?:\/|\/[!-~]+\/)$/ };
export const PATH_PREFIX: TextConstraint = { max: 512, pattern: /^\/[!-\u007f]*$/ };
/** A user's policy document, before it is parsed. */
export const POLICY_DOCUMENT: TextConstraint = { max: 131_072, pattern: /^[\t\n\r -\u00ff]+$/ };
export const SESSION_POLICY: TextConstraint = { max: 2048, pattern: /^[\t\n\r -\u00ff]+$/ };
export const FEDERATED_NAME: TextConstraint = { min: 2, max: 32, pattern: NAME };
export const SESSION_NAME: TextConstraint = { min: 2, max: 64, pattern: NAME };
export const ROLE_ARN: TextConstraint = { min: 20, max: 2048 };

const TAG_KEY: TextConstraint = { max: 128, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u };
const TAG_VALUE: TextConstraint = { min: 0, max: 256, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u };

/** The most tags of a user. */
export const MAX_TAGS = 50;

/** A tag of a user. Keys that differ only in case are equal. */
export type UserTag = readonly [key: string, value: string];

/** Reads the tags of a call. @throws QueryApiError ValidationError, InvalidInput */
export function readTags(parameters: QueryParameters): UserTag[] {
  const tags = parameters
    .members("Tags")
    .map((tag): UserTag => [tag.text("Key", TAG_KEY), tag.text("Value", TAG_VALUE)]);
  const keys = new Set(tags.map(([key]) => foldTagKey(key)));
  if (keys.size < tags.length) {
    throw new QueryApiError(
      "InvalidInput",
      "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    );
  }
  if (tags.some(([key]) => foldTagKey(key).startsWith("aws:"))) {
    throw new QueryApiError("InvalidInput", "Tag keys that begin with aws: are reserved.");
  }
  for (const [key, value] of tags) {
    const problem = limitProblem(key, value);
    if (problem !== undefined) throw new QueryApiError("InvalidInput", problem);
  }
  return tags;
}

/** Reads the tag keys that a call deletes. @throws QueryApiError ValidationError */
export function readTagKeys(parameters: QueryParameters): string[] {
  return parameters.members("TagKeys").map((key) => key.text("", TAG_KEY));
}

/** @throws QueryApiError LimitExceeded */
export function checkTagCount(count: number): void {
  if (count > MAX_TAGS) {
    throw new QueryApiError("LimitExceeded", `The number of tags has reached the maximum limit of ${MAX_TAGS}.`);
  }
}
