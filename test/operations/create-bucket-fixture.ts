// CreateBucketConfiguration documents, and assertions on rejected buckets.
import { expect } from "vitest";

import { send, type SendOptions, type RequestScope } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

export function configuration(constraint: string, attributes = ` xmlns="${NAMESPACE}"`): string {
  return `<CreateBucketConfiguration${attributes}><LocationConstraint>${constraint}</LocationConstraint></CreateBucketConfiguration>`;
}

export function configurationOf(tags: Readonly<Record<string, string>>, constraint?: string): string {
  const set = Object.entries(tags).map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  const location = constraint === undefined ? "" : `<LocationConstraint>${constraint}</LocationConstraint>`;
  return `<CreateBucketConfiguration>${location}<Tags>${set.join("")}</Tags></CreateBucketConfiguration>`;
}

export function statement(Effect: string, Action: string | readonly string[], Resource: string): object {
  return { Effect, Action, Resource };
}

export async function exists(name: string): Promise<boolean> {
  return (await send("HEAD", `/${name}`)).status === 200;
}

/** Asserts that a CreateBucket is rejected and that no such bucket exists afterwards. */
export async function expectRefused(
  expected: Parameters<typeof expectS3Error>[1],
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<void> {
  const name = freshBucketName();
  await expectS3Error(await send("PUT", `/${name}`, options, scope), expected);
  expect(await exists(name)).toBe(false);
}
