// Lists the files of a drop or of a file chooser, with their paths below the dropped folders.
import { isReachable } from "../clients/paths.ts";
import type { NewUpload } from "./uploads.ts";

/** All files of a drop, those in folders included. */
export async function filesOfDrop(transfer: DataTransfer, prefix: string): Promise<NewUpload[]> {
  // The items are invalid after the first `await`; their entries and files stay valid.
  const items = Array.from(transfer.items, (item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found: NewUpload[] = [];
  for (const { entry, file } of items) {
    if (entry !== null) await collect(entry, prefix, found);
    else if (file !== null) found.push({ key: prefix + file.name, file });
  }
  return found;
}

/** The files of a chooser. Those of a folder have a path. */
export function filesOfChooser(files: FileList, prefix: string): NewUpload[] {
  return Array.from(files, (file) => ({ key: prefix + (file.webkitRelativePath || file.name), file }));
}

/** Splits off the files whose keys a browser cannot address. */
export function splitReachable(files: readonly NewUpload[]): { reachable: NewUpload[]; unreachable: NewUpload[] } {
  return {
    reachable: files.filter(({ key }) => isReachable(key)),
    unreachable: files.filter(({ key }) => !isReachable(key)),
  };
}

async function collect(entry: FileSystemEntry, prefix: string, found: NewUpload[]): Promise<void> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ key: prefix + entry.name, file });
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    for (;;) {
      // A reader returns some entries at a time, and none at the end.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const child of some) await collect(child, `${prefix}${entry.name}/`, found);
    }
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
