// How tags and metadata are stored: as JSON, and as null where there are none.
import type { Tag } from "./tagging.ts";

/** Tags as a JSON array of pairs; null for none. */
export function tagsJson(tags: readonly Tag[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags.map(({ key, value }) => [key, value]));
}

/** Reads what {@link tagsJson} wrote. */
export function parseTags(json: string | null): readonly Tag[] {
  if (json === null) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (JSON.parse(json) as readonly [string, string][]).map(([key, value]) => ({ key, value }));
}

/** Metadata as a JSON object; null for none. */
export function metadataJson(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

/** Reads what {@link metadataJson} wrote. */
export function parseMetadata(json: string | null): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json === null ? {} : (JSON.parse(json) as Readonly<Record<string, string>>);
}
