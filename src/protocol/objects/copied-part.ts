// The ETag and checksum of a part that copies a range, as far as they follow from what the source's rows say: no bytes
// are read for them.
import { digest } from "../../bytes/digest.ts";
import { fromBase64, toHex } from "../../bytes/hex-base64.ts";
import { utf8 } from "../../bytes/text.ts";
import type { ChecksumAlgorithm, ObjectChecksum } from "../core/checksums.ts";
import type { ByteRange } from "../core/range.ts";
import { checksumOfParts } from "./multipart-checksums.ts";
import type { ObjectPart } from "./object-reading.ts";

/** The version that a part copies from. */
interface CopiedVersion {
  readonly versionId: string;
  readonly size: number;
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
}

/** The ETag and checksum of a part. */
export interface PartIdentity {
  readonly etag: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksum: string | undefined;
}

/**
 * The identity of a copied part.
 *
 * - All of an object that was uploaded in one piece has its ETag.
 * - All of any object has its checksum, unless that is a composite.
 * - One whole part of an object has that part's checksum; several have a CRC that is combined from theirs.
 * - An MD5 checksum is an ETag as well. Otherwise the ETag is another hash that is as unique.
 * @param parts the source's parts that lie in the range; none for an object without parts
 * @param algorithm the algorithm of the upload's checksums
 */
export async function identityOfRange(
  source: CopiedVersion,
  range: ByteRange,
  parts: readonly ObjectPart[],
  algorithm: ChecksumAlgorithm,
): Promise<PartIdentity> {
  const known = await knownChecksum(source, range, parts);
  const isWhole = range.length === source.size;
  const md5 = known?.algorithm === "MD5" ? fromBase64(known.value) : undefined;
  const etag = isWhole && !source.etag.includes("-") ? source.etag : md5 === undefined ? undefined : toHex(md5);
  return {
    etag: etag ?? (await uniqueEtag(source, range)),
    ...(known?.algorithm === algorithm
      ? { checksumAlgorithm: algorithm, checksum: known.value }
      : { checksumAlgorithm: undefined, checksum: undefined }),
  };
}

/** The checksum of the range's bytes in the source's algorithm; undefined if the rows do not say it. */
async function knownChecksum(
  { checksum, size }: CopiedVersion,
  { offset, length }: ByteRange,
  parts: readonly ObjectPart[],
): Promise<ObjectChecksum | undefined> {
  if (checksum === undefined) return undefined;
  if (length === size && checksum.type === "FULL_OBJECT") return checksum;
  // Parts follow each other, so those that begin where the range does and are as long are all of it.
  const isTiled = parts[0]?.start === offset && parts.reduce((sum, part) => sum + part.size, 0) === length;
  if (!isTiled) return undefined;
  const { algorithm } = checksum;
  const only = parts.length === 1 ? parts[0]?.checksum : undefined;
  return only === undefined
    ? checksumOfParts(algorithm, "FULL_OBJECT", parts)
    : { algorithm, type: "FULL_OBJECT", value: only };
}

async function uniqueEtag({ versionId }: CopiedVersion, { offset, length }: ByteRange): Promise<string> {
  return toHex(await digest("SHA-256", utf8(`${versionId} ${offset} ${length}`))).slice(0, 32);
}
