// Which bucket and key a request addresses: path style `/bucket/key`, or virtual-hosted style where the host is
// `bucket.` before one of the endpoint's domains. Works on the raw target, since every byte of a key counts.
import { utf8Length } from "../../bytes/text.ts";
import { invalidArgument, S3Error } from "./s3-error.ts";
import { decodeText } from "./text-encodings.ts";
import { splitSnapshot, type BucketAddress } from "./snapshot.ts";

/** The longest key, in bytes of UTF-8. */
export const KEY_MAX_BYTES = 1024;

/** Where S3 Control keeps the tags of a resource: the path, before the resource's ARN. */
const TAGS_PATH = "/v20180820/tags/";

/** What a request addresses: the service, a bucket or a snapshot, an object in one of these, or a bucket's tags by ARN. */
export type Address =
  | { readonly level: "service" }
  | ({ readonly level: "bucket" | "tags" } & BucketAddress)
  | ({ readonly level: "object"; readonly key: string } & BucketAddress);

/** The parts of a raw URL that matter here, exactly as they were sent. */
export interface RawTarget {
  readonly path: string;
  readonly query: string;
}

/** Cuts a raw absolute URL (`https://host/path?query`) without resolving or decoding anything. */
export function splitTarget(url: string): RawTarget {
  const authority = url.indexOf("://") + 3;
  const start = url.slice(authority).search(/[/?#]/);
  const target = start < 0 ? "/" : url.slice(authority + start);
  const fragment = target.indexOf("#");
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const question = whole.indexOf("?");
  const path = question < 0 ? whole : whole.slice(0, question);
  return { path: path === "" ? "/" : path, query: question < 0 ? "" : whole.slice(question + 1) };
}

/**
 * The bucket that a host names in virtual-hosted style, or undefined in path style.
 * @param host the Host header: any case, with or without a port
 */
export function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.toLowerCase().replace(/:\d*$/, "");
  // One domain may lie in another: `s3.example.com` beside `example.com` is an endpoint and no bucket.
  if (domains.includes(name)) return undefined;
  const within = domains.filter((domain) => name.length > domain.length + 1 && name.endsWith(`.${domain}`));
  if (within.length === 0) return undefined;
  return name.slice(0, -1 - Math.max(...within.map((domain) => domain.length)));
}

/**
 * What a raw path addresses.
 * @param controlAccount the account of S3 Control's `x-amz-account-id`, which S3's own requests do not have; its host may
 *   begin with it
 * @throws S3Error InvalidURI for malformed escapes or a key that is not UTF-8, KeyTooLongError past 1024 bytes.
 */
export function parseAddress(rawPath: string, hostBucket: string | undefined, controlAccount?: string): Address {
  const isOfControl = controlAccount !== undefined && (hostBucket === undefined || hostBucket === controlAccount);
  if (isOfControl && rawPath.startsWith(TAGS_PATH)) return addressOfArn(rawPath.slice(TAGS_PATH.length));
  const rest = rawPath.startsWith("/") ? rawPath.slice(1) : rawPath;
  if (hostBucket !== undefined) return addressOf(hostBucket, rest);
  if (rest === "") return { level: "service" };
  const slash = rest.indexOf("/");
  return addressOf(decode(slash < 0 ? rest : rest.slice(0, slash)), slash < 0 ? "" : rest.slice(slash + 1));
}

/** @throws S3Error InvalidArgument for what is not the ARN of a bucket */
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

/** The bucket of a request whose route is on the bucket level. */
export function addressedBucket(address: Address): string {
  if (address.level === "service") throw new Error("a bucket's operation was routed without a bucket");
  return address.bucket;
}

/** The snapshot that is addressed; undefined where the bucket itself is. */
export function addressedSnapshot(address: Address): string | undefined {
  return address.level === "service" ? undefined : address.snapshot;
}

/** The bucket and key of a request whose route is on the object level. */
export function addressedObject(address: Address): { readonly bucket: string; readonly key: string } {
  if (address.level !== "object") throw new Error("an object's operation was routed without a key");
  return address;
}

/**
 * Refuses what cannot be a key.
 * @throws S3Error KeyTooLongError past 1024 bytes, InvalidURI for NUL, which neither XML nor SQL's text functions can hold
 */
export function checkKey(key: string): void {
  const size = utf8Length(key);
  if (size > KEY_MAX_BYTES) throw new S3Error("KeyTooLongError", { Size: size, MaxSizeAllowed: KEY_MAX_BYTES });
  if (key.includes("\0")) throw new S3Error("InvalidURI", { URI: key.replaceAll("\0", "%00") });
}

function decode(raw: string): string {
  const text = decodeText("path", raw);
  if (text === undefined) throw new S3Error("InvalidURI", { URI: raw.slice(0, 1024) });
  return text;
}
