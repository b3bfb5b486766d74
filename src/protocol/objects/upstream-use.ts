// The header with which a request says whether its bucket's upstream may be asked.
import { invalidArgument } from "../core/s3-error.ts";

/**
 * A request with the value `none` is answered without asking an upstream. Cairn sends it to upstreams, so that buckets
 * whose upstreams are each other's never ask in a circle.
 */
export const UPSTREAM_HEADER = "x-cairn-upstream";
export const ASK_NO_UPSTREAM = "none";

/** Whether a request lets an upstream be asked. @throws S3Error InvalidArgument for any other value than `none` */
export function readAsksUpstream(headers: Pick<Headers, "get">): boolean {
  const value = headers.get(UPSTREAM_HEADER);
  if (value === null) return true;
  if (value === ASK_NO_UPSTREAM) return false;
  throw invalidArgument(UPSTREAM_HEADER, value.slice(0, 256), `The only value of the header is ${ASK_NO_UPSTREAM}.`);
}
