// Lists the objects or versions of a bucket, grouped by key, oldest version first.
import { XMLParser } from "fast-xml-parser";
import { StoreError, type Store } from "./store.ts";

/** A version or delete marker in a listing. */
export interface Entry {
  readonly key: string;
  /** Undefined in a listing without versions. */
  readonly versionId: string | undefined;
  readonly isMarker: boolean;
  readonly isLatest: boolean;
  /** Without quotes; empty for a delete marker. */
  readonly etag: string;
  readonly size: number;
  /** As the store writes it. */
  readonly lastModified: string;
}

const PARSER = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  isArray: (name) => name === "Contents" || name === "Version" || name === "DeleteMarker",
});

/** All entries by key, in the order of the keys' bytes. With `versions`, every version; else the current ones. */
export async function* entriesByKey(store: Store, prefix: string, versions: boolean): AsyncGenerator<readonly Entry[]> {
  let group: Entry[] = [];
  for await (const entry of versions && (await hasVersions(store))
    ? versionsOf(store, prefix)
    : objectsOf(store, prefix)) {
    if (group[0] !== undefined && group[0].key !== entry.key) {
      yield inOrder(group);
      group = [];
    }
    group.push(entry);
  }
  if (group.length > 0) yield inOrder(group);
}

async function hasVersions(store: Store): Promise<boolean> {
  try {
    await store.text({ method: "GET", query: { versions: "", "max-keys": "1" } });
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.isNotOffered) return false;
    throw error;
  }
}

/** Oldest first. Of equal times, the listing has the newer one first; the current version is the newest. */
function inOrder(group: readonly Entry[]): readonly Entry[] {
  const time = ({ lastModified }: Entry): number => Date.parse(lastModified);
  return group.toReversed().toSorted((a, b) => Number(a.isLatest) - Number(b.isLatest) || time(a) - time(b));
}

async function* objectsOf(store: Store, prefix: string): AsyncGenerator<Entry> {
  let token: string | undefined;
  do {
    const query = {
      "list-type": "2",
      prefix,
      "encoding-type": "url",
      ...(token === undefined ? {} : { "continuation-token": token }),
    };
    const page = await pageOf(store, query, "ListBucketResult");
    yield* page.entriesOf("Contents");
    token = page.field("IsTruncated") === "true" ? page.field("NextContinuationToken") : undefined;
  } while (token !== undefined);
}

async function* versionsOf(store: Store, prefix: string): AsyncGenerator<Entry> {
  let marker: { readonly key: string; readonly version: string } | undefined;
  do {
    const after = marker === undefined ? {} : { "key-marker": marker.key, "version-id-marker": marker.version };
    const page = await pageOf(store, { versions: "", prefix, "encoding-type": "url", ...after }, "ListVersionsResult");
    const entries = [...page.entriesOf("Version"), ...page.entriesOf("DeleteMarker")];
    // The two lists are separate; a key's entries belong together.
    yield* entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    const key = page.field("NextKeyMarker");
    marker =
      page.field("IsTruncated") === "true" && key !== undefined
        ? { key: page.decode(key), version: page.field("NextVersionIdMarker") ?? "" }
        : undefined;
  } while (marker !== undefined);
}

interface Page {
  field(name: string): string | undefined;
  decode(text: string): string;
  entriesOf(name: string): Entry[];
}

async function pageOf(store: Store, query: Readonly<Record<string, string>>, root: string): Promise<Page> {
  const parsed: unknown = PARSER.parse(await store.text({ method: "GET", query }));
  const result = recordOf(recordOf(parsed)[root]);
  if (!(root in recordOf(parsed))) throw new Error("the answer is no listing of S3");
  const decode = (text: string): string =>
    result["EncodingType"] === "url" ? decodeURIComponent(text.replaceAll("+", " ")) : text;
  const field = (name: string): string | undefined => textOf(result[name]);
  return {
    field,
    decode,
    entriesOf(name) {
      const list: unknown = result[name];
      return (Array.isArray(list) ? list : []).map((one: unknown) => {
        const of = recordOf(one);
        return {
          key: decode(textOf(of["Key"]) ?? ""),
          versionId: textOf(of["VersionId"]),
          isMarker: name === "DeleteMarker",
          isLatest: textOf(of["IsLatest"]) === "true",
          etag: (textOf(of["ETag"]) ?? "").replaceAll(/"|&quot;/g, ""),
          size: Number(textOf(of["Size"]) ?? 0),
          lastModified: textOf(of["LastModified"]) ?? "",
        };
      });
    },
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
