// Lifecycle rules in the form that the console edits, their XML, and the preview of what they would do.
import { getXml } from "./buckets.ts";
import type { Connection } from "./connection.ts";
import { bucketPath } from "./paths.ts";
import { childOf, childrenOf, optionalText, parseXml, s3Document, tag, textOf } from "./xml.ts";

/** A rule as the form edits it. Numbers are texts; an empty text omits the action. */
export interface LifecycleRule {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly prefix: string;
  readonly expireDays: string;
  readonly removesMarkers: boolean;
  readonly noncurrentDays: string;
  /** Newer noncurrent versions that stay. */
  readonly keptVersions: string;
  readonly transitionDays: string;
  readonly abortDays: string;
}

export const NEW_RULE: LifecycleRule = {
  id: "",
  isEnabled: true,
  prefix: "",
  expireDays: "",
  removesMarkers: false,
  noncurrentDays: "",
  keptVersions: "",
  transitionDays: "",
  abortDays: "",
};

/** The class of transitions that the form writes: R2's Infrequent Access. */
const COLD_CLASS = "STANDARD_IA";

/** The elements of a rule that the form supports, as paths of names. A rule with others is edited as XML. */
const KNOWN_PATHS = new Set([
  "ID",
  "Status",
  "Prefix",
  "Filter",
  "Filter/Prefix",
  "Expiration",
  "Expiration/Days",
  "Expiration/ExpiredObjectDeleteMarker",
  "NoncurrentVersionExpiration",
  "NoncurrentVersionExpiration/NoncurrentDays",
  "NoncurrentVersionExpiration/NewerNoncurrentVersions",
  "Transition",
  "Transition/Days",
  "Transition/StorageClass",
  "AbortIncompleteMultipartUpload",
  "AbortIncompleteMultipartUpload/DaysAfterInitiation",
]);

/** The rules of a document; undefined if it has an element that the form does not support. */
export function rulesIn(text: string): LifecycleRule[] | undefined {
  const rules = childrenOf(parseXml(text), "Rule");
  const isSimple = rules.every(
    (rule) =>
      pathsOf(rule).every((path) => KNOWN_PATHS.has(path)) &&
      new Set(pathsOf(rule)).size === pathsOf(rule).length &&
      ["", COLD_CLASS].includes(textOf(rule, "Transition", "StorageClass")),
  );
  return isSimple ? rules.map(ruleOf) : undefined;
}

function ruleOf(rule: Element): LifecycleRule {
  return {
    id: textOf(rule, "ID"),
    isEnabled: textOf(rule, "Status") === "Enabled",
    prefix: optionalText(rule, "Filter", "Prefix") ?? textOf(rule, "Prefix"),
    expireDays: textOf(rule, "Expiration", "Days"),
    removesMarkers: textOf(rule, "Expiration", "ExpiredObjectDeleteMarker") === "true",
    noncurrentDays: textOf(rule, "NoncurrentVersionExpiration", "NoncurrentDays"),
    keptVersions: textOf(rule, "NoncurrentVersionExpiration", "NewerNoncurrentVersions"),
    transitionDays: textOf(rule, "Transition", "Days"),
    abortDays: textOf(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
  };
}

function pathsOf(element: Element, before = ""): string[] {
  const paths: string[] = [];
  for (const child of Array.from(element.children)) {
    const path = `${before}${child.localName}`;
    paths.push(path, ...pathsOf(child, `${path}/`));
  }
  return paths;
}

/** The document of rules. */
export function lifecycleDocument(rules: readonly LifecycleRule[]): string {
  return s3Document("LifecycleConfiguration", rules.map(ruleElement));
}

function ruleElement(rule: LifecycleRule) {
  const { id, isEnabled, prefix, expireDays, removesMarkers, noncurrentDays, keptVersions, transitionDays, abortDays } =
    rule;
  return tag("Rule", [
    optionalTag("ID", id),
    tag("Filter", tag("Prefix", prefix)),
    tag("Status", isEnabled ? "Enabled" : "Disabled"),
    transitionDays === ""
      ? undefined
      : tag("Transition", [tag("Days", transitionDays), tag("StorageClass", COLD_CLASS)]),
    expireDays === "" && !removesMarkers
      ? undefined
      : tag("Expiration", expireDays === "" ? tag("ExpiredObjectDeleteMarker", true) : tag("Days", expireDays)),
    noncurrentDays === ""
      ? undefined
      : tag("NoncurrentVersionExpiration", [
          tag("NoncurrentDays", noncurrentDays),
          optionalTag("NewerNoncurrentVersions", keptVersions),
        ]),
    abortDays === "" ? undefined : tag("AbortIncompleteMultipartUpload", tag("DaysAfterInitiation", abortDays)),
  ]);
}

function optionalTag(name: string, text: string) {
  return text === "" ? undefined : tag(name, text);
}

/** Whether a rule does anything. */
export function isEffective({
  expireDays,
  removesMarkers,
  noncurrentDays,
  transitionDays,
  abortDays,
}: LifecycleRule): boolean {
  return removesMarkers || [expireDays, noncurrentDays, transitionDays, abortDays].some((days) => days !== "");
}

export const ACTION_TYPES = [
  "Delete",
  "CreateDeleteMarker",
  "DeleteVersion",
  "DeleteMarkerRemoval",
  "Transition",
  "AbortMultipartUpload",
] as const;
export type ActionType = (typeof ACTION_TYPES)[number];

export interface PreviewedAction {
  readonly type: ActionType;
  readonly ruleId: string;
  readonly key: string;
  /** The version or the upload. */
  readonly id: string;
  /** Undefined for uploads. */
  readonly bytes: number | undefined;
  readonly neverPaysOff: boolean;
}

export interface PreviewPage {
  readonly actions: readonly PreviewedAction[];
  readonly examined: number;
  readonly nextToken: string | undefined;
}

/** The actions of the stored rules on a day. */
export async function previewLifecycle(
  connection: Connection,
  bucket: string,
  { day, prefix, token }: { readonly day: string; readonly prefix?: string; readonly token?: string | undefined },
): Promise<PreviewPage> {
  const query = {
    lifecycle: "",
    "dry-run": day,
    prefix: prefix === "" ? undefined : prefix,
    "continuation-token": token,
  };
  const root = await getXml(connection, bucketPath(bucket), query);
  return {
    examined: Number(textOf(root, "Examined")),
    nextToken: optionalText(root, "NextContinuationToken"),
    actions: childrenOf(root, "Action").map((action) => ({
      type: ACTION_TYPES.find((type) => type === textOf(action, "Type")) ?? "Delete",
      ruleId: textOf(action, "RuleID"),
      key: textOf(action, "Key"),
      id: textOf(action, "VersionId") || textOf(action, "UploadId"),
      bytes: childOf(action, "Size") === undefined ? undefined : Number(textOf(action, "Size")),
      neverPaysOff: textOf(action, "NeverPaysOff") === "true",
    })),
  };
}
