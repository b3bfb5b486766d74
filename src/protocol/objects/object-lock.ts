// Object Lock of a version: its retention and its legal hold, in headers of uploads and answers, and in documents.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
import { formatIsoDate, parseOffsetDate } from "../../bytes/dates.ts";
import { element, type XmlElement } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { invalidArgument, S3Error, S3_NAMESPACE } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

/** GOVERNANCE can be bypassed with a permission; COMPLIANCE is never shortened. */
export type RetentionMode = "GOVERNANCE" | "COMPLIANCE";

/** A version with a retention cannot be deleted before a time. */
export interface Retention {
  readonly mode: RetentionMode;
  /** Milliseconds since the epoch. */
  readonly retainUntil: number;
}

/** A version whose legal hold is ON cannot be deleted. */
export type LegalHold = "ON" | "OFF";

/** The lock of a version; undefined properties were never set. */
export interface ObjectLock {
  readonly retention: Retention | undefined;
  readonly legalHold: LegalHold | undefined;
}

export const NO_LOCK: ObjectLock = { retention: undefined, legalHold: undefined };

export const BYPASS_HEADER = "x-amz-bypass-governance-retention";

const MODE = "x-amz-object-lock-mode";
const RETAIN_UNTIL = "x-amz-object-lock-retain-until-date";
const LEGAL_HOLD = "x-amz-object-lock-legal-hold";
const DAY_MS = 86_400_000;

/**
 * Reads the lock that an upload requests.
 * @param now milliseconds since the epoch
 * @throws S3Error InvalidArgument
 */
export function readLockHeaders(request: S3Request, now: number): ObjectLock {
  const legalHold = requestHeader(request, LEGAL_HOLD);
  if (legalHold !== undefined && !isLegalHold(legalHold)) {
    throw invalidArgument(LEGAL_HOLD, legalHold, "Legal Hold must be either of 'ON' or 'OFF'");
  }
  return { retention: readRetention(request, now), legalHold };
}

function readRetention(request: S3Request, now: number): Retention | undefined {
  const mode = requestHeader(request, MODE);
  const until = requestHeader(request, RETAIN_UNTIL);
  if (mode === undefined && until === undefined) return undefined;
  if (mode === undefined || until === undefined) {
    const message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
    throw invalidArgument(mode === undefined ? MODE : RETAIN_UNTIL, undefined, message);
  }
  if (!isRetentionMode(mode)) throw invalidArgument(MODE, mode, "Unknown wormMode directive.");
  const retainUntil = parseOffsetDate(until.trim());
  if (retainUntil === undefined) {
    throw invalidArgument(RETAIN_UNTIL, until, "The retain until date must be provided in ISO 8601 format");
  }
  refusePast(RETAIN_UNTIL, until, retainUntil, now);
  return { mode, retainUntil };
}

/** @throws S3Error InvalidArgument unless a retention ends in the future */
export function refusePast(name: string, text: string, retainUntil: number, now: number): void {
  if (retainUntil <= now) throw invalidArgument(name, text, "The retain until date must be in the future!");
}

/**
 * Whether a request asks to bypass GOVERNANCE retentions.
 * @throws S3Error InvalidArgument for other values than true and false
 */
export function readBypass(request: S3Request): boolean {
  const value = requestHeader(request, BYPASS_HEADER)?.trim().toLowerCase();
  if (value === undefined || value === "true" || value === "false") return value === "true";
  throw invalidArgument(BYPASS_HEADER, value, `${BYPASS_HEADER} must be true or false.`);
}

/** 400 for a request about locks in a bucket without Object Lock. */
export function missingLockConfiguration(): S3Error {
  return new S3Error("InvalidRequest", {}, "Bucket is missing Object Lock Configuration");
}

/** 403 for a deletion or change that a lock prevents. */
export const LOCKED_MESSAGE = "Access Denied because object protected by object lock.";

/** The headers that show a retention in the answer of a read. */
export function retentionHeaders(retention: Retention | undefined): Record<string, string> {
  if (retention === undefined) return {};
  return { [MODE]: retention.mode, [RETAIN_UNTIL]: formatIsoDate(retention.retainUntil) };
}

/** The header that shows a legal hold in the answer of a read. */
export function legalHoldHeaders(legalHold: LegalHold | undefined): Record<string, string> {
  return legalHold === undefined ? {} : { [LEGAL_HOLD]: legalHold };
}

/**
 * The condition keys of a lock. The remaining days are rounded up.
 * @param now milliseconds since the epoch
 */
export function lockKeys({ retention, legalHold }: ObjectLock, now: number): [string, readonly string[]][] {
  const keys: [string, readonly string[]][] =
    legalHold === undefined ? [] : [["s3:object-lock-legal-hold", [legalHold]]];
  if (retention === undefined) return keys;
  const { mode, retainUntil } = retention;
  const days = Math.max(0, Math.ceil((retainUntil - now) / DAY_MS));
  return [
    ...keys,
    ["s3:object-lock-mode", [mode]],
    ["s3:object-lock-retain-until-date", [formatIsoDate(retainUntil)]],
    ["s3:object-lock-remaining-retention-days", [String(days)]],
  ];
}

/**
 * Parses a Retention document. An empty one, which removes a retention, is undefined.
 * @throws S3Error MalformedXML
 */
export function parseRetention(document: Uint8Array): Retention | undefined {
  const fields = singleChildren(parseDocument(document, "Retention"), ["Mode", "RetainUntilDate"]);
  const mode = fields.get("Mode")?.text.trim();
  const until = fields.get("RetainUntilDate")?.text.trim();
  if (mode === undefined && until === undefined) return undefined;
  const retainUntil = parseOffsetDate(until ?? "");
  if (!isRetentionMode(mode) || retainUntil === undefined) throw new S3Error("MalformedXML");
  return { mode, retainUntil };
}

export function retentionElement({ mode, retainUntil }: Retention): XmlElement {
  return element("Retention", [element("Mode", mode), element("RetainUntilDate", formatIsoDate(retainUntil))], {
    xmlns: S3_NAMESPACE,
  });
}

/** @throws S3Error MalformedXML */
export function parseLegalHold(document: Uint8Array): LegalHold {
  const status = singleChildren(parseDocument(document, "LegalHold"), ["Status"]).get("Status")?.text.trim();
  if (!isLegalHold(status)) throw new S3Error("MalformedXML");
  return status;
}

export function legalHoldElement(legalHold: LegalHold): XmlElement {
  return element("LegalHold", [element("Status", legalHold)], { xmlns: S3_NAMESPACE });
}

export function isRetentionMode(text: string | undefined): text is RetentionMode {
  return text === "GOVERNANCE" || text === "COMPLIANCE";
}

function isLegalHold(text: string | undefined): text is LegalHold {
  return text === "ON" || text === "OFF";
}
