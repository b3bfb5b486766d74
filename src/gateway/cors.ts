// Answers CORS preflights, which are unsigned, and makes the headers that let a page read answers and errors.
import type { S3Response } from "../contract/operation.ts";
import { corsHeaders, type CorsRule } from "../protocol/buckets/cors.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { ReadableHeaders } from "../protocol/core/sent-headers.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import type { Databases } from "../state/d1/databases.ts";
import { lookUpRequest } from "./look-up.ts";

/**
 * Answers a preflight by the bucket's CORS rules.
 * @throws S3Error BadRequest for an incomplete preflight, NoSuchBucket, AccessForbidden
 */
export async function answerPreflight(request: S3Request, databases: Databases): Promise<S3Response> {
  const origin = request.headers.get("origin");
  if (origin === null) {
    throw new S3Error("BadRequest", {}, "Insufficient information. Origin request header needed.");
  }
  const method = request.headers.get("access-control-request-method");
  if (method === null) throw new S3Error("BadRequest", {}, "Invalid Access-Control-Request-Method: null");
  return preflightAnswer(await rulesOf(request, databases), request.headers);
}

/** Answers a complete preflight by CORS rules. @throws S3Error AccessForbidden */
export function preflightAnswer(
  rules: readonly CorsRule[],
  sent: ReadableHeaders,
): { readonly status: number; readonly headers: Readonly<Record<string, string>> } {
  const [origin, method] = [sent.get("origin") ?? "", sent.get("access-control-request-method") ?? ""];
  if (rules.length === 0) {
    const fields = { Method: method, ResourceType: "BUCKET" };
    throw new S3Error("AccessForbidden", fields, "CORSResponse: CORS is not enabled for this bucket.");
  }
  const names = (sent.get("access-control-request-headers") ?? "").toLowerCase().split(",");
  const headers = Array.from(new Set(names.map((name) => name.trim()))).filter((name) => name !== "");
  const answer = corsHeaders(rules, { origin, method, headers });
  if (answer === undefined) {
    throw new S3Error(
      "AccessForbidden",
      { Method: method, ResourceType: "OBJECT" },
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    );
  }
  return { status: 200, headers: { ...answer, "content-length": "0" } };
}

async function rulesOf({ address }: S3Request, databases: Databases): Promise<readonly CorsRule[]> {
  if (address.level === "service") return [];
  const { statements, read } = lookUpBucket(address.bucket);
  const { results } = await lookUpRequest({ databases }, [], { statements }, address.bucket);
  const { bucket } = read(results);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: address.bucket });
  return bucket.cors;
}

/**
 * The headers that let a page of another origin read an answer.
 * @param known the bucket's rules, if they are already looked up
 */
export async function headersForOrigin(
  request: S3Request,
  known: readonly CorsRule[] | undefined,
  databases: Databases,
): Promise<Record<string, string>> {
  const origin = request.headers.get("origin");
  if (origin === null || request.method === "OPTIONS") return {};
  // Without these headers a page cannot read an error, so a refusal is worth a lookup of the rules.
  const rules = known ?? (await rulesOf(request, databases).catch(() => []));
  return corsHeaders(rules, { origin, method: request.method, headers: [] }) ?? {};
}
