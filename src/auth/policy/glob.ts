// Patterns with the wildcards of policies, `*` for any text and `?` for one character, and how they are matched: each
// piece between two `*` is looked for once, from left to right, and 32 places for it are tried at a time. Whatever the
// pattern and the text, the steps are bounded by the pattern's length times a 32nd of the text's.
import type { MatchText, Occurrences } from "./match-text.ts";

/** Texts with one character between one and the next. */
type Piece = readonly string[];

/** The pieces between the `*` of a pattern; without any piece it matches nothing. */
export type Glob = readonly Piece[];

/** The pattern that matches nothing. */
export const NO_TEXT: Glob = [];

/** A part of a pattern that is not text. */
export type Wildcard = "*" | "?";

/** In a shorter text every place is tried: an index would cost more than it saves. */
const INDEXED_MIN_LENGTH = 64;

/** Shared by all patterns that match everything, which are the most common of all. */
const ANY_TEXT: Glob = [[""], [""]];

/** Makes a pattern of its parts in order. */
export function globOf(parts: Iterable<{ readonly text: string } | { readonly wildcard: Wildcard }>): Glob {
  let piece = [""];
  const pieces = [piece];
  for (const part of parts) {
    if ("text" in part) piece.push((piece.pop() ?? "") + part.text);
    else if (part.wildcard === "?") piece.push("");
    else pieces.push((piece = [""]));
  }
  return pieces.length === 2 && pieces.every(([first, ...others]) => first === "" && others.length === 0)
    ? ANY_TEXT
    : pieces;
}

/** Whether the whole of a text fits a pattern. Case counts; nothing is special about `/`. */
export function matchesGlob(glob: Glob, target: MatchText): boolean {
  const [first, ...others] = glob;
  if (first === undefined) return false;
  const last = others.pop();
  const { text } = target;
  target.spend(1);
  if (first.length === 1 && (last === undefined || (last.length === 1 && others.length === 0))) {
    const [[prefix = ""], [suffix = ""]] = [first, last ?? [""]];
    target.spend(prefix.length + suffix.length);
    if (last === undefined) return text === prefix;
    return text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
  }
  return matchesPieces(target, first, others, last);
}

function matchesPieces(target: MatchText, first: Piece, middle: readonly Piece[], last: Piece | undefined): boolean {
  const { length } = target.points;
  const head = lengthOf(first);
  if (last === undefined) return head === length && isAt(target, first, 0);
  const end = length - lengthOf(last);
  if (head > end || !isAt(target, first, 0) || !isAt(target, last, end)) return false;
  let position = head;
  for (const piece of middle) {
    const size = lengthOf(piece);
    const found = find(target, piece, position, end - size);
    if (found === undefined) return false;
    position = found + size;
  }
  return true;
}

/** The characters that a piece takes. */
function lengthOf(piece: Piece): number {
  let length = piece.length - 1;
  for (const literal of piece) length += pointCount(literal);
  return length;
}

function pointCount(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index += 1) if (isLowSurrogate(text.charCodeAt(index))) count -= 1;
  return count;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Whether a piece stands at a position, with room for it after that. */
function isAt(target: MatchText, piece: Piece, start: number): boolean {
  let position = start;
  for (const literal of piece) {
    const end = endOf(target, literal, position);
    if (end === undefined) return false;
    // The character between this literal and the next.
    position = end + 1;
  }
  return true;
}

/** Where a literal ends that stands at a position; undefined where it does not stand there. */
function endOf(target: MatchText, literal: string, start: number): number | undefined {
  const { points } = target;
  let position = start;
  for (let index = 0; index < literal.length; index += 1) {
    const point = literal.codePointAt(index) ?? 0;
    target.spend(1);
    if (points[position] !== point) return undefined;
    if (point > 0xffff) index += 1;
    position += 1;
  }
  return position;
}

/** The first place of a piece that is at `from` or after it and not after `to`; undefined where there is none. */
function find(target: MatchText, piece: Piece, from: number, to: number): number | undefined {
  if (from > to) return undefined;
  if (target.points.length < INDEXED_MIN_LENGTH) return findInShort(target, piece, from, to);
  const required = requirementsOf(target, piece);
  if (required === undefined) return undefined;
  const { rarest, sets, offsets } = required;
  // A piece of `?` alone stands everywhere.
  if (rarest === undefined) return from;
  if (rarest.bits !== undefined) return findAmongMany(target, sets, offsets, from, to);
  // Fewer places than a 32nd of the text: each is tried by itself.
  for (const position of rarest.positions) {
    const start = position - rarest.offset;
    target.spend(1);
    if (start > to) return undefined;
    if (start >= from && isAt(target, piece, start)) return start;
  }
  return undefined;
}

function findInShort(target: MatchText, piece: Piece, from: number, to: number): number | undefined {
  for (let start = from; start <= to; start += 1) if (isAt(target, piece, start)) return start;
  return undefined;
}

/** What a piece requires of the text that it stands in. */
interface Requirements {
  /** Its rarest character; undefined for a piece of `?` alone. */
  readonly rarest: (Occurrences & { readonly offset: number }) | undefined;
  /** Where each of its characters stands, for those that are frequent. */
  readonly sets: readonly Uint32Array[];
  /** The distances of these characters from the piece's beginning. */
  readonly offsets: readonly number[];
}

/** What a piece requires; undefined where a character of it does not occur in the text. */
function requirementsOf(target: MatchText, piece: Piece): Requirements | undefined {
  const sets: Uint32Array[] = [];
  const offsets: number[] = [];
  let rarest: Requirements["rarest"];
  let offset = 0;
  for (const literal of piece) {
    for (let index = 0; index < literal.length; index += 1) {
      const point = literal.codePointAt(index) ?? 0;
      target.spend(1);
      const occurrences = target.occurrences(point);
      if (occurrences === undefined) return undefined;
      const { positions, bits } = occurrences;
      if (bits !== undefined) {
        sets.push(bits);
        offsets.push(offset);
      }
      if (rarest === undefined || positions.length < rarest.positions.length) rarest = { positions, bits, offset };
      if (point > 0xffff) index += 1;
      offset += 1;
    }
    offset += 1;
  }
  return { rarest, sets, offsets };
}

/** Keeps a set of 32 places in a word, and strikes out those at which a character does not stand where it must. */
function findAmongMany(
  target: MatchText,
  sets: readonly Uint32Array[],
  offsets: readonly number[],
  from: number,
  to: number,
): number | undefined {
  for (let base = from; base <= to; base += 32) {
    let places = to - base >= 31 ? -1 : (1 << (to - base + 1)) - 1;
    for (let index = 0; index < sets.length && places !== 0; index += 1) {
      places &= wordAt(sets[index], base + (offsets[index] ?? 0));
      target.spend(1);
    }
    if (places !== 0) return base + 31 - Math.clz32(places & -places);
  }
  return undefined;
}

/** The 32 bits of a set that begin at a position. */
function wordAt(bits: Uint32Array | undefined, position: number): number {
  const word = position >>> 5;
  const shift = position & 31;
  const low = (bits?.[word] ?? 0) >>> shift;
  return shift === 0 ? low : low | ((bits?.[word + 1] ?? 0) << (32 - shift));
}
