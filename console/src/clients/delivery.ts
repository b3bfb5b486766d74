// The delivery hosts of a bucket, as its configuration has them.
import { childrenOf, parseXml, textOf } from "./xml.ts";

export interface Delivery {
  readonly isSet: boolean;
  readonly hosts: readonly string[];
  /** The prefix of all keys that the hosts deliver. */
  readonly prefix: string;
  readonly cleanUrls: boolean;
}

/** Reads the document of GetBucketDelivery; undefined: the bucket has none. */
export function deliveryIn(text: string | undefined): Delivery {
  const root = text === undefined ? undefined : parseXml(text);
  return {
    isSet: text !== undefined,
    hosts: childrenOf(root, "Host").map(({ textContent }) => textContent ?? ""),
    prefix: textOf(root, "Prefix"),
    cleanUrls: textOf(root, "CleanUrls") === "true",
  };
}
