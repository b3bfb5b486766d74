// Multipart uploads: part numbers, the CompleteMultipartUpload document, and the checks of the parts that it lists.
import { fromHex, toHex } from "../../bytes/hex-base64.ts";
import { digest } from "../../bytes/digest.ts";
import { CHECKSUM_ELEMENTS, checksumElement, type ChecksumAlgorithm, type ChecksumType } from "../core/checksums.ts";
import type { ConditionSubject, WriteConditions } from "./conditions.ts";
import { preconditionFailed, refuseWrite } from "./conditions.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { bareEtag } from "../core/etag.ts";
import type { Query } from "../core/query.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";

/** The smallest part that is not the last, in bytes. */
export const PART_MIN_BYTES = 5 * 1024 ** 2;
/** The largest part, in bytes. */
export const PART_MAX_BYTES = 5 * 1024 ** 3;
export const PART_MAX_NUMBER = 10_000;

/** Reads `uploadId`. @throws S3Error NoSuchUpload for an empty id */
export function readUploadId(query: Query): string {
  const uploadId = query.get("uploadId") ?? "";
  if (uploadId === "") throw new S3Error("NoSuchUpload", { UploadId: uploadId });
  return uploadId;
}

/** Reads `partNumber`, from 1 to 10,000. @throws S3Error InvalidArgument */
export function readPartNumber(query: Query): number {
  const text = query.get("partNumber") ?? "";
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > PART_MAX_NUMBER) {
    throw invalidArgument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive");
  }
  return value;
}

/** A part that a CompleteMultipartUpload lists. */
export interface ListedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  /** The part's checksums by element name. */
  readonly checksums: ReadonlyMap<string, string>;
}

/** The Part element, its number, its ETag and at most two checksums. */
const ELEMENTS_PER_PART = 5;

/** @throws S3Error MalformedXML, InvalidRequest for no part, InvalidPartOrder, InvalidPart */
export function parseCompletion(document: Uint8Array, uploadId: string): ListedPart[] {
  const root = parseDocument(document, "CompleteMultipartUpload", PART_MAX_NUMBER * ELEMENTS_PER_PART);
  const listed = root.children.map((node): ListedPart => {
    if (node.name !== "Part") throw new S3Error("MalformedXML");
    const fields = singleChildren(node, ["PartNumber", "ETag", ...CHECKSUM_ELEMENTS]);
    const number = fields.get("PartNumber")?.text.trim() ?? "";
    const etag = fields.get("ETag")?.text;
    if (!/^\d{1,6}$/.test(number) || etag === undefined) throw new S3Error("MalformedXML");
    const checksums = new Map<string, string>();
    for (const name of CHECKSUM_ELEMENTS) {
      const value = fields.get(name)?.text.trim();
      if (value !== undefined && value !== "") checksums.set(name, value);
    }
    return { partNumber: Number(number), etag: bareEtag(etag), checksums };
  });
  if (listed.length === 0) throw new S3Error("InvalidRequest", {}, "You must specify at least one part");
  if (listed.length > PART_MAX_NUMBER) throw new S3Error("MalformedXML");
  listed.forEach(({ partNumber }, index) => {
    const before = listed[index - 1]?.partNumber ?? 0;
    if (partNumber <= before) throw new S3Error("InvalidPartOrder", { UploadId: uploadId });
  });
  return listed;
}

/** An uploaded part. */
interface UploadedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly size: number;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksum: string | undefined;
}

/** The checksum settings that CreateMultipartUpload announced. */
interface AnnouncedUpload {
  readonly uploadId: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

/**
 * Selects the uploaded parts that a CompleteMultipartUpload lists, in its order.
 * @throws S3Error InvalidPart, EntityTooSmall, InvalidRequest or BadDigest for a part's checksum
 */
export function chooseParts<Part extends UploadedPart>(
  upload: AnnouncedUpload,
  listed: readonly ListedPart[],
  uploaded: ReadonlyMap<number, Part>,
): Part[] {
  const chosen = listed.map((item) => {
    const part = uploaded.get(item.partNumber);
    if (part === undefined || part.etag !== item.etag) {
      throw new S3Error("InvalidPart", { UploadId: upload.uploadId, PartNumber: item.partNumber, ETag: item.etag });
    }
    checkListedChecksum(upload, item, part);
    return part;
  });
  for (const part of chosen.slice(0, -1)) {
    if (part.size >= PART_MIN_BYTES) continue;
    throw new S3Error("EntityTooSmall", {
      ProposedSize: part.size,
      MinSizeAllowed: PART_MIN_BYTES,
      PartNumber: part.partNumber,
      ETag: part.etag,
    });
  }
  return chosen;
}

function checkListedChecksum(upload: AnnouncedUpload, { partNumber, checksums }: ListedPart, part: UploadedPart): void {
  const algorithm = upload.checksumAlgorithm;
  // A copied range has no known checksum, so no client can send it.
  const isRequested = upload.checksumType === "COMPOSITE" && part.checksum !== undefined;
  if (algorithm !== undefined && isRequested && !checksums.has(checksumElement(algorithm))) {
    throw new S3Error(
      "InvalidRequest",
      {},
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
    );
  }
  for (const [name, value] of checksums) {
    // A part's checksum is known in one algorithm only; values in others are not verified.
    if (part.checksumAlgorithm === undefined || checksumElement(part.checksumAlgorithm) !== name) continue;
    if (part.checksum !== undefined && part.checksum !== value) {
      const shown = name.slice("Checksum".length).toLowerCase();
      throw new S3Error(
        "BadDigest",
        {},
        `The ${shown} you specified for part ${partNumber} did not match what we received.`,
      );
    }
  }
}

/** The ETag of a multipart object: the MD5 of its parts' MD5s, a hyphen and the number of parts. */
export async function etagOfParts(parts: readonly { readonly etag: string }[]): Promise<string> {
  const joined = new Uint8Array(parts.length * 16);
  parts.forEach(({ etag }, index) => joined.set(fromHex(etag) ?? new Uint8Array(16), index * 16));
  return `${toHex(await digest("MD5", joined))}-${parts.length}`;
}

/**
 * Evaluates the conditions of a CompleteMultipartUpload. Any change of the key since CreateMultipartUpload is a
 * conflict, because the client chose the condition before it.
 * @param initialHead the key's head when the upload was created
 * @throws S3Error PreconditionFailed, ConditionalRequestConflict, NoSuchKey
 */
export function checkCompletionConditions(
  conditions: WriteConditions,
  key: string,
  initialHead: string | null,
  current: ConditionSubject | undefined,
  currentHead: string | null,
): void {
  const refusal = refuseWrite(conditions, key, current, current);
  if (refusal?.code === "PreconditionFailed") throw preconditionFailed(String(refusal.fields["Condition"]));
  if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
  const condition = conditions.ifMatch === undefined ? "If-None-Match" : "If-Match";
  const isConditional = conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
  if (isConditional && initialHead !== currentHead) {
    throw new S3Error("ConditionalRequestConflict", { Condition: condition, Key: key });
  }
}
