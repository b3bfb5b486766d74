// Keys that proxies, URL parsers, percent-encoders or XML writers tend to change. All of them are distinct.

/** What a URL, a signature or a path library may alter. */
export const ODD_KEYS: readonly string[] = [
  "a b",
  "a+b",
  "k=v/x",
  "k=v/",
  "(1)",
  "é",
  "e\u0301",
  "%3D",
  "%2F",
  "%",
  "%zz",
  "~",
  "😀",
  "//",
  "/",
  ".",
  "..",
  "./x",
  "../x",
  "a/./b",
  "a/../b",
  "%2e%2e/x",
  "dir/",
  "dir",
  "/lead",
  "a//b",
  "a\\b",
  "it's",
  `say "hi"`,
  '&<>"',
  "&amp;",
  "*",
  "?query=1",
  "#fragment",
  " lead",
  "trail ",
  "two  spaces",
  "007",
  "true",
  "null",
  "[x]{y}^`|",
  ":@!$,;",
  "ümlaut/日本/ключ",
  `${"x".repeat(1000)}${"é".repeat(12)}`,
];

/** Keys that XML 1.0 cannot show, so that they are listed only with `encoding-type=url`. */
export const UNPRINTABLE_KEYS: readonly string[] = ["tab\there", "line\nbreak", "return\rhere", "bell\u0007"];

/** Odd keys that are also names of files, for clients that copy folders. */
export const ODD_FILE_NAMES: readonly string[] = [
  "a b",
  "a+b",
  "k=v/x",
  "(1)",
  "é",
  "%3D",
  "%2F",
  "~",
  "😀",
  "it's",
  '&<>"',
  "*",
  "?query=1",
  "#fragment",
  "[x]{y}^`|",
  ":@!$,;",
];

/** The body of an object with an odd key, which identifies the key. */
export function bodyOfKey(key: string): string {
  return `the object ${JSON.stringify(key)}`;
}

/** A key percent-encoded as SigV4 wants a path: everything but unreserved characters and slashes. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
