// Checksums of objects that are uploaded in parts: composite (a checksum of the parts' checksums) or of the full
// object, which for CRCs follows from the parts' without reading a byte again.
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

/** What CreateMultipartUpload announces; both are undefined where it announces nothing. */
export interface UploadChecksum {
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

/**
 * Reads `x-amz-checksum-algorithm` and `x-amz-checksum-type`.
 * @throws S3Error InvalidRequest for an unknown algorithm or type, or one that does not go with the other
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
  const isHash = checksumAlgorithm === "SHA1" || checksumAlgorithm === "SHA256";
  if (checksumType === "FULL_OBJECT" ? isHash : checksumAlgorithm === "CRC64NVME") {
    throw invalid(
      `The ${checksumType} checksum type cannot be used with the ${checksumAlgorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { checksumAlgorithm, checksumType };
}

/** The type of an upload's checksum where none is asked for. */
export function defaultType(algorithm: ChecksumAlgorithm): ChecksumType {
  return algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
}

/** A part as its object's checksum is made of it. */
interface CheckedPart {
  readonly size: number;
  /** Base64; undefined where it is not known, as for a copied range. */
  readonly checksum: string | undefined;
}

/** The checksum of an object made of parts, or undefined where a part's is not known. */
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
 * Checks what a completion's headers say of the object: its size, its checksum and that checksum's type.
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
  const other = namesOfDigests(request).find((name) => name !== checksumHeader(checksum.algorithm));
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

/** The headers that give a digest of the object. */
function namesOfDigests({ headers }: S3Request): string[] {
  const names = Array.from(headers.keys());
  return names.filter((name) => /^x-amz-checksum-(?!type$|mode$|algorithm$)/.test(name));
}

/** A completion's checksum headers speak of the object, not of the document that they come with. */
export function withoutChecksums(request: S3Request): S3Request {
  const headers = new Headers();
  for (const [name, value] of request.headers) if (!/^x-amz-(sdk-)?checksum-/.test(name)) headers.set(name, value);
  return { ...request, headers };
}

/** An algorithm, if what it makes of bytes follows from what it makes of their parts; else the default one, of which that holds. */
export function combinableOr(algorithm: ChecksumAlgorithm): ChecksumAlgorithm {
  return combinable(algorithm) === undefined ? DEFAULT_ALGORITHM : algorithm;
}

function combinable(algorithm: ChecksumAlgorithm): CombinableCrc | undefined {
  const name = digestAlgorithm(algorithm);
  return name === "crc32" || name === "crc32c" || name === "crc64nvme" ? name : undefined;
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}
