// The delivery hosts of a bucket, as its configuration has them.
import { childrenOf, parseXml, textOf } from "./xml.ts";

export interface Delivery {
  readonly isSet: boolean;
  readonly hosts: readonly string[];
  /** What all keys that the hosts deliver begin with. */
  readonly prefix: string;
  readonly cleanUrls: boolean;
}

/** Reads the document of GetBucketDelivery; undefined stands for a bucket without one. */
export function deliveryIn(text: string | undefined): Delivery {
  const root = text === undefined ? undefined : parseXml(text);
  return {
    isSet: text !== undefined,
    hosts: childrenOf(root, "Host").map(({ textContent }) => textContent ?? ""),
    prefix: textOf(root, "Prefix"),
    cleanUrls: textOf(root, "CleanUrls") === "true",
  };
}
