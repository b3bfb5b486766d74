// The media types of common file names, for files that have no stored type of their own.

const BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "application/gzip": "gz tgz",
    "application/javascript": "js mjs",
    "application/json": "json map",
    "application/pdf": "pdf",
    "application/wasm": "wasm",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg oga opus",
    "audio/wav": "wav",
    "font/otf": "otf",
    "font/ttf": "ttf",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg jpeg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif tiff",
    "image/webp": "webp",
    "image/x-icon": "ico",
    "text/css; charset=utf-8": "css",
    "text/csv; charset=utf-8": "csv",
    "text/html; charset=utf-8": "html htm",
    "text/markdown; charset=utf-8": "md",
    "text/plain; charset=utf-8": "txt log",
    "video/mp4": "mp4 m4v",
    "video/quicktime": "mov",
    "video/webm": "webm",
  }).flatMap(([type, extensions]) => extensions.split(" ").map((extension) => [extension, type] as const)),
);

/** The media type of a file name; `application/octet-stream` for an unknown extension. */
export function mediaTypeOf(name: string): string {
  const extension = /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return BY_EXTENSION.get(extension) ?? "application/octet-stream";
}
