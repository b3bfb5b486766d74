// The Object Lock configuration of a bucket: its document, and its stored form, which contains the default retention.
import { element, type XmlElement } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { S3Error, S3_NAMESPACE } from "../core/s3-error.ts";
import { isRetentionMode, type LegalHold, type ObjectLock, type Retention, type RetentionMode } from "./object-lock.ts";

/** The retention of new versions that request none: a number of days or of calendar years from their commit. */
export type DefaultRetention = { readonly mode: RetentionMode } & (
  | { readonly days: number }
  | { readonly years: number }
);

/** An enabled Object Lock. */
export interface ObjectLockConfiguration {
  readonly defaultRetention: DefaultRetention | undefined;
}

const MAX_PERIODS = { Days: 36_500, Years: 100 };
const DAY_MS = 86_400_000;

/**
 * Parses an ObjectLockConfiguration. A document without a rule sets no default retention.
 * @throws S3Error MalformedXML, InvalidRetentionPeriod
 */
export function parseObjectLockConfiguration(document: Uint8Array): ObjectLockConfiguration {
  const root = singleChildren(parseDocument(document, "ObjectLockConfiguration"), ["ObjectLockEnabled", "Rule"]);
  if (root.get("ObjectLockEnabled")?.text.trim() !== "Enabled") throw new S3Error("MalformedXML");
  const rule = root.get("Rule");
  if (rule === undefined) return { defaultRetention: undefined };
  const retention = singleChildren(rule, ["DefaultRetention"]).get("DefaultRetention");
  if (retention === undefined) throw new S3Error("MalformedXML");
  const fields = singleChildren(retention, ["Mode", "Days", "Years"]);
  const mode = fields.get("Mode")?.text.trim();
  const days = fields.get("Days")?.text.trim();
  const years = fields.get("Years")?.text.trim();
  if (!isRetentionMode(mode) || (days === undefined) === (years === undefined)) throw new S3Error("MalformedXML");
  if (days !== undefined) return { defaultRetention: { mode, days: readPeriod("Days", days) } };
  return { defaultRetention: { mode, years: readPeriod("Years", years ?? "") } };
}

/** @throws S3Error MalformedXML, InvalidRetentionPeriod */
function readPeriod(unit: keyof typeof MAX_PERIODS, text: string): number {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw new S3Error("MalformedXML");
  const period = Number(text);
  if (period < 1) {
    throw new S3Error("InvalidRetentionPeriod", {}, "Default retention period must be a positive integer value.");
  }
  if (period > MAX_PERIODS[unit]) {
    const message = `Default retention period is too large: at most ${MAX_PERIODS[unit]} ${unit.toLowerCase()}.`;
    throw new S3Error("InvalidRetentionPeriod", {}, message);
  }
  return period;
}

/** The stored form of a configuration. SQL reads the default retention from it: see state/commit/object-lock.ts. */
export function objectLockText({ defaultRetention }: ObjectLockConfiguration): string {
  return JSON.stringify(defaultRetention === undefined ? {} : { default: defaultRetention });
}

/** Reads the stored form; undefined if Object Lock is not enabled. */
export function objectLockFromText(text: string | null): ObjectLockConfiguration | undefined {
  if (text === null) return undefined;
  // objectLockText writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const stored = JSON.parse(text) as { readonly default?: DefaultRetention };
  return { defaultRetention: stored.default };
}

export function objectLockElement({ defaultRetention }: ObjectLockConfiguration): XmlElement {
  const enabled = element("ObjectLockEnabled", "Enabled");
  if (defaultRetention === undefined) {
    return element("ObjectLockConfiguration", [enabled], { xmlns: S3_NAMESPACE });
  }
  const period =
    "days" in defaultRetention ? element("Days", defaultRetention.days) : element("Years", defaultRetention.years);
  const retention = element("DefaultRetention", [element("Mode", defaultRetention.mode), period]);
  return element("ObjectLockConfiguration", [enabled, element("Rule", [retention])], { xmlns: S3_NAMESPACE });
}

/** The retention that a default one results in from a time on (milliseconds since the epoch). */
function retentionFrom(defaultRetention: DefaultRetention, from: number): Retention {
  const { mode } = defaultRetention;
  if ("days" in defaultRetention) return { mode, retainUntil: from + defaultRetention.days * DAY_MS };
  const date = new Date(from);
  date.setUTCFullYear(date.getUTCFullYear() + defaultRetention.years);
  return { mode, retainUntil: date.getTime() };
}

/** The lock of a version that a bucket commits at a time, as the commit's SQL sets it. */
export function lockAtCommit(requested: ObjectLock, objectLock: string | null, committedAt: number): ObjectLock {
  const { retention, legalHold } = requested;
  const defaultRetention = objectLockFromText(objectLock)?.defaultRetention;
  if (retention !== undefined || defaultRetention === undefined) return { retention, legalHold };
  return { retention: retentionFrom(defaultRetention, committedAt), legalHold };
}

/** The lock of a version as recovery metadata has it. A bucket without Object Lock writes none. */
export interface LockRecord {
  readonly retention?: Retention | undefined;
  readonly legalHold?: LegalHold | undefined;
  /** The bucket's default retention, which applies from the commit on unless there is another. */
  readonly default?: DefaultRetention | undefined;
}

/** The record of a version that an upload with this lock becomes; undefined in a bucket without Object Lock. */
export function lockRecord({ retention, legalHold }: ObjectLock, objectLock: string | null): LockRecord | undefined {
  const configuration = objectLockFromText(objectLock);
  return configuration && { retention, legalHold, default: configuration.defaultRetention };
}

/** The lock that a record describes, for a version that was stored at a time (milliseconds since the epoch). */
export function lockOfRecord(record: LockRecord | undefined, storedAt: number): ObjectLock {
  const { retention, legalHold } = record ?? {};
  if (retention !== undefined || record?.default === undefined) return { retention, legalHold };
  return { retention: retentionFrom(record.default, storedAt), legalHold };
}

/** Until when a lock protects a version, in milliseconds since the epoch; undefined: not at all. */
export function protectedUntil({ retention, legalHold }: ObjectLock): number | undefined {
  return legalHold === "ON" ? Number.MAX_SAFE_INTEGER : retention?.retainUntil;
}
