// Downloads chosen rows: one object as it is, a folder or several as a ZIP. The browser saves what the server sends, so
// nothing is held in the page, however large it is.
import { plural, t } from "../i18n/language.ts";
import { ARCHIVE_MAX, type ArchiveForm, folderArchive, listArchive } from "../clients/archives.ts";
import type { Connection } from "../clients/connection.ts";
import { presignRead, savedAs } from "../clients/object.ts";
import { keysBelow } from "../clients/objects.ts";
import { isReachable } from "../clients/paths.ts";
import { isXmlText } from "../clients/xml.ts";
import { showFailure } from "./failure-toast.ts";
import type { ObjectRow } from "./object-list.ts";
import { showToast } from "./toasts.ts";

const LINK_SECONDS = 300;

/** Starts the download of rows, or says why there is none. Never rejects. */
export async function downloadRows(connection: Connection, bucket: string, rows: readonly ObjectRow[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  try {
    if (rows.length > 1) await downloadSelection(connection, bucket, rows);
    else if (first.type === "folder") startDownload(await folderArchive(connection, bucket, first.key));
    else if (isReachable(first.key)) {
      const overrides = { "response-content-disposition": savedAs(first.key) };
      startDownload(await presignRead(connection, { bucket, key: first.key }, LINK_SECONDS, overrides));
    } else await downloadSelection(connection, bucket, rows);
  } catch (failure) {
    showFailure(failure, { onRetry: () => void downloadRows(connection, bucket, rows) });
  }
}

async function downloadSelection(connection: Connection, bucket: string, rows: readonly ObjectRow[]): Promise<void> {
  const keys = new Set<string>();
  for (const { type, key } of rows) {
    if (type === "object") keys.add(key);
    else {
      for await (const page of keysBelow(connection, bucket, key)) {
        for (const object of page) keys.add(object.key);
        if (keys.size > ARCHIVE_MAX) break;
      }
    }
  }
  if (keys.size > ARCHIVE_MAX) return showToast(t("download.tooMany", { most: ARCHIVE_MAX }), { kind: "failure" });
  const named = [...keys].filter(isXmlText);
  const left = keys.size - named.length;
  // The list of an archive is XML, which has no place for some control characters.
  if (left > 0) showToast(plural("download.unnamed", left), { kind: "failure" });
  if (named.length > 0) submit(await listArchive(connection, bucket, named));
}

/** Starts a download. The browser saves the answer itself, however large it is. */
export function startDownload(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** Submits a form whose answer is saved. A frame takes what is shown if the server should fail after all. */
function submit({ url, name, value }: ArchiveForm): void {
  const frame = document.createElement("iframe");
  frame.name = "cairn-download";
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
