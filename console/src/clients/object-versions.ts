// The versions of one key: their list, the effects of lifecycle rules and locks, and restoring a deleted key.
import { getConfiguration } from "./configurations.ts";
import type { Connection } from "./connection.ts";
import { ServiceError } from "./failures.ts";
import { type PreviewedAction, type PreviewPage, previewLifecycle } from "./lifecycle.ts";
import { headObject, type ObjectAddress, type ObjectLock } from "./object.ts";
import { deleteMany, type ListedVersion, listVersions, type VersionPage } from "./versions.ts";
import { childrenOf, optionalText, parseXml, textOf } from "./xml.ts";

export interface KeyVersions {
  /** Newest first. */
  readonly versions: readonly ListedVersion[];
  readonly next: VersionPage["next"];
}

/** A page of the versions and delete markers of a key. Other keys that begin with it are left out. */
export async function listVersionsOfKey(
  connection: Connection,
  { bucket, key }: ObjectAddress,
  after?: VersionPage["next"],
  signal?: AbortSignal,
): Promise<KeyVersions> {
  const page = await listVersions(connection, bucket, {
    prefix: key,
    ...(after && { after }),
    ...(signal && { signal }),
  });
  // The key itself sorts before longer keys that begin with it.
  const versions = page.versions.filter((version) => version.key === key);
  return { versions, next: versions.length === page.versions.length ? page.next : undefined };
}

/** When and by which rule stored versions will expire. */
export interface Expiration {
  readonly ruleId: string;
  /** In ms; undefined where the rule names no day. */
  readonly at: number | undefined;
}

const DAY_MS = 86_400_000;
/** A dry run for a day far away lists everything that rules will ever remove. */
const HORIZON_MS = 30 * 365 * DAY_MS;
/** Many other keys may begin with this one. */
const PREVIEW_PAGES_MAX = 20;

/**
 * The expirations of noncurrent versions and delete markers, by version id. The server returns the rule; the day follows
 * from the rule.
 */
export async function expirationsOf(
  connection: Connection,
  { bucket, key }: ObjectAddress,
  versions: readonly ListedVersion[],
): Promise<ReadonlyMap<string, Expiration>> {
  const text = await getConfiguration(connection, bucket, "lifecycle");
  if (text === undefined) return new Map();
  const days = noncurrentDaysIn(text);
  const day = new Date(connection.now() + HORIZON_MS).toISOString().slice(0, 10);
  const actions: PreviewedAction[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < PREVIEW_PAGES_MAX; pages += 1) {
    const page: PreviewPage = await previewLifecycle(connection, bucket, { day, prefix: key, token });
    actions.push(...page.actions);
    token = page.nextToken;
    if (token === undefined) break;
  }
  const expirations = new Map<string, Expiration>();
  for (const { type, key: ofKey, id, ruleId } of actions) {
    if (ofKey !== key || (type !== "DeleteVersion" && type !== "DeleteMarkerRemoval")) continue;
    const newer = versions[versions.findIndex(({ versionId }) => versionId === id) - 1];
    const after = days.get(ruleId);
    const isDated = type === "DeleteVersion" && newer !== undefined && after !== undefined;
    expirations.set(id, {
      ruleId,
      at: isDated ? nextMidnight(newer.modifiedAt + after * DAY_MS) : undefined,
    });
  }
  return expirations;
}

function noncurrentDaysIn(text: string): Map<string, number> {
  const rules = childrenOf(parseXml(text), "Rule");
  return new Map(
    rules.flatMap((rule) => {
      const days = optionalText(rule, "NoncurrentVersionExpiration", "NoncurrentDays");
      return days === undefined ? [] : [[textOf(rule, "ID"), Number(days)] as const];
    }),
  );
}

/** Rules act at midnight UTC. */
export function nextMidnight(at: number): number {
  return Math.ceil(at / DAY_MS) * DAY_MS;
}

/** The locks of versions by version id, in a bucket with Object Lock. Locks that cannot be read are omitted. */
export async function locksOf(
  connection: Connection,
  address: ObjectAddress,
  versions: readonly ListedVersion[],
): Promise<ReadonlyMap<string, ObjectLock>> {
  const text = await getConfiguration(connection, address.bucket, "object-lock");
  if (text === undefined) return new Map();
  const locks = new Map<string, ObjectLock>();
  for (const { versionId, isDeleteMarker } of versions) {
    if (isDeleteMarker) continue;
    try {
      locks.set(versionId, (await headObject(connection, { ...address, versionId })).lock);
    } catch (failure) {
      if (!(failure instanceof ServiceError)) throw failure;
    }
  }
  return locks;
}

/**
 * Restores a deleted key: deletes the delete markers above its newest version. @returns whether it had one
 * @throws Error if the server refuses to delete a marker
 */
export async function undeleteKey(connection: Connection, address: ObjectAddress): Promise<boolean> {
  const { versions } = await listVersionsOfKey(connection, address);
  const newest = versions.findIndex(({ isDeleteMarker }) => !isDeleteMarker);
  if (newest < 0) return false;
  const outcomes = await deleteMany(connection, address.bucket, versions.slice(0, newest));
  const refused = outcomes.find(({ failure }) => failure !== undefined)?.failure;
  if (refused !== undefined) throw new Error(refused.message || refused.code);
  return true;
}
