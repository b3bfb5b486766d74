// The inputs that an operation obeys: query parameters, headers and body. The condition keys of policies, the refusal
// of contradictory requests and the documentation's tables all follow from an operation's declaration of them.
import { isHoistable, type S3Request } from "./s3-request.ts";

/** What a request's body is to an operation. */
export type BodyKind = "none" | "document" | "object" | "form";

/** What an operation obeys. Every other input has no effect on it. */
export interface OperationInputs {
  /** Names of parameters, case-sensitive. */
  readonly query: readonly string[];
  /** Names of headers in lower case; one that ends in `*` stands for all with that prefix. */
  readonly headers: readonly string[];
  readonly body: BodyKind;
  /** Headers that this operation refuses, where most operations ignore them. Spelt like `headers`. */
  readonly refuses: readonly string[];
}

/** What an operation declares; what it leaves out is empty, and its body is `none`. */
export type DeclaredInputs = Partial<OperationInputs>;

export const NO_INPUTS: OperationInputs = { query: [], headers: [], body: "none", refuses: [] };

/** Several declarations as one. */
export function joinInputs(...declared: readonly DeclaredInputs[]): OperationInputs {
  return {
    query: declared.flatMap(({ query = [] }) => query),
    headers: declared.flatMap(({ headers = [] }) => headers),
    body: declared.find(({ body = "none" }) => body !== "none")?.body ?? "none",
    refuses: declared.flatMap(({ refuses = [] }) => refuses),
  };
}

export const READ_CONDITIONS: DeclaredInputs = {
  headers: ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"],
};

export const WRITE_CONDITIONS: DeclaredInputs = { headers: ["if-match", "if-none-match"] };

export const ACL_HEADERS: DeclaredInputs = {
  headers: [
    "x-amz-acl",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
  ],
};

export const CUSTOMER_KEY: DeclaredInputs = {
  headers: [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
  ],
};

export const METADATA: DeclaredInputs = {
  headers: [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-meta-*",
  ],
};

/** The digests that come with a body. */
export const DIGESTS: DeclaredInputs = {
  headers: ["content-md5", "x-amz-checksum-*", "x-amz-sdk-checksum-algorithm", "x-amz-trailer"],
};

/** What everything that makes an object obeys. */
export const NEW_OBJECT: DeclaredInputs = joinInputs(METADATA, ACL_HEADERS, CUSTOMER_KEY, {
  headers: ["x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-tagging"],
});

export const COPY_SOURCE: DeclaredInputs = {
  headers: [
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-source-expected-bucket-owner",
  ],
};

/**
 * What goes with the name of a source. Without the name, it has got lost on the way, and the request is no longer what
 * its client meant. (Clients send these headers with the beginning and the completion of an upload by copies as well.)
 */
export const NO_COPY: DeclaredInputs = { refuses: ["x-amz-copy-source-*"] };
export const NO_RENAME: DeclaredInputs = { refuses: ["x-amz-rename-source-*"] };

/** The overrides of an answer's headers, for GET and HEAD of an object. */
export const RESPONSE_OVERRIDES: DeclaredInputs = {
  query: [
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
  ],
};

/** What a GET or HEAD of an object obeys. */
export const OBJECT_READ: DeclaredInputs = joinInputs(READ_CONDITIONS, CUSTOMER_KEY, RESPONSE_OVERRIDES, {
  query: ["versionId", "partNumber"],
  headers: ["range", "if-range", "x-amz-checksum-mode"],
});

/** The fields of a form that are headers of the upload it asks for, and the request's own conditions. */
export const FORM_UPLOAD: DeclaredInputs = joinInputs(NEW_OBJECT, DIGESTS, WRITE_CONDITIONS, { body: "form" });

/** What narrows and pages every list of keys. */
export const LISTING_SCOPE: DeclaredInputs = { query: ["prefix", "delimiter", "encoding-type"] };

/** A document that comes as the body, and its digests. */
export const DOCUMENT: DeclaredInputs = { ...DIGESTS, body: "document" };

/** Whether an operation obeys a header. */
export function obeysHeader({ headers }: OperationInputs, name: string): boolean {
  return isNamed(headers, name);
}

/** Whether a list of headers, spelt as {@link OperationInputs.headers} is, has a name. */
export function isNamed(list: readonly string[], name: string): boolean {
  return list.some((one) => (one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : one === name));
}

/** The first value of a parameter, where the operation obeys it. */
export function obeyedParameter({ query }: OperationInputs, request: S3Request, name: string): string | undefined {
  return query.includes(name) ? request.query.get(name) : undefined;
}

/** The names of the headers that a request carries, those of a presigned query included, in lower case. */
export function namesOfHeaders(request: S3Request): ReadonlySet<string> {
  const names = new Set(Array.from(request.headers.keys(), (name) => name.toLowerCase()));
  if (!request.query.has("X-Amz-Signature")) return names;
  for (const { name } of request.query.parameters) if (isHoistable(name.toLowerCase())) names.add(name.toLowerCase());
  return names;
}
