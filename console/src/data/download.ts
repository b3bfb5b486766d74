// Downloads the selected rows: one object unchanged, a folder or several objects as a ZIP. The browser saves the response
// itself, so the page's memory does not grow with its size.
import { plural, t } from "../i18n/language.ts";
import { ARCHIVE_MAX, type ArchiveForm, folderArchive, isTooLarge, listArchive } from "../clients/archives.ts";
import type { Connection } from "../clients/connection.ts";
import { presignRead, savedAs } from "../clients/object.ts";
import { keysBelow } from "../clients/objects.ts";
import { isReachable } from "../clients/paths.ts";
import { isXmlText } from "../clients/xml.ts";
import { showFailure } from "./failure-toast.ts";
import type { ObjectRow } from "./object-list.ts";
import { showToast } from "./toasts.ts";

const LINK_SECONDS = 300;

/** Starts the download of rows, or shows why it cannot. Never rejects. */
export async function downloadRows(connection: Connection, bucket: string, rows: readonly ObjectRow[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  try {
    if (rows.length > 1) await downloadSelection(connection, bucket, rows);
    else if (first.type === "folder") await downloadFolder(connection, bucket, first);
    else if (isReachable(first.key)) {
      const overrides = { "response-content-disposition": savedAs(first.key) };
      startDownload(await presignRead(connection, { bucket, key: first.key }, LINK_SECONDS, overrides));
    } else await downloadSelection(connection, bucket, rows);
  } catch (failure) {
    showFailure(failure, { onRetry: () => void downloadRows(connection, bucket, rows) });
  }
}

async function downloadFolder(connection: Connection, bucket: string, row: ObjectRow): Promise<void> {
  try {
    startDownload(await folderArchive(connection, bucket, row.key));
  } catch (failure) {
    if (!isTooLarge(failure)) throw failure;
    await downloadSelection(connection, bucket, [row]);
  }
}

async function downloadSelection(connection: Connection, bucket: string, rows: readonly ObjectRow[]): Promise<void> {
  const keys = new Set<string>();
  for (const { type, key } of rows) {
    if (type === "object") keys.add(key);
    else for await (const page of keysBelow(connection, bucket, key)) for (const object of page) keys.add(object.key);
  }
  const named = [...keys].filter(isXmlText);
  const left = keys.size - named.length;
  // The list of an archive is XML, which cannot contain some control characters.
  if (left > 0) showToast(plural("download.unnamed", left), { kind: "failure" });
  if (named.length === 0) return;
  if (named.length <= ARCHIVE_MAX) {
    try {
      submit(await listArchive(connection, bucket, named));
      return;
    } catch (failure) {
      if (!isTooLarge(failure)) throw failure;
    }
  }
  const run = (): void =>
    void downloadInParts(connection, bucket, named).catch((failure: unknown) => showFailure(failure, { onRetry: run }));
  const parts = Math.max(2, Math.ceil(named.length / ARCHIVE_MAX));
  showToast(plural("download.parts", named.length, { parts }), { action: { label: t("download.start"), run } });
}

/** Several archives one after another. One that the server finds too large is halved. */
async function downloadInParts(connection: Connection, bucket: string, keys: readonly string[]): Promise<void> {
  const waiting: (readonly string[])[] = [];
  for (let from = 0; from < keys.length; from += ARCHIVE_MAX) waiting.push(keys.slice(from, from + ARCHIVE_MAX));
  for (let number = 1, part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    try {
      submit(await listArchive(connection, bucket, part, `${bucket}-${number}.zip`), number);
    } catch (failure) {
      if (!isTooLarge(failure) || part.length === 1) throw failure;
      const middle = Math.ceil(part.length / 2);
      waiting.unshift(part.slice(0, middle), part.slice(middle));
      continue;
    }
    showToast(plural("download.partBegins", part.length, { number }));
    number += 1;
  }
}

/** Starts a download, which the browser saves itself. */
export function startDownload(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** Submits a form whose response is saved. A frame receives the error document if the server fails. */
function submit({ url, name, value }: ArchiveForm, number = 1): void {
  const frame = document.createElement("iframe");
  // Removing the frame cancels a download that has not begun.
  frame.name = `cairn-download-${number}`;
  frame.hidden = true;
  document.querySelector(`iframe[name="${frame.name}"]`)?.remove();
  const form = document.createElement("form");
  Object.assign(form, { method: "post", enctype: "text/plain", action: url, target: frame.name, hidden: true });
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  form.append(field);
  document.body.append(frame, form);
  form.submit();
  form.remove();
}
