// Decides how the preview shows an object: by its content type, or by the extension of its key if the type is generic.
export type PreviewKind = "image" | "video" | "audio" | "pdf" | "json" | "csv" | "markdown" | "text" | "none";

interface Shown {
  readonly kind: PreviewKind;
  /** The content type for the browser. Stored types are never passed on. */
  readonly type: string;
}

/** By the extension of a key. Other files are shown as text if they are text. */
const BY_ENDING: Readonly<Record<string, Shown>> = {
  png: { kind: "image", type: "image/png" },
  jpg: { kind: "image", type: "image/jpeg" },
  jpeg: { kind: "image", type: "image/jpeg" },
  gif: { kind: "image", type: "image/gif" },
  webp: { kind: "image", type: "image/webp" },
  avif: { kind: "image", type: "image/avif" },
  bmp: { kind: "image", type: "image/bmp" },
  ico: { kind: "image", type: "image/x-icon" },
  svg: { kind: "image", type: "image/svg+xml" },
  mp4: { kind: "video", type: "video/mp4" },
  m4v: { kind: "video", type: "video/mp4" },
  webm: { kind: "video", type: "video/webm" },
  ogv: { kind: "video", type: "video/ogg" },
  mov: { kind: "video", type: "video/quicktime" },
  mp3: { kind: "audio", type: "audio/mpeg" },
  m4a: { kind: "audio", type: "audio/mp4" },
  aac: { kind: "audio", type: "audio/aac" },
  ogg: { kind: "audio", type: "audio/ogg" },
  oga: { kind: "audio", type: "audio/ogg" },
  opus: { kind: "audio", type: "audio/ogg" },
  wav: { kind: "audio", type: "audio/wav" },
  flac: { kind: "audio", type: "audio/flac" },
  pdf: { kind: "pdf", type: "application/pdf" },
  json: { kind: "json", type: "application/json" },
  geojson: { kind: "json", type: "application/json" },
  csv: { kind: "csv", type: "text/csv" },
  tsv: { kind: "csv", type: "text/tab-separated-values" },
  md: { kind: "markdown", type: "text/markdown" },
  markdown: { kind: "markdown", type: "text/markdown" },
};

/** Extensions of binary files, of which not even the first bytes are fetched. */
const BINARY = new Set("zip gz tgz bz2 xz zst 7z rar tar exe dll so bin iso dmg parquet docx xlsx pptx".split(" "));

const BY_TYPE = new Map(Object.values(BY_ENDING).map((shown) => [shown.type, shown]));

/** Types that say nothing about the content. */
const UNSPOKEN = new Set(["", "application/octet-stream", "binary/octet-stream"]);

export function shownAs(key: string, contentType = ""): Shown {
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const ending = (/\.([^./]+)$/.exec(key)?.[1] ?? "").toLowerCase();
  const byEnding = Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending] : undefined;
  if (UNSPOKEN.has(type)) return byEnding ?? { kind: BINARY.has(ending) ? "none" : "text", type: "text/plain" };
  const byType = BY_TYPE.get(type);
  if (byType !== undefined) return byType;
  if (type.endsWith("+json")) return { kind: "json", type: "application/json" };
  // An extension refines `text/plain`, but HTML always shows as its source.
  if (type === "text/plain" && byEnding !== undefined) return byEnding;
  if (type.startsWith("text/") || /(?:xml|javascript|yaml|toml|sql|x-sh|ndjson)$/.test(type)) return TEXT;
  if (type.startsWith("image/")) return { kind: "image", type };
  if (type.startsWith("video/")) return { kind: "video", type };
  if (type.startsWith("audio/")) return { kind: "audio", type };
  return byEnding ?? (BINARY.has(ending) ? { kind: "none", type } : TEXT);
}

const TEXT: Shown = { kind: "text", type: "text/plain" };
