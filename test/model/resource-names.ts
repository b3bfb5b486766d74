// The Worker's names of buckets, versions and uploads by the model's. The Worker chooses version and upload ids; they are
// learned from its first response and must not change.
import { expect } from "vitest";

import { BUCKETS, KEYS, type SourceChoice, type VersionChoice } from "./commands.ts";
import type { SourceName } from "./model-state.ts";

const UNKNOWN_VERSION = "0".repeat(32);
const UNKNOWN_UPLOAD = "no-such-upload";

/** An object as the model names it. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** An upload as the model names it. */
export interface UploadName extends ObjectName {
  readonly id: string;
}

export class ResourceNames {
  readonly #buckets = new Map<string, string>();
  readonly #ids = new Map<string, string>([["unknown", UNKNOWN_VERSION]]);
  readonly #versions = new Map<string, string[]>();
  readonly #uploads: UploadName[] = [];

  get uploads(): readonly UploadName[] {
    return this.#uploads;
  }

  knownBucket(name: string): string | undefined {
    return this.#buckets.get(name);
  }

  addBucket(name: string, real: string): void {
    this.#buckets.set(name, real);
  }

  /** @param real the Worker's id, unless the upload failed */
  addUpload(upload: UploadName, real: string | undefined): void {
    if (real !== undefined && upload.id !== "") this.#ids.set(upload.id, real);
    this.#uploads.push(upload);
  }

  /** How many versions of an object are known. */
  versionCount({ bucket, key }: ObjectName): number {
    return this.#versions.get(`${bucket}/${key}`)?.length ?? 0;
  }

  /** Learns the Worker's id of a version at its first occurrence. @returns the model's name */
  learn(real: string | undefined, expected: string | undefined, at: ObjectName | undefined): string | undefined {
    if (real !== undefined && real !== "null" && expected?.startsWith("v") === true && !this.#ids.has(expected)) {
      expect(Array.from(this.#ids.values())).not.toContain(real);
      this.#ids.set(expected, real);
      const name = `${at?.bucket}/${at?.key}`;
      this.#versions.set(name, [...(this.#versions.get(name) ?? []), expected]);
    }
    return this.known(real);
  }

  /** The model's name for an id of the Worker. */
  known(real: string | undefined): string | undefined {
    if (real === undefined || real === "null") return real;
    for (const [id, candidate] of this.#ids) if (candidate === real) return id;
    return `strange ${real}`;
  }

  real(id: string | undefined): string | undefined {
    return id === undefined ? undefined : (this.#ids.get(id) ?? id);
  }

  realUpload(id: string): string {
    return this.#ids.get(id) ?? UNKNOWN_UPLOAD;
  }

  version({ bucket, key }: ObjectName, choice: VersionChoice): string | undefined {
    if (typeof choice !== "number") return choice;
    const versions = this.#versions.get(`${bucket}/${key}`) ?? [];
    return versions.at(-1 - (choice % Math.max(versions.length, 1))) ?? "null";
  }

  upload(choice: number): UploadName {
    return (
      this.#uploads.at(-1 - (choice % Math.max(this.#uploads.length, 1))) ?? {
        bucket: BUCKETS[0],
        key: KEYS[0],
        id: "none",
      }
    );
  }

  source({ bucket, key, version }: SourceChoice): SourceName {
    return { bucket, key, versionId: this.version({ bucket, key }, version) };
  }

  sourceHeader({ bucket, key, versionId }: SourceName): string {
    const query = versionId === undefined ? "" : `?versionId=${this.real(versionId)}`;
    return `/${this.bucket(bucket)}/${encodeURIComponent(key)}${query}`;
  }

  bucket(name: string): string {
    return this.#buckets.get(name) ?? name;
  }

  target({ bucket, key }: ObjectName, query: Readonly<Record<string, string | undefined>> = {}): string {
    const pairs = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [value === "" ? name : `${name}=${value}`],
    );
    const path = key.split("/").map(encodeURIComponent).join("/");
    return `/${this.bucket(bucket)}/${path}${pairs.length === 0 ? "" : "?"}${pairs.join("&")}`;
  }

  readable(text: string): string {
    let readable = text;
    for (const [name, real] of [...this.#buckets, ...this.#ids]) readable = readable.replaceAll(real, name);
    return readable;
  }
}
