// Shared by all listings: their parameters, continuation tokens, common prefixes, and the encoding of keys.
import { digest } from "../../bytes/digest.ts";
import { fromBase64Url, toBase64Url } from "../../bytes/hex-base64.ts";
import { compareUtf8, decodeUtf8, successorOf, successorOfPrefix, utf8 } from "../../bytes/text.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import { invalidArgument } from "../core/s3-error.ts";
import type { Query } from "../core/query.ts";
import type { ListingEntry } from "../objects/stored-object.ts";

/** The most entries of a page, even if a client requests more. */
export const PAGE_MAX_ENTRIES = 1000;

/** The keys to list. With a delimiter, keys are grouped into common prefixes. */
export interface ListingScope {
  readonly prefix: string;
  readonly delimiter: string;
}

/** A page to read: up to `limit` entries from a key on (inclusive, in byte order). */
export interface ListingPage extends ListingScope {
  readonly from: string;
  readonly limit: number;
  /** Undefined for the bucket itself. */
  readonly snapshot?: string | undefined;
}

/**
 * Reads a page size such as `max-keys`.
 * @returns the number as sent, which the response echoes, or 1000
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

/** Reads `encoding-type`. @throws S3Error InvalidArgument for an encoding other than `url` */
export function readEncodingType(query: Query): "url" | undefined {
  const text = query.get("encoding-type");
  if (text === undefined || text === "") return undefined;
  if (text !== "url") throw invalidArgument("encoding-type", text, "Invalid Encoding Method specified in Request");
  return "url";
}

/** Reads prefix and delimiter. An empty delimiter means none. */
export function readScope(query: Query): ListingScope {
  return { prefix: query.get("prefix") ?? "", delimiter: query.get("delimiter") ?? "" };
}

const NEEDS_NO_ENCODING = /^[\w\-.~/]*$/;

/** A key in a listing: percent-encoded except `/` if the client requested it. */
export function encodeListed(text: string, encodingType: "url" | undefined): string {
  return encodingType === "url" && !NEEDS_NO_ENCODING.test(text) ? uriEncode(text, true) : text;
}

/**
 * The start of the page after a marker: the next key, or the end of the marker's common prefix, which the previous page
 * already listed.
 * @returns the least key of the page, or undefined if no key can follow the marker
 */
function startAfter(marker: string, scope: ListingScope, snapshot: string | undefined): string | undefined {
  const shown = commonPrefixOf(marker, scope);
  // A page of a snapshot may end inside a common prefix without having listed it.
  const isShown = shown !== undefined && (snapshot === undefined || shown === marker);
  return isShown ? successorOfPrefix(shown) : successorOf(marker);
}

/**
 * The page of up to `maxKeys` entries after a marker ("" for the first page).
 * @param snapshot the listed snapshot; undefined for the bucket itself
 */
export function pageAfter(marker: string, scope: ListingScope, maxKeys: number, snapshot?: string): ListingPage {
  const after = marker === "" ? "" : startAfter(marker, scope, snapshot);
  const limit = after === undefined ? 0 : Math.min(maxKeys, PAGE_MAX_ENTRIES);
  const from = after === undefined || compareUtf8(after, scope.prefix) < 0 ? scope.prefix : after;
  return { ...scope, from, limit, snapshot };
}

/** The position before a page of entries that are ordered by key and id. */
export interface EntryPosition {
  readonly afterKey: string;
  /** "" sorts before every id of the key. */
  readonly afterId: string;
}

// Ids contain only digits and lower-case letters, so this sorts after all of them.
const LAST_ID = "~";

/**
 * The position after a marker: after one id of a key, after all ids of a key, or after the marker's common prefix.
 * @param idMarker undefined for a marker without an id
 */
export function entriesAfter(keyMarker: string, idMarker: string | undefined, scope: ListingScope): EntryPosition {
  const shown = keyMarker === "" ? undefined : commonPrefixOf(keyMarker, scope);
  if (shown !== undefined) {
    // The prefix followed by the greatest possible key sorts after all keys with the prefix.
    const past = successorOfPrefix(shown) ?? shown + "\u{10ffff}".repeat(256);
    return { afterKey: past, afterId: "" };
  }
  if (keyMarker === "" || compareUtf8(keyMarker, scope.prefix) < 0) return { afterKey: scope.prefix, afterId: "" };
  return { afterKey: keyMarker, afterId: idMarker ?? LAST_ID };
}

/** The last entry of a page, after which the next page continues. */
export function lastListed(entries: readonly ListingEntry[]): string | undefined {
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  return "commonPrefix" in last ? last.commonPrefix : last.object.key;
}

/** The common prefix of a key, or undefined if the key is listed itself. */
export function commonPrefixOf(key: string, { prefix, delimiter }: ListingScope): string | undefined {
  if (delimiter === "" || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

const TOKEN_CHECK_BYTES = 12;

/**
 * Makes a continuation token: the last listed entry, and a digest that detects garbled tokens and tokens of other
 * listings. The digest needs no secret, because a token grants no more than `start-after` does.
 * @param listing the properties of the listing: bucket, prefix, delimiter
 */
export async function makeToken(last: string, listing: readonly string[]): Promise<string> {
  const text = utf8(last);
  const token = new Uint8Array(TOKEN_CHECK_BYTES + text.length);
  token.set(await tokenCheck(last, listing));
  token.set(text, TOKEN_CHECK_BYTES);
  return toBase64Url(token);
}

/** Reads the last listed entry from a token. @throws S3Error InvalidArgument */
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
