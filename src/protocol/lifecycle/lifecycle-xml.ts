// Writes lifecycle configurations as XML. The same configuration always yields the same document.
import { formatIsoDate } from "../../bytes/dates.ts";
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import type {
  Expiration,
  LifecycleConfiguration,
  LifecycleFilter,
  LifecycleRule,
  NoncurrentExpiration,
  DaysOrDate,
} from "./lifecycle.ts";
import { S3_NAMESPACE } from "../core/s3-error.ts";

/** The document of a configuration. */
export function lifecycleElement({ rules }: LifecycleConfiguration): XmlElement {
  return element("LifecycleConfiguration", rules.map(ruleElement), { xmlns: S3_NAMESPACE });
}

function ruleElement(rule: LifecycleRule): XmlElement {
  const { id, isEnabled, filter, expiration, transitions, noncurrentExpiration, noncurrentTransitions } = rule;
  return element("Rule", [
    element("ID", id),
    filter.form === "prefix" ? element("Prefix", filter.prefix ?? "") : filterElement(filter),
    element("Status", isEnabled ? "Enabled" : "Disabled"),
    ...transitions.map((transition) =>
      element("Transition", [daysOrDateElement(transition), element("StorageClass", transition.storageClass)]),
    ),
    expiration === undefined ? undefined : element("Expiration", [expirationElement(expiration)]),
    ...noncurrentTransitions.map((transition) =>
      element("NoncurrentVersionTransition", [
        ...noncurrentElements(transition),
        element("StorageClass", transition.storageClass),
      ]),
    ),
    noncurrentExpiration === undefined
      ? undefined
      : element("NoncurrentVersionExpiration", noncurrentElements(noncurrentExpiration)),
    rule.abortAfterDays === undefined
      ? undefined
      : element("AbortIncompleteMultipartUpload", [element("DaysAfterInitiation", rule.abortAfterDays)]),
  ]);
}

function filterElement({ form, prefix, tags, sizeGreaterThan, sizeLessThan }: LifecycleFilter): XmlElement {
  const predicates = [
    optionalElement("Prefix", prefix),
    ...tags.map(({ key, value }) => element("Tag", [element("Key", key), element("Value", value)])),
    optionalElement("ObjectSizeGreaterThan", sizeGreaterThan),
    optionalElement("ObjectSizeLessThan", sizeLessThan),
  ].filter((predicate) => predicate !== undefined);
  return element("Filter", form === "and" ? [element("And", predicates)] : predicates);
}

function expirationElement(expiration: Expiration): XmlElement {
  return "isForMarkers" in expiration
    ? element("ExpiredObjectDeleteMarker", expiration.isForMarkers)
    : daysOrDateElement(expiration);
}

function daysOrDateElement(timing: DaysOrDate): XmlElement {
  return "days" in timing ? element("Days", timing.days) : element("Date", formatIsoDate(timing.date));
}

function noncurrentElements({ noncurrentDays, newerVersions }: NoncurrentExpiration): (XmlElement | undefined)[] {
  return [element("NoncurrentDays", noncurrentDays), optionalElement("NewerNoncurrentVersions", newerVersions)];
}
