// Matches the wildcards of policies: `*` for any text and `?` for one character. Matching searches each piece between
// two `*` once, from left to right, and tests 32 positions at a time. The number of steps is at most the pattern's
// length times a 32nd of the text's length.
import type { MatchText, Occurrences } from "./match-text.ts";

/** Literals, separated by one arbitrary character each. */
type Piece = readonly string[];

/** The pieces between the `*` of a pattern; a glob without pieces matches nothing. */
export type Glob = readonly Piece[];

/** The glob that matches nothing. */
export const NO_TEXT: Glob = [];

/** A part of a pattern that is not literal text. */
export type Wildcard = "*" | "?";

/** In a shorter text every position is tried, because an index would cost more than it saves. */
const INDEXED_MIN_LENGTH = 64;

/** Shared by the patterns that match everything, which are the most common. */
const ANY_TEXT: Glob = [[""], [""]];

/** Makes a glob from its parts in order. */
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

/** Whether a glob matches a whole text. Matching is case-sensitive, and `/` is an ordinary character. */
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

/** The number of characters that a piece matches. */
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

/** Whether a piece matches at a position that leaves enough room for it. */
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

/** The end of a literal that matches at a position; undefined if it does not. */
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

/** The first position from `from` to `to` at which a piece matches; undefined if there is none. */
function find(target: MatchText, piece: Piece, from: number, to: number): number | undefined {
  if (from > to) return undefined;
  if (target.points.length < INDEXED_MIN_LENGTH) return findInShort(target, piece, from, to);
  const required = requirementsOf(target, piece);
  if (required === undefined) return undefined;
  const { rarest, sets, offsets } = required;
  // A piece of `?` alone matches everywhere.
  if (rarest === undefined) return from;
  if (rarest.bits !== undefined) return findAmongMany(target, sets, offsets, from, to);
  // The rarest character occurs at fewer than a 32nd of the positions, so each of them is tried.
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

/** What a piece requires of the text. */
interface Requirements {
  /** Its rarest character; undefined for a piece of `?` alone. */
  readonly rarest: (Occurrences & { readonly offset: number }) | undefined;
  /** The positions of its frequent characters. */
  readonly sets: readonly Uint32Array[];
  /** The distances of these characters from the start of the piece. */
  readonly offsets: readonly number[];
}

/** What a piece requires; undefined if the text lacks one of its characters. */
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

/** Tests 32 positions at a time: a word has one bit for each, which a missing character clears. */
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
