// The place that the doctor's requests go to, and what the checks do there: store an object, read it, describe an answer.
import type { Wire, WireAnswer, WireRequest } from "./wire.ts";

export interface Place {
  readonly wire: Wire;
  readonly bucket: string;
  /** A prefix of keys that nothing else uses. */
  readonly prefix: string;
  /** The size of the largest body to try, in bytes. */
  readonly largest: number;
}

export function target({ bucket, prefix }: Place, key: string): string {
  return `/${bucket}/${prefix}${key}`;
}

export async function put(
  place: Place,
  key: string,
  body: Buffer,
  headers: WireRequest["headers"] = {},
): Promise<WireAnswer> {
  return place.wire.send({ method: "PUT", target: target(place, key), body, headers });
}

export async function get(
  place: Place,
  key: string,
  headers: WireRequest["headers"] = {},
  method = "GET",
): Promise<WireAnswer> {
  return place.wire.send({ method, target: target(place, key), headers });
}

/** Whether an answer has these bytes. What answers in the Worker's place may have any status, and has others. */
export function hasBytes({ status, body }: WireAnswer, expected: Buffer): boolean {
  return status === 200 && body.equals(expected);
}

/** Whether an answer is that of a stored object. */
export function isStored({ status, headers }: WireAnswer): boolean {
  return status === 200 && headers.etag !== undefined;
}

export function codeOf({ body }: WireAnswer): string {
  return /<Code>(.*?)<\/Code>/.exec(body.toString())?.[1] ?? "no code";
}

export function isHtml({ headers, body }: WireAnswer): boolean {
  return String(headers["content-type"]).includes("html") || /^\s*<(?:!doctype html|html)/i.test(body.toString());
}

export function describe(answer: WireAnswer): string {
  if (isHtml(answer)) return `${answer.status} with a page of HTML`;
  return `${answer.status} ${answer.status >= 400 ? codeOf(answer) : "with something else"}`;
}
