// Writes files that appear completely or not at all: to a file in the folder for incoming files first, which then gets its
// name. With `fsync` a file and its folder are on the disk before the call returns.
import { randomUUID } from "node:crypto";
import { type FileHandle, link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode, type Layout } from "./layout.ts";

/** A file with this name exists already. */
export class ExistsError extends Error {}

/** Errors of file systems without hard links. */
const WITHOUT_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** A deletion may remove the empty folder again, before the file is in it. */
const FOLDER_ATTEMPTS = 20;

export class DurableFiles {
  readonly #layout: Layout;
  readonly #fsync: boolean;

  constructor(layout: Layout, fsync: boolean) {
    this.#layout = layout;
    this.#fsync = fsync;
  }

  /**
   * Writes a file that must not exist.
   * @param write writes the bytes
   * @throws ExistsError
   */
  async create<T>(folder: string, name: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
    return this.#write(write, async (path) => {
      await this.#inFolder(folder, () => linkFile(path, join(folder, name)));
      await this.#syncFolder(folder);
    });
  }

  /** Writes a file in place of an existing one. */
  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const folder = dirname(path);
    await this.#write(
      (file) => file.writeFile(bytes),
      async (temporary) => {
        await this.#inFolder(folder, () => rename(temporary, path));
        await this.#syncFolder(folder);
      },
    );
  }

  async #write<T>(write: (file: FileHandle) => Promise<T>, publish: (path: string) => Promise<void>): Promise<T> {
    const path = join(this.#layout.incoming, randomUUID());
    const file = await open(path, "wx", 0o600).catch(async (error: unknown) => {
      if (!hasCode(error, "ENOENT")) throw error;
      await mkdir(this.#layout.incoming, { recursive: true, mode: 0o700 });
      return open(path, "wx", 0o600);
    });
    try {
      let result: T;
      try {
        result = await write(file);
        if (this.#fsync) await file.datasync();
      } finally {
        await file.close();
      }
      await publish(path);
      return result;
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Runs an action on a file of a folder, and creates the folder if it is missing. */
  async #inFolder(folder: string, action: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await action();
        return;
      } catch (error) {
        if (!hasCode(error, "ENOENT") || attempt === FOLDER_ATTEMPTS) throw error;
      }
      const first = await mkdir(folder, { recursive: true, mode: 0o700 });
      if (first === undefined) continue;
      // The entry of each new folder is in its parent.
      for (let made = folder; made.length >= first.length; made = dirname(made)) {
        await this.#syncFolder(dirname(made));
      }
    }
  }

  async #syncFolder(folder: string): Promise<void> {
    // Windows has no folders that can be synced.
    if (!this.#fsync || process.platform === "win32") return;
    const handle = await open(folder, "r").catch((error: unknown) => {
      // Deletions removed the empty folder.
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    });
    try {
      await handle?.sync();
    } finally {
      await handle?.close();
    }
  }
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (hasCode(error, "EEXIST")) throw new ExistsError(`${to} exists`);
    if (!WITHOUT_LINKS.some((code) => hasCode(error, code))) throw error;
    await renameToNew(from, to);
  }
}

/** Reserves the name with an empty file first, because a rename replaces an existing file. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await (await open(to, "wx", 0o600)).close();
  } catch (error) {
    if (hasCode(error, "EEXIST")) throw new ExistsError(`${to} exists`);
    throw error;
  }
  await rename(from, to);
}
