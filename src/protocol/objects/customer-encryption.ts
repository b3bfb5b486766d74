// Server-side encryption with customer-provided keys (SSE-C): reads the key headers, and verifies the keys of later
// requests. A key is never stored, only a salted verifier.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
import { deriveBytes } from "../../bytes/derived-keys.ts";
import { digest, digestsEqual } from "../../bytes/digest.ts";
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from "../../bytes/hex-base64.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

const ENCRYPTION = "x-amz-server-side-encryption";
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const PURPOSE = "cairn recognises a key 2";
/** Verifiers with this purpose belong to blobs whose encryption is not bound to the blob id. */
const UNBOUND_PURPOSE = "cairn recognises a key 1";

/** A key that a request sent. It must not reach a log, a response or the database. */
export interface CustomerKey {
  readonly bytes: Uint8Array;
  /** Base64 of its MD5, which responses echo. */
  readonly md5: string;
}

/** Whether keys are accepted over plain HTTP: on the local host, or never. */
export type InsecureKeyPolicy = "loopback" | "never";

/**
 * Reads the key that an object or part is written or read with; undefined if the request has none.
 * @throws S3Error InvalidRequest over an insecure connection or for an MD5 that does not match the key; InvalidArgument
 *   for a missing header, a malformed key, or a second encryption method; InvalidEncryptionAlgorithmError
 */
export async function readCustomerKey(
  request: S3Request,
  insecureKeys: InsecureKeyPolicy,
): Promise<CustomerKey | undefined> {
  const key = await readKey(request, insecureKeys, `${ENCRYPTION}-customer-`);
  const method = requestHeader(request, ENCRYPTION);
  if (key !== undefined && method !== undefined) {
    const message =
      "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
    throw invalidArgument(ENCRYPTION, method, message);
  }
  return key;
}

/**
 * Reads the key that decrypts the source of a copy; undefined if the request has none.
 * @throws S3Error as {@link readCustomerKey}
 */
export async function readSourceKey(
  request: S3Request,
  insecureKeys: InsecureKeyPolicy,
): Promise<CustomerKey | undefined> {
  return readKey(request, insecureKeys, "x-amz-copy-source-server-side-encryption-customer-");
}

async function readKey(
  request: S3Request,
  insecureKeys: InsecureKeyPolicy,
  prefix: string,
): Promise<CustomerKey | undefined> {
  const algorithm = requestHeader(request, `${prefix}algorithm`);
  const key = requestHeader(request, `${prefix}key`);
  const md5 = requestHeader(request, `${prefix}key-md5`);
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (!request.isSecure && (insecureKeys === "never" || !isLoopback(request.headers.get("host") ?? ""))) {
    throw new S3Error("InvalidRequest", {}, `${REQUESTS} must be made over a secure connection.`);
  }
  if (algorithm === undefined) {
    throw invalidArgument(`${prefix}algorithm`, undefined, `${REQUESTS} must provide a valid encryption algorithm.`);
  }
  if (algorithm !== "AES256") {
    const fields = { ArgumentName: `${prefix}algorithm`, ArgumentValue: algorithm };
    throw new S3Error("InvalidEncryptionAlgorithmError", fields);
  }
  if (key === undefined) {
    throw invalidArgument(`${prefix}key`, undefined, `${REQUESTS} must provide an appropriate secret key.`);
  }
  if (md5 === undefined) {
    const message = `${REQUESTS} must provide the client calculated MD5 of the secret key.`;
    throw invalidArgument(`${prefix}key-MD5`, undefined, message);
  }
  const bytes = fromBase64(key.trim());
  if (bytes?.length !== KEY_BYTES) {
    // The error omits the value, which may be a mistyped key.
    throw invalidArgument(`${prefix}key`, undefined, "The secret key was invalid for the specified algorithm.");
  }
  const calculated = toBase64(await digest("MD5", bytes));
  if (md5.trim() !== calculated) {
    // DEVIATION AWS answers InvalidArgument here.
    const message = "The calculated MD5 hash of the key did not match the hash that was provided.";
    throw new S3Error("InvalidRequest", {}, message);
  }
  return { bytes, md5: calculated };
}

