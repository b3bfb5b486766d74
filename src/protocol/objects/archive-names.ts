// Turns keys into names that are safe to unpack: relative paths without `..`, drive letters, backslashes or control
// characters, each of them distinct. Keys without any of these are their own names.

/** Whether a segment consists of dots and spaces, which Windows strips, so that `.. ` would mean `..` there. */
const ONLY_DOTS = /^[. ]+$/;
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\\]/g;
/** The Kelvin sign is composed to a K. */
const DRIVE = /^([A-Za-z\u212a]):/;

/** The form in which names are compared: some file systems and programs compose the characters of names. */
const folded = (name: string): string => name.normalize("NFC");

/**
 * The name of each entry, in order.
 * @param entries keys with their sizes; a key that ends with a slash is a directory if it is empty
 */
export function archiveNames(entries: readonly { readonly key: string; readonly size: number }[]): string[] {
  const safe = entries.map(({ key, size }) => safeName(key, size));
  const sorted = safe.map(folded).toSorted(byUnits);
  const taken = new Set(sorted);
  const used = new Set<string>();
  const suffixes = new Map<string, number>();
  const names = safe.map((name, index) => {
    // Names that equal their key take precedence over changed ones.
    if (name !== entries[index]?.key || name !== folded(name)) return undefined;
    if (used.has(name) || isDirectoryOf(sorted, name)) return undefined;
    used.add(name);
    return name;
  });
  const isFree = (name: string): boolean => {
    const bare = name.replace(/\/$/, "");
    return ![bare, `${bare}/`].some((one) => taken.has(one) || used.has(one)) && !isDirectoryOf(sorted, bare);
  };
  return names.map((name, index) => {
    if (name !== undefined) return name;
    const wanted = safe[index] ?? "";
    const compared = folded(wanted);
    if (!used.has(compared) && !isDirectoryOf(sorted, compared)) {
      used.add(compared);
      return wanted;
    }
    let number = suffixes.get(compared) ?? 2;
    while (!isFree(folded(numbered(wanted, number)))) number += 1;
    suffixes.set(compared, number + 1);
    used.add(folded(numbered(wanted, number)));
    return numbered(wanted, number);
  });
}

function safeName(key: string, size: number): string {
  const segments = key.split("/");
  const isDirectory = segments.length > 1 && segments.at(-1) === "" && size === 0;
  const named = isDirectory ? segments.slice(0, -1) : segments;
  return named.map(safeSegment).join("/") + (isDirectory ? "/" : "");
}

function safeSegment(segment: string): string {
  if (segment === "") return "_";
  if (ONLY_DOTS.test(segment)) return "_".repeat(segment.length);
  return segment.replaceAll(UNSAFE, "_").replace(DRIVE, "$1_");
}

/** Whether a file's name is also the directory of another name. A directory's own name ends with a slash. */
function isDirectoryOf(sorted: readonly string[], name: string): boolean {
  if (name.endsWith("/")) return false;
  const prefix = `${name}/`;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byUnits(sorted[middle] ?? "", prefix) < 0) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.startsWith(prefix) === true;
}

/** Any order works in which names with a common prefix are adjacent. */
function byUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `a/b.txt` → `a/b~2.txt`, `a/` → `a~2/` */
function numbered(name: string, number: number): string {
  const end = name.endsWith("/") ? name.length - 1 : name.length;
  const start = name.lastIndexOf("/", end - 1) + 1;
  const dot = name.endsWith("/") ? -1 : name.lastIndexOf(".");
  const at = dot > start ? dot : end;
  return `${name.slice(0, at)}~${number}${name.slice(at)}`;
}
