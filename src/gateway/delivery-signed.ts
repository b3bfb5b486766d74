// Presigned URLs, versions and response overrides on delivery hosts. S3's own GetObject or HeadObject answers, with the
// signature verified and D1's primary asked on every request, and shared caches keep nothing.
import type { DeliveryContext } from "../delivery/delivery-context.ts";
import { findBucket, readBucket } from "../delivery/bucket-facts.ts";
import type { SiteAnswer } from "../delivery/site-answer.ts";
import { deliveryFromText } from "../protocol/buckets/delivery-configuration.ts";
import { checkKey } from "../protocol/core/addressing.ts";
import type { DeliveredBucket } from "../protocol/core/host-names.ts";
import type { Query } from "../protocol/core/query.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { matchOperation } from "./match.ts";
import { OPERATIONS } from "./operation-table.ts";
import { readConnection } from "./read-request.ts";
import type { RequestScope } from "./request-scope.ts";
import { runOperation } from "./run-operation.ts";

const READS: ReadonlySet<string> = new Set(["GetObject", "HeadObject"]);
const CUSTOMER_KEY = /^x-amz-server-side-encryption-customer-/i;

/**
 * Answers a request whose query S3 has to evaluate.
 * @throws S3Error MethodNotAllowed for another operation than a read of an object, InvalidRequest for a customer's key
 */
export async function answerSigned(
  incoming: Request,
  scope: RequestScope,
  context: DeliveryContext,
  query: Query,
): Promise<SiteAnswer> {
  const { siteKey, rawPath } = context;
  const { bucketName, prefix } = await deliveredBucket(context);
  const key = prefix + siteKey;
  checkKey(key);
  if (siteKey === "") throw new S3Error("MethodNotAllowed", {}, undefined, { Allow: "GET, HEAD, OPTIONS" });
  const connection = readConnection(incoming, scope.settings);
  const headers = new Headers(connection.headers);
  for (const name of ["authorization", "cookie"]) headers.delete(name);
  const request: S3Request = {
    ...connection,
    method: incoming.method,
    address: { level: "object", bucket: bucketName, key },
    rawPath,
    query,
    headers,
    body: null,
    answersSeveralRanges: true,
  };
  const names = [...headers.keys(), ...query.parameters.map(({ name }) => name)];
  if (names.some((name) => CUSTOMER_KEY.test(name))) throw new S3Error("InvalidRequest");
  if (!READS.has(matchOperation(OPERATIONS, request).name)) {
    throw new S3Error("MethodNotAllowed", {}, undefined, { Allow: "GET, HEAD, OPTIONS" });
  }
  scope.request = request;
  let bucket: Bucket | undefined;
  const answer = await runOperation(request, scope, (found) => {
    bucket = found;
  });
  const { status, body } = answer;
  return {
    status,
    headers: { ...answer.headers, ...privacyHeaders(answer.headers, query) },
    body: body instanceof ReadableStream ? body : undefined,
    bucket,
  };
}

/**
 * The bucket that the operation then reads from the primary. Only below a wildcard does D1 know which one it is.
 * @throws S3Error NoSuchBucket
 */
async function deliveredBucket(context: DeliveryContext): Promise<DeliveredBucket> {
  if (context.target.kind === "fixed") return context.target;
  const { bucket } = (await findBucket(context)) ?? (await readBucket(context));
  if (bucket === undefined) throw new S3Error("NoSuchBucket");
  return { bucketName: bucket.name, prefix: deliveryFromText(bucket.configurations.delivery)?.prefix ?? "" };
}

/**
 * The signature is part of the URL, but a shared cache would serve the answer after it has expired. Every reader of an
 * object can sign a type for it, which must not turn its bytes into a page of the site.
 */
function privacyHeaders(headers: Readonly<Record<string, string>>, query: Query): Record<string, string> {
  const isOverridden = query.has("response-content-type") || query.has("response-content-disposition");
  const stored = headers["cache-control"] ?? "";
  const kept = stored
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "" && !/^(?:public|private|s-maxage)\b/i.test(directive));
  return {
    "cache-control": ["private", ...kept].join(", "),
    ...(isOverridden ? { "content-security-policy": "sandbox" } : {}),
  };
}
