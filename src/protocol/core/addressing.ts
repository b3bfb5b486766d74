// Finds the bucket and key of a request, in path style (`/bucket/key`) or virtual-hosted style (host `bucket.domain`).
// Works on the raw target, because every byte of a key counts.
import { utf8Length } from "../../bytes/text.ts";
import { invalidArgument, S3Error } from "./s3-error.ts";
import { decodeText } from "./text-encodings.ts";
import { splitSnapshot, type BucketAddress } from "./snapshot.ts";

/** The longest key, in bytes of UTF-8. */
export const KEY_MAX_BYTES = 1024;

/** The path prefix of S3 Control's tag operations, before the resource's ARN. */
const TAGS_PATH = "/v20180820/tags/";

/** The target of a request: the service, a bucket or snapshot, an object in one, or a bucket's tags by ARN. */
export type Address =
  | { readonly level: "service" }
  | ({ readonly level: "bucket" | "tags" } & BucketAddress)
  | ({ readonly level: "object"; readonly key: string } & BucketAddress);

/** Path and query of a raw URL, exactly as sent. */
export interface RawTarget {
  readonly path: string;
  readonly query: string;
}

/** Splits a raw absolute URL (`https://host/path?query`) without resolving or decoding it. */
export function splitTarget(url: string): RawTarget {
  const authority = url.indexOf("://") + 3;
  const fragment = url.indexOf("#", authority);
  const end = fragment < 0 ? url.length : fragment;
  const question = url.indexOf("?", authority);
  const pathEnd = question < 0 || question > end ? end : question;
  const slash = url.indexOf("/", authority);
  return {
    path: slash < 0 || slash >= pathEnd ? "/" : url.slice(slash, pathEnd),
    query: pathEnd === end ? "" : url.slice(pathEnd + 1, end),
  };
}

/**
 * The bucket that a host names in virtual-hosted style, or undefined in path style.
 * @param host the Host header: any case, with or without a port
 */
export function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  if (domains.length === 0) return undefined;
  const name = host.toLowerCase().replace(/:\d*$/, "");
  // One domain may contain another: beside `example.com`, `s3.example.com` can be an endpoint and not the bucket `s3`.
  if (domains.includes(name)) return undefined;
  const within = domains.filter((domain) => name.length > domain.length + 1 && name.endsWith(`.${domain}`));
  if (within.length === 0) return undefined;
  return name.slice(0, -1 - Math.max(...within.map((domain) => domain.length)));
}

/**
 * Parses a raw path.
 * @param controlAccount the account id of S3 Control's `x-amz-account-id`, which S3 requests do not have; the host of
 *   an S3 Control request may begin with it
 * @throws S3Error InvalidURI for malformed escapes or a key that is not UTF-8, KeyTooLongError past 1024 bytes
 */
export function parseAddress(rawPath: string, hostBucket: string | undefined, controlAccount?: string): Address {
  const isControlRequest = controlAccount !== undefined && (hostBucket === undefined || hostBucket === controlAccount);
  if (isControlRequest && rawPath.startsWith(TAGS_PATH)) return addressOfArn(rawPath.slice(TAGS_PATH.length));
  const rest = rawPath.startsWith("/") ? rawPath.slice(1) : rawPath;
  if (hostBucket !== undefined) return addressOf(hostBucket, rest);
  if (rest === "") return { level: "service" };
  const slash = rest.indexOf("/");
  return addressOf(decode(slash < 0 ? rest : rest.slice(0, slash)), slash < 0 ? "" : rest.slice(slash + 1));
}

/** @throws S3Error InvalidArgument unless the ARN is a bucket's */
function addressOfArn(rawArn: string): Address {
  const arn = decode(rawArn);
  const bucket = /^arn:[a-z0-9-]+:s3:[a-z0-9-]*:\d*:([^:/]+)$/.exec(arn)?.[1];
  if (bucket === undefined) throw invalidArgument("resourceArn", arn, "The ARN must be that of a bucket.");
  return { level: "tags", bucket };
}

function addressOf(name: string, rawKey: string): Address {
  const bucket = splitSnapshot(name);
  if (rawKey === "") return { level: "bucket", ...bucket };
  const key = decode(rawKey);
  checkKey(key);
  return { level: "object", ...bucket, key };
}

/** The bucket of a request below the service level. */
export function addressedBucket(address: Address): string {
  if (address.level === "service") throw new Error("a bucket's operation was routed without a bucket");
  return address.bucket;
}

/** The addressed snapshot; undefined for the bucket itself. */
export function addressedSnapshot(address: Address): string | undefined {
  return address.level === "service" ? undefined : address.snapshot;
}

/** The bucket and key of an object-level request. */
export function addressedObject(address: Address): { readonly bucket: string; readonly key: string } {
  if (address.level !== "object") throw new Error("an object's operation was routed without a key");
  return address;
}

/**
 * Refuses an invalid key.
 * @throws S3Error KeyTooLongError past 1024 bytes, InvalidURI for NUL, which XML and SQL's text functions do not allow
 */
export function checkKey(key: string): void {
  // A UTF-16 unit takes at most three bytes.
  const size = key.length * 3 > KEY_MAX_BYTES ? utf8Length(key) : 0;
  if (size > KEY_MAX_BYTES) throw new S3Error("KeyTooLongError", { Size: size, MaxSizeAllowed: KEY_MAX_BYTES });
  if (key.includes("\0")) throw new S3Error("InvalidURI", { URI: key.replaceAll("\0", "%00") });
}

function decode(raw: string): string {
  const text = decodeText("path", raw);
  if (text === undefined) throw new S3Error("InvalidURI", { URI: raw.slice(0, 1024) });
  return text;
}
