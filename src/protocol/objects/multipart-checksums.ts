// Checksums of multipart objects: composite (a checksum of the parts' checksums) or of the full object. For CRCs, the
// latter is combined from the parts' checksums without reading any bytes.
import { combineCrcs, type CombinableCrc } from "../../bytes/crc-combine.ts";
import { digest } from "../../bytes/digest.ts";
import { fromBase64, toBase64 } from "../../bytes/hex-base64.ts";
import {
  checksumHeader,
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  parseChecksumAlgorithm,
  type ChecksumAlgorithm,
  type ChecksumType,
  type ObjectChecksum,
} from "../core/checksums.ts";
import { S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

/** The checksum that CreateMultipartUpload announces; both fields are undefined without one. */
export interface UploadChecksum {
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

/**
 * Reads `x-amz-checksum-algorithm` and `x-amz-checksum-type`.
 * @throws S3Error InvalidRequest for an unknown algorithm or type, or an unsupported combination
 */
export function readUploadChecksum(request: S3Request): UploadChecksum {
  const name = requestHeader(request, "x-amz-checksum-algorithm");
  const type = requestHeader(request, "x-amz-checksum-type")?.toUpperCase();
  if (name === undefined) {
    if (type === undefined) return { checksumAlgorithm: undefined, checksumType: undefined };
    throw invalid("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
  }
  const checksumAlgorithm = parseChecksumAlgorithm(name);
  if (type !== undefined && type !== "COMPOSITE" && type !== "FULL_OBJECT") {
    throw invalid("Value for x-amz-checksum-type header is invalid.");
  }
  const checksumType = type ?? defaultType(checksumAlgorithm);
  // Only checksums of parts that are CRCs yield the checksum of the full object.
  const isHash = combinable(checksumAlgorithm) === undefined;
  if (checksumType === "FULL_OBJECT" ? isHash : checksumAlgorithm === "CRC64NVME") {
    throw invalid(
      `The ${checksumType} checksum type cannot be used with the ${checksumAlgorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { checksumAlgorithm, checksumType };
}

/** The checksum type of an upload that does not request one. */
export function defaultType(algorithm: ChecksumAlgorithm): ChecksumType {
  return algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
}

/** The size and checksum of a part, from which the object's checksum is computed. */
interface CheckedPart {
  readonly size: number;
  /** Base64; undefined if unknown, as for a copied range. */
  readonly checksum: string | undefined;
}

/** The checksum of a multipart object; undefined if a part's checksum is unknown. */
export async function checksumOfParts(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly CheckedPart[],
): Promise<ObjectChecksum | undefined> {
  const runs: { crc: Uint8Array; length: number }[] = [];
  for (const { size, checksum } of parts) {
    const bytes = checksum === undefined ? undefined : fromBase64(checksum);
    if (bytes === undefined) return undefined;
    runs.push({ crc: bytes, length: size });
  }
  if (type === "FULL_OBJECT") {
    const crc = combinable(algorithm);
    return crc === undefined ? undefined : { algorithm, type, value: toBase64(combineCrcs(crc, runs)) };
  }
  const joined = new Uint8Array(await new Blob(runs.map(({ crc }) => crc)).arrayBuffer());
  const value = toBase64(await digest(digestAlgorithm(algorithm), joined));
  return { algorithm, type, value: `${value}-${parts.length}` };
}

/**
 * Checks the object's size, checksum and checksum type that a CompleteMultipartUpload's headers announce.
 * @throws S3Error InvalidRequest, BadDigest
 */
export function checkCompletionHeaders(
  request: S3Request,
  upload: UploadChecksum,
  size: number,
  checksum: ObjectChecksum | undefined,
): void {
  const announcedSize = requestHeader(request, "x-amz-mp-object-size");
  if (announcedSize !== undefined && announcedSize.trim() !== String(size)) {
    throw invalid(
      `The provided 'x-amz-mp-object-size' header value ${announcedSize} does not match what was computed: ${size}`,
    );
  }
  const type = requestHeader(request, "x-amz-checksum-type")?.toUpperCase();
  if (type !== undefined && type !== "COMPOSITE" && type !== "FULL_OBJECT") {
    throw invalid("Value for x-amz-checksum-type header is invalid.");
  }
  if (type !== undefined && upload.checksumType !== undefined && type !== upload.checksumType) {
    throw invalid(
      `The upload was created using the ${upload.checksumType} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  if (checksum === undefined) return;
  const other = digestHeaderNames(request).find((name) => name !== checksumHeader(checksum.algorithm));
  if (other !== undefined) {
    throw invalid(`The checksum of the object is ${checksum.algorithm}; there is nothing to verify ${other} with.`);
  }
  const expected = request.headers.get(checksumHeader(checksum.algorithm));
  if (expected !== null && expected.trim().replace(/-\d+$/, "") !== checksum.value.replace(/-\d+$/, "")) {
    throw new S3Error(
      "BadDigest",
      {},
      `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
    );
  }
}

/** Whether a request's headers contain a digest of the object. */
export function announcesChecksum(request: S3Request): boolean {
  return digestHeaderNames(request).length > 0;
}

/** The names of the headers that contain a digest of the object. */
function digestHeaderNames({ headers }: S3Request): string[] {
  const names = Array.from(headers.keys());
  return names.filter((name) => /^x-amz-checksum-(?!type$|mode$|algorithm$)/.test(name));
}

/** Omits checksum headers: in CompleteMultipartUpload they describe the object and not the request's document. */
export function withoutChecksums(request: S3Request): S3Request {
  const headers = new Headers();
  for (const [name, value] of request.headers) if (!/^x-amz-(sdk-)?checksum-/.test(name)) headers.set(name, value);
  return { ...request, headers };
}

/** The algorithm, or the default if checksums of the algorithm cannot be combined from those of parts. */
export function combinableOrDefault(algorithm: ChecksumAlgorithm): ChecksumAlgorithm {
  return combinable(algorithm) === undefined ? DEFAULT_ALGORITHM : algorithm;
}

function combinable(algorithm: ChecksumAlgorithm): CombinableCrc | undefined {
  const name = digestAlgorithm(algorithm);
  return name === "crc32" || name === "crc32c" || name === "crc64nvme" ? name : undefined;
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}
