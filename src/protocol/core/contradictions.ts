// Refuses contradictory requests: inputs that the operation does not obey although they change the request's meaning.
// Each operation declares the inputs that it obeys; other harmless inputs are ignored.
import { isNamed, namesOfHeaders, obeysHeader, preparedList, type OperationInputs } from "./operation-inputs.ts";
import { invalidArgument, S3Error } from "./s3-error.ts";
import { presignedHeaders, requestHeader, type S3Request } from "./s3-request.ts";

/** Headers that name a source object: ignoring one would write other bytes. */
const SOURCE_HEADERS: readonly string[] = ["x-amz-copy-source", "x-amz-copy-source-range", "x-amz-rename-source"];

/** Preconditions: ignoring one could overwrite an object that the client protects. */
const PRECONDITIONS: readonly string[] = [
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "x-amz-if-match-*",
];

/** Headers that request unsupported protection or storage. */
const UNSUPPORTED: readonly string[] = [
  "x-amz-object-lock-*",
  "x-amz-bucket-object-lock-*",
  "x-amz-mfa",
  "x-amz-website-redirect-location",
  "x-amz-write-offset-bytes",
];

const ENCRYPTION: readonly string[] = [
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-*",
  "x-amz-server-side-encryption-bucket-key-enabled",
  "x-amz-server-side-encryption-context",
];

const BYPASS = "x-amz-bypass-governance-retention";

/**
 * Refuses inputs that an operation neither obeys nor may ignore. Call it after the operation is authorized.
 * @throws S3Error InvalidArgument, InvalidRequest, NotImplemented {Header}
 */
export async function refuseContradictions(request: S3Request, inputs: OperationInputs): Promise<void> {
  refuseInputs(request, inputs);
  await refuseBody(request, inputs);
}

/** @throws S3Error InvalidArgument, InvalidRequest, NotImplemented {Header} */
function refuseInputs(request: S3Request, inputs: OperationInputs): void {
  const isWrite = request.method !== "GET" && request.method !== "HEAD";
  const obeyed = preparedList(inputs.headers);
  const refused = preparedList(inputs.refuses);
  for (const name of namesOfHeaders(request)) {
    if (obeyed.has(name)) continue;
    if (isNamed(ENCRYPTION, name)) {
      throw invalidArgument(name, requestHeader(request, name), `${name} header is not supported for this operation.`);
    }
    if (refused.has(name)) throw contradiction(`The header ${name} does not apply to this operation.`);
    if (isWrite) refuseHeaderOfWrite(request, name);
  }
  refuseParameters(request, inputs, isWrite);
}

/** @throws S3Error InvalidArgument, InvalidRequest, NotImplemented {Header} */
function refuseHeaderOfWrite(request: S3Request, name: string): void {
  if (isNamed(SOURCE_HEADERS, name)) throw contradiction(`The header ${name} belongs to another operation than this.`);
  if (isNamed(PRECONDITIONS, name) || isNamed(UNSUPPORTED, name)) {
    const message = "A header you provided implies functionality that is not implemented";
    throw new S3Error("NotImplemented", { Header: name }, message);
  }
  const value = requestHeader(request, name);
  if (name === BYPASS && value?.trim().toLowerCase() !== "false") {
    throw invalidArgument(name, value, `${name} is only applicable to Object Lock enabled buckets.`);
  }
}

/**
 * Parameters that make another operation of the request, beside its subresource. A write without that subresource, or with
 * another method, would change or delete more than the client means.
 */
const SELECTORS: readonly string[] = ["annotationName", "dry-run"];

/** Parameters that may occur more than once, with different values. */
const LISTS: ReadonlySet<string> = new Set(["tagKeys"]);

/** @throws S3Error InvalidArgument */
function refuseParameters(request: S3Request, inputs: OperationInputs, isWrite: boolean): void {
  const { query } = request;
  const isObeyed = (name: string): boolean => inputs.query.includes(name);
  const versionId = query.get("versionId");
  if (versionId !== undefined && !isObeyed("versionId")) {
    throw invalidArgument("versionId", versionId, "This operation does not accept a version-id.");
  }
  const partNumber = query.get("partNumber");
  if (isWrite && partNumber !== undefined && !isObeyed("partNumber")) {
    throw invalidArgument("partNumber", partNumber, "This operation does not accept a part number.");
  }
  const selector = isWrite ? SELECTORS.find((name) => query.has(name) && !isObeyed(name)) : undefined;
  if (selector !== undefined) {
    throw invalidArgument(selector, query.get(selector), `This operation does not accept the parameter ${selector}.`);
  }
  const presigned = presignedHeaders(query);
  const values = new Map<string, string>();
  for (const { name, value } of query.parameters) {
    if (name.startsWith("response-") && !isObeyed(name) && inputs.query.some((one) => one.startsWith("response-"))) {
      throw invalidArgument(name, value, `There is no response header to override that is called ${name}.`);
    }
    const header = name.toLowerCase();
    const isHeader = presigned?.has(header) === true && obeysHeader(inputs, header);
    if ((!isObeyed(name) && !isHeader) || LISTS.has(name)) continue;
    const known = values.get(isHeader ? header : name);
    if (known !== undefined && known !== value) {
      throw invalidArgument(name, value, "The parameter is given more than once, with different values.");
    }
    values.set(isHeader ? header : name, value);
  }
}

/**
 * Refuses the body of a write that takes none. A body of undeclared length is read up to its first byte.
 * @throws S3Error InvalidRequest
 */
async function refuseBody({ method, headers, body }: S3Request, inputs: OperationInputs): Promise<void> {
  if (inputs.body !== "none" || body === null || (method !== "PUT" && method !== "POST")) return;
  const decoded = headers.get("x-amz-decoded-content-length");
  const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
  if (length === "0" || (decoded === "0" && length !== null)) return;
  if (length === null && !(await hasBytes(body))) return;
  throw contradiction("This operation takes no body, and the request has one.");
}

async function hasBytes(body: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      if (value.length > 0) return true;
    }
  } catch {
    throw new S3Error("IncompleteBody");
  } finally {
    reader.releaseLock();
  }
}

function contradiction(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}