const REQUESTS = "Requests specifying Server Side Encryption with Customer provided keys";

/** Whether a Host header names the local host, whose connections need not leave the machine. */
function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The response headers for encryption at rest: SSE-C with the request's key, or AES256. */
export function encryptionHeaders(key: CustomerKey | undefined): Record<string, string> {
  if (key === undefined) return { [ENCRYPTION]: "AES256" };
  return { [`${ENCRYPTION}-customer-algorithm`]: "AES256", [`${ENCRYPTION}-customer-key-md5`]: key.md5 };
}

/** The encryption of a new object or upload: the customer's key, and the verifier to store. */
export interface NewEncryption {
  readonly key: CustomerKey;
  readonly keyVerifier: string;
}

interface KeyVerifier {
  /** Both are base64url. */
  readonly salt: string;
  readonly verifier: string;
}

/** Derives a salted verifier from a customer's key. The key cannot be derived from the verifier. */
export async function newEncryption(key: CustomerKey): Promise<NewEncryption> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const verifier = await deriveBytes(key.bytes, salt, PURPOSE);
  const keyVerifier: KeyVerifier = { salt: toBase64Url(salt), verifier: toBase64Url(verifier) };
  return { key, keyVerifier: JSON.stringify(keyVerifier) };
}

/** The salt of a key verifier in base64url. */
export function saltOf(keyVerifier: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (JSON.parse(keyVerifier) as KeyVerifier).salt;
}

/** Whether a verifier matches the key and belongs to blobs whose encryption is bound to the blob id. */
export async function isBoundToBlob(key: CustomerKey, encryption: string): Promise<boolean> {
  return matchesVerifierFor(key, encryption, PURPOSE);
}

/** Whether {@link newEncryption} made this verifier from the key. */
async function matchesVerifier(key: CustomerKey, text: string): Promise<boolean> {
  return (await matchesVerifierFor(key, text, PURPOSE)) || matchesVerifierFor(key, text, UNBOUND_PURPOSE);
}

async function matchesVerifierFor(key: CustomerKey, text: string, purpose: string): Promise<boolean> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { salt, verifier } = JSON.parse(text) as KeyVerifier;
  const expected = fromBase64Url(verifier) ?? new Uint8Array();
  return digestsEqual(expected, await deriveBytes(key.bytes, fromBase64Url(salt) ?? new Uint8Array(), purpose));
}

/**
 * Checks that a read has the key that the object was written with, and no key for an object without SSE-C.
 * @param encryption the object's key verifier
 * @throws S3Error InvalidRequest for a missing or unexpected key, AccessDenied for a wrong key
 */
export async function checkReadKey(encryption: string | undefined, key: CustomerKey | undefined): Promise<void> {
  if (encryption === undefined) {
    if (key === undefined) return;
    throw new S3Error("InvalidRequest", {}, "The encryption parameters are not applicable to this object.");
  }
  if (key === undefined) {
    const message =
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
    throw new S3Error("InvalidRequest", {}, message);
  }
  if (!(await matchesVerifier(key, encryption))) {
    throw new S3Error("AccessDenied", {}, `${REQUESTS} must provide the correct secret key.`);
  }
}

/**
 * Checks that a part has the key that CreateMultipartUpload had, or no key if that had none.
 * @param encryption the upload's key verifier
 * @throws S3Error InvalidRequest
 */
export async function checkPartKey(encryption: string | undefined, key: CustomerKey | undefined): Promise<void> {
  if (encryption === undefined && key === undefined) return;
  if (encryption === undefined) throw new S3Error("InvalidRequest", {}, NOT_REQUESTED);
  if (key === undefined) throw new S3Error("InvalidRequest", {}, REQUESTED);
  if (await matchesVerifier(key, encryption)) return;
  const message = "The provided encryption parameters did not match the ones used originally.";
  throw new S3Error("InvalidRequest", {}, message);
}

const NOT_REQUESTED =
  "The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.";
const REQUESTED =
  "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
