// Uploads one file: a small one in one request, a large one in parts, with retries and resumption.
import type { Connection } from "../clients/connection.ts";
import { NetworkFailure, ServiceError } from "../clients/failures.ts";
import { completeUpload, listParts, startUpload, type UploadTarget } from "../clients/multipart.ts";
import { objectPath } from "../clients/paths.ts";
import { sendBody } from "../clients/transfer.ts";

const MiB = 1024 * 1024;
export const PART_BYTES = 16 * MiB;
const PARTS_MAX = 10_000;
const CONCURRENT_PARTS = 3;
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;

export interface FileUpload {
  readonly target: UploadTarget;
  readonly file: File;
  /** Whether an object of that key may be replaced. */
  readonly overwrites: boolean;
  /** The multipart upload to continue. */
  readonly uploadId: string | undefined;
}

export interface UploadControl {
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
  /** Called as soon as a multipart upload can be resumed. */
  readonly onStarted: (uploadId: string) => void;
}

/** The size of the parts of a file: all but the last have it. */
function partBytesOf(size: number): number {
  return Math.max(PART_BYTES, Math.ceil(size / PARTS_MAX / MiB) * MiB);
}

/**
 * Uploads a file. It retries requests that fail by a lost connection or a busy server.
 * @throws ServiceError PreconditionFailed if the key exists and must not be replaced
 */
export async function uploadFile(connection: Connection, upload: FileUpload, control: UploadControl): Promise<void> {
  const { target, file, overwrites } = upload;
  const contentType = file.type || "application/octet-stream";
  if (file.size <= PART_BYTES) {
    const request = {
      method: "PUT",
      path: objectPath(target.bucket, target.key),
      headers: { "content-type": contentType, "if-none-match": overwrites ? undefined : "*" },
    };
    await repeated(control.signal, () => sendBody(connection, request, file, control));
    return;
  }
  if (!overwrites) await requireAbsent(connection, target, control.signal);
  await uploadInParts(connection, upload, contentType, control);
}

async function uploadInParts(
  connection: Connection,
  { target, file, overwrites, uploadId: known }: FileUpload,
  contentType: string,
  { signal, onProgress, onStarted }: UploadControl,
): Promise<void> {
  const partBytes = partBytesOf(file.size);
  const resumed = known === undefined ? undefined : await resume(connection, target, known, signal);
  const uploadId = resumed?.uploadId ?? (await repeated(signal, () => startUpload(connection, target, contentType)));
  onStarted(uploadId);
  const etags = new Map<number, string>();
  const sent = new Map<number, number>();
  const report = (): void => onProgress(Array.from(sent.values()).reduce((sum, bytes) => sum + bytes, 0));
  const count = Math.ceil(file.size / partBytes);
  const lengthOf = (number: number): number => Math.min(partBytes, file.size - (number - 1) * partBytes);
  for (const { number, etag, bytes } of resumed?.parts ?? []) {
    if (number > count || bytes !== lengthOf(number)) continue;
    etags.set(number, etag);
    sent.set(number, bytes);
  }
  report();

  const missing = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !etags.has(number));
  const waiting = missing.values();
  // A part that fails finally aborts the others.
  const group = new AbortController();
  const both = AbortSignal.any([signal, group.signal]);
  const sendNext = async (): Promise<void> => {
    for (const number of waiting) {
      const from = (number - 1) * partBytes;
      const body = file.slice(from, from + lengthOf(number));
      const request = {
        method: "PUT",
        path: objectPath(target.bucket, target.key),
        query: { partNumber: number, uploadId },
      };
      const progress = (bytes: number): void => {
        sent.set(number, bytes);
        report();
      };
      const headers = await repeated(both, () =>
        sendBody(connection, request, body, { signal: both, onProgress: progress }),
      );
      etags.set(number, headers.get("etag") ?? "");
      progress(lengthOf(number));
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENT_PARTS }, sendNext));
  } catch (failure) {
    group.abort();
    throw failure;
  }
  const parts = Array.from(etags, ([number, etag]) => ({ number, etag })).toSorted(
    (one, other) => one.number - other.number,
  );
  await repeated(signal, () => completeUpload(connection, target, uploadId, parts, { overwrites, signal }));
}

/** The parts of an upload that an earlier attempt began; undefined if the upload no longer exists. */
async function resume(connection: Connection, target: UploadTarget, uploadId: string, signal: AbortSignal) {
  try {
    return { uploadId, parts: await repeated(signal, () => listParts(connection, target, uploadId, signal)) };
  } catch (failure) {
    if (failure instanceof ServiceError && failure.code === "NoSuchUpload") return undefined;
    throw failure;
  }
}

/** Checks early, so that a large file is not sent in vain. The completion decides. @throws ServiceError */
async function requireAbsent(connection: Connection, target: UploadTarget, signal: AbortSignal): Promise<void> {
  const path = objectPath(target.bucket, target.key);
  try {
    await repeated(signal, () => connection.send({ method: "HEAD", path, signal }));
  } catch (failure) {
    // A principal without the permission to read may still upload.
    if (failure instanceof ServiceError && (failure.status === 404 || failure.status === 403)) return;
    throw failure;
  }
  throw new ServiceError({
    status: 412,
    code: "PreconditionFailed",
    message: "",
    requestId: "",
    details: new Map(),
    skewMs: 0,
  });
}

/** Retries failures of the network or of a busy server, with growing pauses. Offline, it waits for the network. */
async function repeated<Value>(signal: AbortSignal, act: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (failure) {
      const isPassing = failure instanceof NetworkFailure || (failure instanceof ServiceError && failure.status >= 500);
      if (!isPassing || signal.aborted || (attempt >= ATTEMPTS && navigator.onLine)) throw failure;
      await pause(FIRST_PAUSE_MS * 2 ** Math.min(attempt, ATTEMPTS), signal);
    }
  }
}

/** Waits, at most until the network is back. @throws AbortError */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(new DOMException("aborted", "AbortError"));
      else resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}
