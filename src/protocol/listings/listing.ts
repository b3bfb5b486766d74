// What the listings share: their parameters, their tokens, and how keys are written in them.
import { digest } from "../../bytes/digest.ts";
import { fromBase64Url, toBase64Url } from "../../bytes/hex-base64.ts";
import { compareUtf8, decodeUtf8, successorOf, successorOfPrefix, utf8 } from "../../bytes/text.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import { invalidArgument } from "../core/s3-error.ts";
import type { Query } from "../core/query.ts";
import type { ListingEntry } from "../objects/stored-object.ts";

/** The most entries on a page, whatever a client asks for. */
export const PAGE_MAX_ENTRIES = 1000;

/** What to list: keys with a prefix, those that share what comes before a delimiter rolled up into one. */
export interface ListingScope {
  readonly prefix: string;
  readonly delimiter: string;
}

/** A page to read: from a text on (inclusive, in byte order), so many entries. */
export interface ListingPage extends ListingScope {
  readonly from: string;
  readonly limit: number;
  /** Undefined for what the bucket holds now. */
  readonly snapshot?: string | undefined;
}

/**
 * Reads a page size such as `max-keys`.
 * @returns the number as sent, for the answer to echo, or 1000
 * @throws S3Error InvalidArgument
 */
export function readPageSize(query: Query, name: string): number {
  const text = query.get(name);
  if (text === undefined || text === "") return PAGE_MAX_ENTRIES;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 0x7fffffff)) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
  }
  return value;
}

/** Whether keys are to be percent-encoded. @throws S3Error InvalidArgument for an encoding other than `url` */
export function readEncodingType(query: Query): "url" | undefined {
  const text = query.get("encoding-type");
  if (text === undefined || text === "") return undefined;
  if (text !== "url") throw invalidArgument("encoding-type", text, "Invalid Encoding Method specified in Request");
  return "url";
}

/** Prefix and delimiter; an empty delimiter is none. */
export function readScope(query: Query): ListingScope {
  return { prefix: query.get("prefix") ?? "", delimiter: query.get("delimiter") ?? "" };
}

/** A key as a listing shows it: form-encoded with `/` kept where that was asked for. */
export function encodeListed(text: string, encodingType: "url" | undefined): string {
  return encodingType === "url" ? uriEncode(text, true) : text;
}

/**
 * Where a page begins that comes after a marker: after that key, or, where the key lies in a common prefix, after all
 * of that prefix, which counts as shown.
 * @returns the least key of the page, or undefined where nothing can come after the marker
 */
function startAfter(marker: string, scope: ListingScope, snapshot: string | undefined): string | undefined {
  const shown = commonPrefixOf(marker, scope);
  // A page of a snapshot may end within a common prefix before anything of it was found to show.
  const isShown = shown !== undefined && (snapshot === undefined || shown === marker);
  return isShown ? successorOfPrefix(shown) : successorOf(marker);
}

/**
 * The page that comes after a marker ("" for the beginning) and holds up to `maxKeys` entries.
 * @param snapshot the snapshot that is listed, if one is
 */
export function pageAfter(marker: string, scope: ListingScope, maxKeys: number, snapshot?: string): ListingPage {
  const after = marker === "" ? "" : startAfter(marker, scope, snapshot);
  const limit = after === undefined ? 0 : Math.min(maxKeys, PAGE_MAX_ENTRIES);
  const from = after === undefined || compareUtf8(after, scope.prefix) < 0 ? scope.prefix : after;
  return { ...scope, from, limit, snapshot };
}

/** Where a page of entries ordered by key and id begins: after this key and id. */
export interface EntryPosition {
  readonly afterKey: string;
  /** "" comes before every id of the key. */
  readonly afterId: string;
}

// Every id is made of digits and lower-case letters, so this sorts after all of a key's.
const LAST_ID = "~";

/**
 * The position after a marker: after one id of a key, after all of a key's, or after the common prefix that it lies in.
 * @param idMarker undefined for a marker that is a key alone
 */
export function entriesAfter(keyMarker: string, idMarker: string | undefined, scope: ListingScope): EntryPosition {
  const shown = keyMarker === "" ? undefined : commonPrefixOf(keyMarker, scope);
  if (shown !== undefined) {
    // Past everything that begins with the prefix: keys have at most 256 code points of the greatest kind.
    const past = successorOfPrefix(shown) ?? shown + "\u{10ffff}".repeat(256);
    return { afterKey: past, afterId: "" };
  }
  if (keyMarker === "" || compareUtf8(keyMarker, scope.prefix) < 0) return { afterKey: scope.prefix, afterId: "" };
  return { afterKey: keyMarker, afterId: idMarker ?? LAST_ID };
}

/** The last entry of a page, where the next one continues. */
export function lastListed(entries: readonly ListingEntry[]): string | undefined {
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  return "commonPrefix" in last ? last.commonPrefix : last.object.key;
}

/** The common prefix that a key rolls up into, or undefined where it is listed by itself. */
export function commonPrefixOf(key: string, { prefix, delimiter }: ListingScope): string | undefined {
  if (delimiter === "" || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

const TOKEN_CHECK_BYTES = 12;

/**
 * A continuation token: the last entry shown, sealed to the listing it belongs to. It grants nothing that `start-after`
 * would not, so the seal is a digest and no secret; it catches tokens that are garbled or of another listing.
 * @param listing what the token belongs to: bucket, prefix, delimiter
 */
export async function makeToken(last: string, listing: readonly string[]): Promise<string> {
  const text = utf8(last);
  const token = new Uint8Array(TOKEN_CHECK_BYTES + text.length);
  token.set(await tokenCheck(last, listing));
  token.set(text, TOKEN_CHECK_BYTES);
  return toBase64Url(token);
}

/** The last entry shown before a token's page. @throws S3Error InvalidArgument */
export async function readToken(token: string, listing: readonly string[]): Promise<string> {
  const bytes = fromBase64Url(token);
  const last = bytes === undefined ? undefined : decodeUtf8(bytes.subarray(TOKEN_CHECK_BYTES));
  if (last === undefined || (await makeToken(last, listing)) !== token) {
    throw invalidArgument("continuation-token", token, "The continuation token provided is incorrect");
  }
  return last;
}

async function tokenCheck(last: string, listing: readonly string[]): Promise<Uint8Array> {
  const whole = await digest("SHA-256", utf8(JSON.stringify(["cairn token", ...listing, last])));
  return whole.subarray(0, TOKEN_CHECK_BYTES);
}
