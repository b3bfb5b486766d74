// Stores unfinished multipart uploads of this browser: names, sizes and upload ids, and no secret.
const STORAGE_KEY = "cairn.uploads";
const REMEMBERED_MAX = 1000;

export interface RememberedUpload {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  /** The file's modification time, in ms: another file of that name must not continue the upload. */
  readonly modifiedAt: number;
  readonly uploadId: string;
}

export function rememberedUploads(): readonly RememberedUpload[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(value) ? value.filter(isRemembered) : [];
  } catch {
    return [];
  }
}

export function rememberUpload(upload: RememberedUpload): void {
  store([...rememberedUploads().filter(({ uploadId }) => uploadId !== upload.uploadId), upload]);
}

export function clearUpload(uploadId: string): void {
  store(rememberedUploads().filter((upload) => upload.uploadId !== uploadId));
}

function store(list: readonly RememberedUpload[]): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(list.slice(-REMEMBERED_MAX)));
}

function isRemembered(value: unknown): value is RememberedUpload {
  const at = (name: string): unknown => Reflect.get(Object(value), name);
  return (
    ["bucket", "key", "uploadId"].every((name) => typeof at(name) === "string") &&
    ["bytes", "modifiedAt"].every((name) => typeof at(name) === "number")
  );
}
