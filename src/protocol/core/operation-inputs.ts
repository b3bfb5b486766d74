// The query parameters, headers and body that an operation obeys. Policy condition keys, the refusal of contradictory
// requests and the documentation's tables derive from these declarations.
import { presignedHeaders, type S3Request } from "./s3-request.ts";

/** The kind of body that an operation takes. */
export type BodyKind = "none" | "document" | "object" | "form";

/** The inputs that an operation obeys. Other inputs have no effect on it. */
export interface OperationInputs {
  /** Parameter names, case-sensitive. */
  readonly query: readonly string[];
  /** Header names in lower case; a name that ends in `*` matches a prefix. */
  readonly headers: readonly string[];
  readonly body: BodyKind;
  /** Headers that this operation refuses although most operations ignore them; written like `headers`. */
  readonly refuses: readonly string[];
}

/** An operation's declaration. Omitted lists are empty, and an omitted body is `none`. */
export type DeclaredInputs = Partial<OperationInputs>;

export const NO_INPUTS: OperationInputs = { query: [], headers: [], body: "none", refuses: [] };

/** Combines declarations. */
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

/** The digests of a body. */
export const DIGESTS: DeclaredInputs = {
  headers: ["content-md5", "x-amz-checksum-*", "x-amz-sdk-checksum-algorithm", "x-amz-trailer"],
};

/** The Object Lock of a new version. */
const OBJECT_LOCK: DeclaredInputs = {
  headers: ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold"],
};

/** Inputs of every operation that creates an object. */
export const NEW_OBJECT: DeclaredInputs = joinInputs(METADATA, ACL_HEADERS, CUSTOMER_KEY, OBJECT_LOCK, {
  headers: ["x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-tagging", "x-amz-website-redirect-location"],
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
 * Copy conditions without a copy source: the source header was lost on the way, so the request is refused. Clients also
 * send these headers with CreateMultipartUpload and CompleteMultipartUpload, which ignore them.
 */
export const NO_COPY: DeclaredInputs = { refuses: ["x-amz-copy-source-*"] };
export const NO_RENAME: DeclaredInputs = { refuses: ["x-amz-rename-source-*"] };

/** The response header overrides of GetObject and HeadObject. */
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

/** Inputs of GetObject and HeadObject. */
export const OBJECT_READ: DeclaredInputs = joinInputs(READ_CONDITIONS, CUSTOMER_KEY, RESPONSE_OVERRIDES, {
  query: ["versionId", "partNumber"],
  headers: ["range", "if-range", "x-amz-checksum-mode", "x-cairn-upstream"],
});

/** The form fields that act as upload headers, and the request's own preconditions. */
export const FORM_UPLOAD: DeclaredInputs = joinInputs(NEW_OBJECT, DIGESTS, WRITE_CONDITIONS, { body: "form" });

/** Parameters that all listings of keys share. */
export const LISTING_SCOPE: DeclaredInputs = { query: ["prefix", "delimiter", "encoding-type"] };

/** A document as the body, and its digests. */
export const DOCUMENT: DeclaredInputs = { ...DIGESTS, body: "document" };

/** Whether an operation obeys a header. */
export function obeysHeader({ headers }: OperationInputs, name: string): boolean {
  return isNamed(headers, name);
}

/** Whether a list in the form of {@link OperationInputs.headers} contains a name. */
export function isNamed(list: readonly string[], name: string): boolean {
  return preparedList(list).has(name);
}

/** Names in the form of {@link OperationInputs.headers}. */
interface NameList {
  has(name: string): boolean;
}

// Every request asks the lists of its operation, which never change, about each of its headers.
const PREPARED = new WeakMap<readonly string[], NameList>();

/** A list, prepared once for many questions. */
export function preparedList(list: readonly string[]): NameList {
  const known = PREPARED.get(list);
  if (known !== undefined) return known;
  const names = new Set(list.filter((one) => !one.endsWith("*")));
  const prefixes = list.filter((one) => one.endsWith("*")).map((one) => one.slice(0, -1));
  const prepared: NameList = {
    has: (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  };
  PREPARED.set(list, prepared);
  return prepared;
}

/** The first value of a parameter, if the operation obeys it. */
export function obeyedParameter({ query }: OperationInputs, request: S3Request, name: string): string | undefined {
  return query.includes(name) ? request.query.get(name) : undefined;
}

/** The lower-case names of a request's headers, including those in a presigned query. */
export function namesOfHeaders(request: S3Request): ReadonlySet<string> {
  const names = new Set<string>();
  for (const name of request.headers.keys()) names.add(name.toLowerCase());
  for (const name of presignedHeaders(request.query)?.keys() ?? []) names.add(name);
  return names;
}
