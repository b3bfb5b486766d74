// A bucket's quota, Cairn's own (docs/quotas.md): its limits on stored bytes and objects, and on the rates of requests.
// Parses the document of PutBucketQuota and renders it.
import { element, optionalElement, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { isLimited, parseLimit, parseRate, RATE_KINDS, type RateKind, type Rates } from "../core/rates.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

/** The limits; at least one is set. */
export interface BucketQuota {
  readonly maxBytes?: number | undefined;
  /** Versions, without delete markers. */
  readonly maxObjects?: number | undefined;
  readonly rates?: Rates | undefined;
  /** The rates of requests without credentials, which then do not count in `rates`. */
  readonly anonymousRates?: Rates | undefined;
}

const RATE_ELEMENTS: Readonly<Record<RateKind, string>> = {
  requests: "MaxRequestsPerSecond",
  bytesIn: "MaxBytesInPerSecond",
  bytesOut: "MaxBytesOutPerSecond",
};
const RATE_NAMES = Object.values(RATE_ELEMENTS);
const ANONYMOUS = "Anonymous";

/** Reads the stored form; undefined for none. */
export function quotaFromText(text: string | null): BucketQuota | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as BucketQuota);
}

/** Whether a quota limits what the bucket stores, so that it is counted. */
export function limitsStorage({ maxBytes, maxObjects }: BucketQuota): boolean {
  return maxBytes !== undefined || maxObjects !== undefined;
}

/** Parses a QuotaConfiguration. @throws S3Error MalformedXML */
export function parseBucketQuota(document: Uint8Array): BucketQuota {
  const root = parseDocument(document, "QuotaConfiguration");
  // A document that GetBucketQuota returned may be sent back.
  const children = singleChildren(root, ["MaxBytes", "MaxObjects", ...RATE_NAMES, ANONYMOUS, "Stored"]);
  const anonymous = children.get(ANONYMOUS);
  const rates = ratesIn(children);
  const anonymousRates = anonymous === undefined ? undefined : ratesIn(singleChildren(anonymous, RATE_NAMES));
  if (anonymousRates !== undefined && !isLimited(anonymousRates)) throw new S3Error("MalformedXML");
  const quota: BucketQuota = {
    maxBytes: numberIn(children, "MaxBytes", parseLimit),
    maxObjects: numberIn(children, "MaxObjects", parseLimit),
    rates: isLimited(rates) ? rates : undefined,
    anonymousRates,
  };
  if (Object.values(quota).every((limit) => limit === undefined)) throw new S3Error("MalformedXML");
  return quota;
}

type Children = ReadonlyMap<string, XmlNode>;

function ratesIn(children: Children): Rates {
  return Object.fromEntries(RATE_KINDS.map((kind) => [kind, numberIn(children, RATE_ELEMENTS[kind], parseRate)]));
}

/** @throws S3Error MalformedXML */
function numberIn(children: Children, name: string, parse: (text: string) => number | undefined): number | undefined {
  const child = children.get(name);
  if (child === undefined) return undefined;
  const value = child.children.length === 0 ? parse(child.text.trim()) : undefined;
  if (value !== undefined) return value;
  const least = parse === parseRate ? "at least 1, a second" : "at least 0";
  throw new S3Error("MalformedXML", {}, `${name} must be a whole number, ${least}.`);
}

/** The document of a quota, with what the bucket stores if that is limited. */
export function bucketQuotaElement(
  quota: BucketQuota,
  stored: { readonly bytes: number; readonly objects: number; readonly isCounted: boolean },
): XmlElement {
  const { maxBytes, maxObjects, rates = {}, anonymousRates } = quota;
  return element(
    "QuotaConfiguration",
    [
      optionalElement("MaxBytes", maxBytes),
      optionalElement("MaxObjects", maxObjects),
      ...rateElements(rates),
      ...(anonymousRates === undefined ? [] : [element(ANONYMOUS, rateElements(anonymousRates))]),
      ...(limitsStorage(quota)
        ? [
            element("Stored", [
              element("State", stored.isCounted ? "Enforced" : "Counting"),
              element("Bytes", stored.bytes),
              element("Objects", stored.objects),
            ]),
          ]
        : []),
    ],
    { xmlns: S3_NAMESPACE },
  );
}

function rateElements(rates: Rates): XmlElement[] {
  return RATE_KINDS.flatMap((kind) => {
    const rate = rates[kind];
    return rate === undefined ? [] : [element(RATE_ELEMENTS[kind], rate)];
  });
}
