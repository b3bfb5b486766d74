// Paths of buckets and objects, in path style.
import { encodeText } from "./connection.ts";
import { UnreachableKey } from "./failures.ts";

export function bucketPath(bucket: string): string {
  return `/${encodeText(bucket)}`;
}

/** @throws UnreachableKey */
export function objectPath(bucket: string, key: string): string {
  if (!isReachable(key)) throw new UnreachableKey(key);
  return `${bucketPath(bucket)}/${keyPath(key)}`;
}

/** Encodes a key as a part of a path. */
export function keyPath(key: string): string {
  return key.split("/").map(encodeText).join("/");
}

/** Whether a URL of a browser can address a key: browsers resolve the segments `.` and `..`, also encoded ones. */
export function isReachable(key: string): boolean {
  return key !== "" && !key.split("/").some((segment) => segment === "." || segment === "..");
}

/** Decodes a key of a listing that was asked for with `encoding-type=url`. */
export function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll("+", "%20"));
}
