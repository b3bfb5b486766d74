// Request bodies that are documents: reads them whole, verifies their digests, and parses them as XML.
import { digest, digestsEqual } from "../../bytes/digest.ts";
import { GrowingBuffer } from "../../bytes/growing-buffer.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { parseXml, type XmlNode } from "../../bytes/xml.ts";
import {
  checkChecksum,
  checkContentMd5,
  checksumHeader,
  digestAlgorithm,
  readChecksums,
  readDigest,
} from "./checksums.ts";
import type { IncomingBody } from "./incoming-body.ts";
import { S3Error } from "./s3-error.ts";
import type { S3Request } from "./s3-request.ts";

/** The largest document of most operations, in bytes. */
export const DOCUMENT_MAX_BYTES = 2 * 1024 * 1024;

/** The most elements of most documents: 100 grants or rules of about 20 elements each. */
const DOCUMENT_MAX_ELEMENTS = 2000;

/**
 * Reads a document and verifies every announced digest. Like AWS, no operation requires a digest.
 * @param maxBytes the largest document that the operation takes
 * @throws S3Error MalformedXML for a larger one, InvalidRequest for a malformed checksum, InvalidDigest, BadDigest,
 *   XAmzContentSHA256Mismatch
 */
export async function readDocument(
  request: S3Request,
  body: IncomingBody,
  maxBytes = DOCUMENT_MAX_BYTES,
): Promise<Uint8Array> {
  const announced = readChecksums(request, body.trailerNames);
  if (body.length > maxBytes) throw new S3Error("MalformedXML");
  // The buffer grows with received bytes, because the announced length is not trusted.
  const buffer = new GrowingBuffer(body.length);
  const trailers = await body.deliver((piece) => {
    buffer.append(piece);
    return Promise.resolve();
  });
  const { bytes } = buffer;
  if (announced.algorithm !== undefined) {
    const { algorithm } = announced;
    const expected = announced.expected ?? readDigest(algorithm, trailers.get(checksumHeader(algorithm)) ?? "");
    checkChecksum(algorithm, expected, await digest(digestAlgorithm(algorithm), bytes));
  }
  if (announced.contentMd5 !== undefined) checkContentMd5(announced.contentMd5, await digest("MD5", bytes));
  if (body.sha256 !== undefined) {
    const computed = await digest("SHA-256", bytes);
    if (!digestsEqual(body.sha256, computed)) {
      throw new S3Error("XAmzContentSHA256Mismatch", {
        ClientComputedContentSHA256: toHex(body.sha256),
        S3ComputedContentSHA256: toHex(computed),
      });
    }
  }
  return bytes;
}

/**
 * Parses a document and checks the name of its root.
 * @param maxElements the most elements of such a document
 * @throws S3Error MalformedXML
 */
export function parseDocument(bytes: Uint8Array, rootName: string, maxElements = DOCUMENT_MAX_ELEMENTS): XmlNode {
  const root = parseXml(bytes, maxElements);
  if (root?.name !== rootName) throw new S3Error("MalformedXML");
  return root;
}

/**
 * The children of a node by name.
 * @throws S3Error MalformedXML for an unexpected or repeated name
 */
export function singleChildren(node: XmlNode, names: readonly string[]): ReadonlyMap<string, XmlNode> {
  const found = new Map<string, XmlNode>();
  for (const child of node.children) {
    if (!names.includes(child.name) || found.has(child.name)) throw new S3Error("MalformedXML");
    found.set(child.name, child);
  }
  return found;
}
