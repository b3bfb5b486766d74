// What the checks of tenants share.
import assert from "node:assert/strict";
import { type Caller, type Place, textIn } from "../../../scripts/tenancy/caller.ts";
import type { Tenant } from "../../../scripts/tenancy/tenants.ts";
import type { PageServer } from "../browser/page-server.ts";
import { hashBytes } from "../hashes.ts";
import type { Site } from "../site.ts";

export interface TenancyTools {
  readonly site: Site;
  readonly place: Place;
  /** The origin whose pages may upload to the bucket. */
  readonly pages: PageServer;
  readonly bucket: string;
  /** The operator who creates tenants. */
  readonly operator: Caller;
  /** The acting tenant. */
  readonly one: Tenant;
  readonly other: Tenant;
}

/** The smallest part that is not the last. */
export const PART_BYTES = 5 * 1024 ** 2;

/** Asserts that a request succeeds, and returns the body. */
export async function assertDone(answer: Promise<Response>, about = ""): Promise<string> {
  const response = await answer;
  const text = await response.text();
  assert.ok(response.ok, `${about} ${response.status} ${text}`);
  return text;
}

/** Asserts that a request is rejected, and returns its error without the parts that differ per request. */
export async function assertDenied(answer: Promise<Response>, about = "", code = "AccessDenied"): Promise<string> {
  const response = await answer;
  const text = await response.text();
  assert.equal(response.status, 403, `${about} ${text}`);
  if (text !== "") assert.equal(textIn(text, "Code"), code, about);
  return text.replaceAll(/<(RequestId|HostId)>[^<]*<\/\1>/g, "");
}

/** A DeleteObjects request. */
export function deletionOf(...keys: readonly string[]): { headers: Record<string, string>; body: string } {
  const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
  return { headers: md5Of(body), body };
}

/** The header that some documents require. */
export function md5Of(body: string): { "content-md5": string } {
  return { "content-md5": Buffer.from(hashBytes("md5", body), "hex").toString("base64") };
}

/** A CompleteMultipartUpload document. */
export function completionOf(...etags: readonly string[]): string {
  const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  return `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
}
