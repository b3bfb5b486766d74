// Names as they are shown. Some characters show nothing, or turn around what follows them, so a name with them can look
// like another one (`exe.gpj` like `exe.jpg`): they are shown as symbols.

/** Controls, marks and overrides of direction, and spaces without width. The joiners that letters and emoji need are not. */
const HIDDEN = /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
/** The block of pictures of the first controls. */
const PICTURES = 0x2400;
/** A text in which every character can be seen. */
export function visibleText(text: string): string {
  return text.replaceAll(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(PICTURES + code);
    return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}

/** A text without such characters, for the name of a file. */
export function withoutHidden(text: string, replacement: string): string {
  return text.replaceAll(HIDDEN, replacement);
}
