// The answer of a delivery host before the gateway adds the headers of all answers.
import type { Bucket } from "../state/metadata/buckets.ts";

export interface SiteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: ReadableStream<Uint8Array> | string | undefined;
  /** The code of the error that the answer reports. */
  readonly errorCode?: string;
  /** Undefined if the host has no bucket. */
  readonly bucket?: Bucket | undefined;
}

/** The headers that say how old an answer is, and how old it could have become. */
export function stalenessHeaders(ageMs: number, boundMs: number): Record<string, string> {
  return {
    age: String(Math.max(0, Math.floor(ageMs / 1000))),
    "x-cairn-staleness-bound": String(Math.ceil(boundMs / 1000)),
  };
}
