// Looks up the public addresses of the listed objects and copies them to the clipboard.
import type { Connection } from "../clients/connection.ts";
import type { ObjectAddress } from "../clients/object.ts";
import { keysBelow } from "../clients/objects.ts";
import { isReachable, objectPath } from "../clients/paths.ts";
import { type PublicAddresses, publicAddressOf, readPublicAddresses } from "../clients/public-addresses.ts";
import { plural, t } from "../i18n/language.ts";
import { runJob } from "./background-jobs.ts";
import { copyText } from "./clipboard.ts";
import { showFailure } from "./failure-toast.ts";
import type { ObjectRow } from "./object-list.ts";
import { useConnection } from "./session.ts";
import { showToast } from "./toasts.ts";
import { type Loaded, useLoad } from "./use-load.ts";

/** The addresses of a bucket; undefined until they are known, and where there are none. */
export function usePublicAddresses(bucket: string): PublicAddresses | undefined {
  const connection = useConnection();
  return useLoad(() => readPublicAddresses(connection, bucket), [bucket]).value;
}

/** The address of an object, `"private"` if not everyone can read it. Whether everyone can is tried, without credentials. */
export function usePublicAddress(address: ObjectAddress): Loaded<string | undefined> {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  return useLoad(
    async (signal) => {
      if (!isReachable(key)) return undefined;
      const version = versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
      const init = { method: "HEAD", credentials: "omit", cache: "no-store", signal } as const;
      const { ok } = await fetch(`${connection.endpoint}${objectPath(bucket, key)}${version}`, init);
      return ok ? publicAddressOf(connection, address) : PRIVATE;
    },
    [bucket, key, versionId],
  );
}

/** Not an address: addresses begin with a scheme. */
export const PRIVATE = "private";

/** The most addresses of one copy. */
const OBJECTS_MAX = 10_000;

/** The copied keys: single ones, and all keys below prefixes. */
export interface Copied {
  readonly keys: readonly string[];
  readonly folders: readonly string[];
}

/** Whether rows have addresses, as far as the list shows. */
export function haveAddresses(addresses: PublicAddresses | undefined, rows: readonly ObjectRow[]): boolean {
  return addresses !== undefined && rows.some(({ type, key }) => type === "folder" || addresses.of(key) !== undefined);
}

/** Copies the addresses of rows, one a line. */
export function copyAddressesOf(
  connection: Connection,
  bucket: string,
  addresses: PublicAddresses,
  rows: readonly ObjectRow[],
): void {
  const keysOf = (type: ObjectRow["type"]): string[] => rows.filter((row) => row.type === type).map(({ key }) => key);
  void copyAddresses(connection, bucket, addresses, { keys: keysOf("object"), folders: keysOf("folder") });
}

/** Copies addresses, one a line. A background job lists the keys below prefixes. */
export async function copyAddresses(
  connection: Connection,
  bucket: string,
  addresses: PublicAddresses,
  { keys, folders }: Copied,
): Promise<void> {
  const collected = new Collected(addresses);
  for (const key of keys) collected.add(key);
  if (folders.length === 0) return collected.copy();
  try {
    await runJob({
      kind: "copy-addresses",
      target: `${bucket}/${folders[0] ?? ""}`,
      isResumable: false,
      title: () => t("addresses.job", { bucket }),
      run: async ({ signal, report }) => {
        for (const folder of folders) {
          for await (const page of keysBelow(connection, bucket, folder, signal)) {
            // An empty object that only stands for a folder has nothing to read.
            for (const { key, bytes } of page) if (bytes > 0 || !key.endsWith("/")) collected.add(key);
            const { count } = collected;
            report(() => plural("addresses.progress", count), count / OBJECTS_MAX);
            if (collected.isCut) break;
          }
        }
        await collected.copy();
      },
    });
  } catch (failure) {
    showFailure(failure);
  }
}

class Collected {
  readonly #addresses: PublicAddresses;
  readonly #found: string[] = [];
  /** The number of examined objects. */
  count = 0;
  /** Whether there were more than one copy takes. */
  isCut = false;

  constructor(addresses: PublicAddresses) {
    this.#addresses = addresses;
  }

  add(key: string): void {
    if (this.count === OBJECTS_MAX) {
      this.isCut = true;
      return;
    }
    this.count += 1;
    const address = this.#addresses.of(key);
    if (address !== undefined) this.#found.push(address);
  }

  async copy(): Promise<void> {
    const copied = this.#found.length;
    const left = this.count - copied;
    const more = [
      ...(left > 0 ? [plural("addresses.left", left)] : []),
      ...(this.isCut ? [plural("addresses.cut", OBJECTS_MAX)] : []),
    ];
    if (copied === 0) {
      showToast([t("addresses.none"), ...more].join(" "), { kind: "failure" });
      return;
    }
    const done = [plural("addresses.copied", copied), ...more].join(" ");
    await copyText(this.#found.join("\n"), done, { isPartial: this.isCut });
  }
}
