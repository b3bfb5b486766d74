// Patterns with the wildcards of policies, `*` for any text and `?` for one character, and how they are matched: each
// piece between two `*` is looked for once, from left to right, so nothing is ever tried again.

/** The pieces between the `*` of a pattern; each piece is texts with one character between one and the next. */
export type Glob = readonly (readonly string[])[];

/** A part of a pattern that is not text. */
export type Wildcard = "*" | "?";

/** Makes a pattern of its parts in order. */
export function globOf(parts: Iterable<{ readonly text: string } | { readonly wildcard: Wildcard }>): Glob {
  let piece = [""];
  const pieces = [piece];
  for (const part of parts) {
    if ("text" in part) piece.push((piece.pop() ?? "") + part.text);
    else if (part.wildcard === "?") piece.push("");
    else pieces.push((piece = [""]));
  }
  return pieces;
}

/** Whether the whole of a text fits a pattern. Case counts; nothing is special about `/`. */
export function matchesGlob(glob: Glob, text: string): boolean {
  const [first = [""], ...others] = glob;
  let position = endOf(first, text, 0);
  const last = others.pop();
  if (last === undefined || position < 0) return position === text.length;
  const end = startOf(last, text);
  for (const piece of others) {
    position = endAfter(piece, text, position);
    if (position < 0) return false;
  }
  return position <= end;
}

/** Where a piece ends that begins at a position, or -1. */
function endOf(piece: readonly string[], text: string, start: number): number {
  let position = start;
  for (const [index, literal] of piece.entries()) {
    if (index > 0) {
      if (position >= text.length) return -1;
      position += isPair(text, position) ? 2 : 1;
    }
    if (!text.startsWith(literal, position)) return -1;
    position += literal.length;
  }
  return position;
}

/** Where a piece begins that ends with the text, or -1. */
function startOf(piece: readonly string[], text: string): number {
  let position = text.length;
  for (const [index, literal] of piece.toReversed().entries()) {
    if (index > 0) {
      if (position <= 0) return -1;
      position -= isPair(text, position - 2) ? 2 : 1;
    }
    if (literal.length > position || !text.endsWith(literal, position)) return -1;
    position -= literal.length;
  }
  return position;
}

/** The end of a piece's first occurrence from a position on, or -1. */
function endAfter(piece: readonly string[], text: string, from: number): number {
  const [first = ""] = piece;
  for (let start = text.indexOf(first, from); start >= 0; start = text.indexOf(first, start + 1)) {
    const end = endOf(piece, text, start);
    if (end >= 0) return end;
    // Without a text to look for, indexOf finds the end of the text over and over.
    if (start >= text.length) return -1;
  }
  return -1;
}

/** Whether the character at a position takes two units of UTF-16. */
function isPair(text: string, position: number): boolean {
  return (text.codePointAt(position) ?? 0) > 0xffff;
}
