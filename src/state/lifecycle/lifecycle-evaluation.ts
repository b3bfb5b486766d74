// Evaluates a bucket's lifecycle rules on its rows. Returns each due action with the precondition that guards it.
import type { LifecycleConfiguration } from "../../protocol/lifecycle/lifecycle.ts";
import {
  actionOnCurrent,
  actionOnNoncurrent,
  actionOnExpiredMarker,
  actionOnUpload,
  type LifecycleAction,
} from "../../protocol/lifecycle/lifecycle-actions.ts";
import { firstExpiration } from "../../protocol/lifecycle/lifecycle-times.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { Database } from "../d1/database.ts";
import type { KeyHead } from "../commit/heads.ts";
import type { EvaluatedVersion } from "../commit/lifecycle-guard.ts";
import type { CurrentRow, EarlierRow, RowPage, UploadRow, VersionRow } from "./lifecycle-pages.ts";
import { parseTags } from "../../protocol/core/stored-metadata.ts";

/** The phases of a walk, in order: current versions, the versions table, open uploads. */
export type LifecyclePhase = "current" | "versions" | "uploads";

/** Where a walk resumes: at a key, and within it after a version or upload id ("": before the first). */
export interface LifecyclePosition {
  readonly phase: LifecyclePhase;
  readonly from: string;
  readonly after: string;
}

/** A version with a due action. */
export interface EvaluatedObject {
  readonly kind: "current" | "noncurrent" | "marker";
  readonly key: string;
  readonly versionId: string;
  readonly isNullVersion: boolean;
  readonly size: number;
  readonly storageClass: string;
  /** When the rules purge a current version; undefined for other versions and if none does. */
  readonly purgedAt?: number | undefined;
  readonly action: LifecycleAction;
  /** The action's precondition. */
  readonly version: EvaluatedVersion;
  /** The head of its key. */
  readonly observedHead: KeyHead;
  /** Where a walk would find this version again. */
  readonly position: LifecyclePosition;
}

/** An upload that is due to be aborted. */
export interface EvaluatedUpload {
  readonly kind: "upload";
  readonly key: string;
  readonly uploadId: string;
  readonly action: LifecycleAction;
  readonly position: LifecyclePosition;
}

export type EvaluatedEntry = EvaluatedObject | EvaluatedUpload;

/** The input of a walk. */
export interface LifecycleWalk {
  readonly database: Database;
  readonly bucket: Bucket;
  readonly configuration: LifecycleConfiguration;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Restricts the walk to keys with this prefix. */
  readonly prefix?: string;
  /** For a preview: whether a retention has ended by then, in milliseconds since the epoch. A pass obeys those of its time. */
  readonly locksAt?: number;
}

/** Evaluates the rules on a current version. */
export function evaluateCurrent(
  { bucket, configuration, now }: LifecycleWalk,
  row: CurrentRow,
): EvaluatedObject | undefined {
  const { key, version_id: versionId, size, etag, modified_at: modifiedAt, tags, storage_class: storageClass } = row;
  const isPurgedByExpiration =
    bucket.versioning === null || (bucket.versioning === "Suspended" && row.is_null_version === 1);
  const subject = { key, size, tags: parseTags(tags), modifiedAt, storageClass, isPurgedByExpiration };
  const action = actionOnCurrent(configuration, subject, now);
  if (action === undefined) return undefined;
  return {
    kind: "current",
    key,
    versionId,
    isNullVersion: row.is_null_version === 1,
    size,
    storageClass,
    purgedAt: isPurgedByExpiration ? firstExpiration(configuration.rules, subject)?.at : undefined,
    action,
    version: { key, versionId, tags, place: "current" },
    observedHead: { versionId, current: { versionId, etag, size, modifiedAt } },
    position: { phase: "current", from: key, after: "" },
  };
}

/** The versions of a key that are newer than the one under evaluation. */
interface Chain {
  readonly key: string;
  readonly headId: string;
  readonly isHeadMarker: boolean;
  successor: { readonly versionId: string; readonly modifiedAt: number };
  /** The number of newer noncurrent versions. */
  newer: number;
}

/**
 * Evaluates the rules on rows of the versions table, which are newest first within a key.
 * @param earlier newer rows of the key `from` on earlier pages, the nearest first
 */
