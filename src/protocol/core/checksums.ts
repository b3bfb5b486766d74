// S3's additional checksums: reads announced values from headers or trailers, and renders stored ones.
import { fromBase64, toBase64 } from "../../bytes/hex-base64.ts";
import { digestsEqual, type DigestAlgorithm } from "../../bytes/digest.ts";
import { S3Error } from "./s3-error.ts";
import { requestHeader, type S3Request } from "./s3-request.ts";
import type { ReadableHeaders } from "./sent-headers.ts";

export type ChecksumAlgorithm = keyof typeof DETAILS;
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** The stored form of a checksum: base64 of the big-endian digest. */
export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

const DETAILS = {
  CRC32: { digest: "crc32", bytes: 4, element: "ChecksumCRC32" },
  CRC32C: { digest: "crc32c", bytes: 4, element: "ChecksumCRC32C" },
  CRC64NVME: { digest: "crc64nvme", bytes: 8, element: "ChecksumCRC64NVME" },
  MD5: { digest: "MD5", bytes: 16, element: "ChecksumMD5" },
  SHA1: { digest: "SHA-1", bytes: 20, element: "ChecksumSHA1" },
  SHA256: { digest: "SHA-256", bytes: 32, element: "ChecksumSHA256" },
  SHA512: { digest: "SHA-512", bytes: 64, element: "ChecksumSHA512" },
  XXHASH128: { digest: "xxh128", bytes: 16, element: "ChecksumXXHASH128" },
  XXHASH3: { digest: "xxh3", bytes: 8, element: "ChecksumXXHASH3" },
  XXHASH64: { digest: "xxh64", bytes: 8, element: "ChecksumXXHASH64" },
} as const satisfies Record<string, { digest: DigestAlgorithm; bytes: number; element: string }>;

/** All algorithms. */
export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithm[] = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "MD5",
  "SHA1",
  "SHA256",
  "SHA512",
  "XXHASH128",
  "XXHASH3",
  "XXHASH64",
];

/** The elements of checksums in documents. */
export const CHECKSUM_ELEMENTS: readonly string[] = CHECKSUM_ALGORITHMS.map((algorithm) => DETAILS[algorithm].element);

/** The algorithm for uploads that announce none. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

/** The checksums that an upload announces. */
export interface ChecksumAnnouncement {
  /** The algorithm of a header value, a trailer or an algorithm name; undefined if the upload announces none. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** The digest from a header; undefined if it follows in a trailer or not at all. */
  readonly expected: Uint8Array | undefined;
  /** Whether the digest follows in a trailer. */
  readonly isInTrailer: boolean;
  /** The digest from Content-MD5. */
  readonly contentMd5: Uint8Array | undefined;
}

/** The announcement of a body that announces no checksum. */
export const NOTHING_ANNOUNCED: ChecksumAnnouncement = {
  algorithm: undefined,
  expected: undefined,
  isInTrailer: false,
  contentMd5: undefined,
};

/** The runtime's name of an algorithm. */
export function digestAlgorithm(algorithm: ChecksumAlgorithm): DigestAlgorithm {
  return DETAILS[algorithm].digest;
}

/** `x-amz-checksum-crc32`, … */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** `ChecksumCRC32`, … */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return DETAILS[algorithm].element;
}

/** The response headers for a stored checksum. */
export function checksumHeaders(checksum: ObjectChecksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

/**
 * Reads the checksums that an upload announces, from sent headers only: SDKs presign the checksum of an empty body.
 * @throws S3Error InvalidRequest for two values, an unsupported algorithm, a malformed value or a name without a value;
 *   InvalidDigest for a malformed Content-MD5
 */
export function readChecksums(request: S3Request, trailerNames: readonly string[]): ChecksumAnnouncement {
  const inHeaders = valueHeaders(request.headers);
  const inTrailer = trailerNames.filter((name) => name.startsWith("x-amz-checksum-"));
  if (inHeaders.length + inTrailer.length > 1) {
    throw invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  const named = namedAlgorithm(request.headers.get("x-amz-sdk-checksum-algorithm"));
  const contentMd5 = readContentMd5(request);
  const header = inHeaders[0] ?? inTrailer[0];
  if (header === undefined) {
    if (named !== undefined) {
      throw invalid(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      );
    }
    return { algorithm: undefined, expected: undefined, isInTrailer: false, contentMd5 };
  }
  const algorithm = algorithmOfHeader(header);
  if (named !== undefined && named !== algorithm)
    throw invalid(`Value for x-amz-sdk-checksum-algorithm header is invalid.`);
  const isInTrailer = inHeaders.length === 0;
  const expected = isInTrailer ? undefined : readDigest(algorithm, request.headers.get(header) ?? "");
  return { algorithm, expected, isInTrailer, contentMd5 };
}

/** @throws S3Error InvalidRequest unless the value is base64 of the algorithm's length */
export function readDigest(algorithm: ChecksumAlgorithm, value: string): Uint8Array {
  const bytes = fromBase64(value.trim());
  if (bytes?.length !== DETAILS[algorithm].bytes) {
    throw invalid(`Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
  return bytes;
}

/** @throws S3Error BadDigest if the digests differ */
export function checkChecksum(algorithm: ChecksumAlgorithm, expected: Uint8Array, computed: Uint8Array): void {
  if (!digestsEqual(expected, computed)) {
    throw new S3Error("BadDigest", {}, `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}

/** @throws S3Error BadDigest if the digests differ */
export function checkContentMd5(expected: Uint8Array, computed: Uint8Array): void {
  if (!digestsEqual(expected, computed)) {
    throw new S3Error(
      "BadDigest",
      { ExpectedDigest: toBase64(expected), CalculatedDigest: toBase64(computed) },
      "The Content-MD5 you specified did not match what we received.",
    );
  }
}

function valueHeaders(headers: ReadableHeaders): string[] {
  const names: string[] = [];
  for (const [name] of headers) {
    if (!name.startsWith("x-amz-checksum-") || NOT_VALUES.has(name)) continue;
    names.push(name);
  }
  return names;
}

const NOT_VALUES = new Set(["x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm"]);

function algorithmOfHeader(name: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((candidate) => checksumHeader(candidate) === name);
  if (algorithm === undefined) throw unsupported();
  return algorithm;
}

function namedAlgorithm(value: string | null): ChecksumAlgorithm | undefined {
  return value === null ? undefined : parseChecksumAlgorithm(value);
}

/** Parses an algorithm name such as `CRC32`. @throws S3Error InvalidRequest for an unknown name */
export function parseChecksumAlgorithm(value: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((candidate) => candidate === value.trim().toUpperCase());
  if (algorithm === undefined) throw unsupported();
  return algorithm;
}

/** Reads the algorithm of a new object's checksum. @throws S3Error InvalidRequest for an unknown name */
export function readChecksumAlgorithm(request: S3Request): ChecksumAlgorithm | undefined {
  return namedAlgorithm(requestHeader(request, "x-amz-checksum-algorithm") ?? null);
}

function readContentMd5(request: S3Request): Uint8Array | undefined {
  const value = request.headers.get("content-md5");
  if (value === null) return undefined;
  const bytes = fromBase64(value.trim());
  if (bytes?.length !== 16) throw new S3Error("InvalidDigest", { "Content-MD5": value });
  return bytes;
}

function unsupported(): S3Error {
  return invalid(
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(", ")}]`,
  );
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}
