// Request bodies that are documents: small, read whole, verified, and parsed as XML.
import { digest, digestsEqual } from "../../bytes/digest.ts";
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

/** The largest document S3 takes, in bytes. */
export const DOCUMENT_MAX_BYTES = 2 * 1024 * 1024;

/**
 * Reads a document's bytes and verifies every digest that came with it.
 * No operation demands a digest: many clients send none, and AWS takes their documents.
 * @throws S3Error MalformedXML past 2 MiB, InvalidRequest for a malformed checksum, InvalidDigest, BadDigest,
 *   XAmzContentSHA256Mismatch
 */
export async function readDocument(request: S3Request, body: IncomingBody): Promise<Uint8Array> {
  const announced = readChecksums(request, body.trailerNames);
  if (body.length > DOCUMENT_MAX_BYTES) throw new S3Error("MalformedXML");
  const bytes = new Uint8Array(body.length);
  let length = 0;
  const trailers = await body.deliver((piece) => {
    bytes.set(piece, length);
    length += piece.length;
    return Promise.resolve();
  });
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

/** The root of a document, which must have this name. @throws S3Error MalformedXML */
export function parseDocument(bytes: Uint8Array, rootName: string): XmlNode {
  const root = parseXml(bytes);
  if (root?.name !== rootName) throw new S3Error("MalformedXML");
  return root;
}

/**
 * The children of a node by name, each of them at most once.
 * @throws S3Error MalformedXML for a name that is not expected or stands twice
 */
export function singleChildren(node: XmlNode, names: readonly string[]): ReadonlyMap<string, XmlNode> {
  const found = new Map<string, XmlNode>();
  for (const child of node.children) {
    if (!names.includes(child.name) || found.has(child.name)) throw new S3Error("MalformedXML");
    found.set(child.name, child);
  }
  return found;
}
