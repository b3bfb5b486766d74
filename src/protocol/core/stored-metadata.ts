// The stored forms of tags and metadata: JSON, or null for none.
import type { Tag } from "./tagging.ts";

/** Tags as a JSON array of pairs; null for none. */
export function tagsJson(tags: readonly Tag[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags.map(({ key, value }) => [key, value]));
}

/** Reads the stored form of {@link tagsJson}. */
export function parseTags(json: string | null): readonly Tag[] {
  if (json === null) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (JSON.parse(json) as readonly [string, string][]).map(([key, value]) => ({ key, value }));
}

/** Metadata as a JSON object; null for none. */
export function metadataJson(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

/** Reads the stored form of {@link metadataJson}. */
export function parseMetadata(json: string | null): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json === null ? {} : (JSON.parse(json) as Readonly<Record<string, string>>);
}