export function evaluateVersions(
  walk: LifecycleWalk,
  { rows, following }: RowPage<VersionRow>,
  from: string,
  earlier: readonly EarlierRow[],
): EvaluatedObject[] {
  const evaluated: EvaluatedObject[] = [];
  let chain: Chain | undefined;
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1]?.key === row.key ? rows[index - 1] : undefined;
    if (chain?.key !== row.key) chain = row.key === from ? resumedChain(row, earlier) : chainUnder(row);
    const after = before?.version_id ?? (row.key === from ? (earlier[0]?.version_id ?? "") : "");
    const position: LifecyclePosition = { phase: "versions", from: row.key, after };
    if (chain === undefined) {
      // Without a newer version the row is the head. In this table that is a delete marker.
      const isSole = (rows[index + 1] ?? following)?.key !== row.key;
      if (isSole) evaluated.push(...evaluateSoleMarker(walk, row, position));
      chain = { key: row.key, headId: row.version_id, isHeadMarker: true, successor: successorOf(row), newer: 0 };
      continue;
    }
    evaluated.push(...evaluateNoncurrent(walk, row, chain, position));
    chain.successor = successorOf(row);
    chain.newer += 1;
  }
  return evaluated;
}

function successorOf(row: EarlierRow): Chain["successor"] {
  return { versionId: row.version_id, modifiedAt: row.modified_at };
}

/** The chain above the newest row of a key: its current version; undefined: none. */
function chainUnder({ key, current_id: currentId, current_modified_at: modifiedAt }: VersionRow): Chain | undefined {
  if (currentId === null) return undefined;
  const successor = { versionId: currentId, modifiedAt: modifiedAt ?? 0 };
  return { key, headId: currentId, isHeadMarker: false, successor, newer: 0 };
}

/** The chain above a row whose key began on an earlier page. */
function resumedChain(row: VersionRow, earlier: readonly EarlierRow[]): Chain | undefined {
  const [nearest] = earlier;
  if (nearest === undefined) return chainUnder(row);
  const isHeadMarker = row.current_id === null;
  const headId = row.current_id ?? earlier.at(-1)?.version_id ?? "";
  const newer = earlier.length - (isHeadMarker ? 1 : 0);
  return { key: row.key, headId, isHeadMarker, successor: successorOf(nearest), newer };
}

function evaluateSoleMarker(
  { configuration, now }: LifecycleWalk,
  row: VersionRow,
  position: LifecyclePosition,
): EvaluatedObject[] {
  const { key, version_id: versionId, modified_at: madeAt, tags } = row;
  const action = row.is_delete_marker === 1 ? actionOnExpiredMarker(configuration, { key, madeAt }, now) : undefined;
  if (action === undefined || row.is_protected === 1) return [];
  const observedHead = { versionId, current: undefined };
  const version: EvaluatedVersion = { key, versionId, tags, place: "sole" };
  const isNullVersion = row.is_null_version === 1;
  return [
    {
      kind: "marker",
      key,
      versionId,
      isNullVersion,
      size: 0,
      storageClass: "STANDARD",
      action,
      version,
      observedHead,
      position,
    },
  ];
}

function evaluateNoncurrent(
  { configuration, now }: LifecycleWalk,
  row: VersionRow,
  { headId, isHeadMarker, successor, newer }: Chain,
  position: LifecyclePosition,
): EvaluatedObject[] {
  const { key, version_id: versionId, size, tags, storage_class: storageClass } = row;
  const isDeleteMarker = row.is_delete_marker === 1;
  const facts = { key, size, tags: parseTags(tags), storageClass, isDeleteMarker };
  const subject = { ...facts, noncurrentSince: successor.modifiedAt, newerVersions: newer };
  const action = actionOnNoncurrent(configuration, subject, now);
  if (action === undefined || (action.action === "expire" && row.is_protected === 1)) return [];
  const retainedVersions = action.action === "expire" ? action.newerVersions : 0;
  return [
    {
      kind: isDeleteMarker ? "marker" : "noncurrent",
      key,
      versionId,
      isNullVersion: row.is_null_version === 1,
      size,
      storageClass,
      action,
      version: {
        key,
        versionId,
        tags,
        place: "noncurrent",
        successorId: successor.versionId,
        newerVersions: retainedVersions + (isHeadMarker && retainedVersions > 0 ? 1 : 0),
      },
      observedHead: { versionId: headId, current: currentOf(row) },
      position,
    },
  ];
}

function currentOf(row: VersionRow): KeyHead["current"] {
  const { current_id: versionId, current_etag: etag, current_size: size, current_modified_at: modifiedAt } = row;
  if (versionId === null || etag === null || size === null || modifiedAt === null) return undefined;
  return { versionId, etag, size, modifiedAt };
}

/** Evaluates the rules on open uploads, which are ordered by key and time. */
export function evaluateUploads(
  { configuration, now }: LifecycleWalk,
  rows: readonly UploadRow[],
  { phase, from, after }: LifecyclePosition,
): EvaluatedUpload[] {
  return rows.flatMap(({ key, upload_id: uploadId, initiated_at: madeAt }, index) => {
    const action = actionOnUpload(configuration, { key, madeAt }, now);
    if (action === undefined) return [];
    const before = rows[index - 1];
    const afterInKey = before?.key === key ? before.upload_id : key === from ? after : "";
    return [{ kind: "upload", key, uploadId, action, position: { phase, from: key, after: afterInKey } }];
  });
}
