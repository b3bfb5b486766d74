// S3 Control's requests for the tags of a bucket.
import { expect } from "vitest";

import { send, type RequestScope, type SendOptions } from "./client.ts";
import { readXml } from "./read-xml.ts";

const ACCOUNT = "000000000000";

/** The path of a bucket's tags, with its ARN encoded as the SDKs encode it. */
export function tagsPath(bucket: string): string {
  return `/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A${bucket}`;
}

/** Sends a request for a bucket's tags with its account id. */
export async function sendForTags(
  method: string,
  target: string,
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<Response> {
  return send(method, target, { ...options, headers: { "x-amz-account-id": ACCOUNT, ...options.headers } }, scope);
}

/** The document of TagResource. */
export function tagResourceOf(tags: Readonly<Record<string, string>>): string {
  const set = Object.entries(tags).map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  return `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags>${set.join("")}</Tags></TagResourceRequest>`;
}

/** Asserts that a response is an error in S3 Control's format. */
export async function expectControlError(response: Response, status: number, code: string): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  const root = readXml(text);
  expect([root.name, root.children[0]?.name]).toEqual(["ErrorResponse", "Error"]);
  expect(text).toContain(`<Code>${code}</Code>`);
}
