// The Worker's settings, parsed from its environment, and all problems of an environment.
import { asObjectOwnership, type ObjectOwnership } from "../protocol/acl/object-ownership.ts";
import {
  conflictingHosts,
  consoleHostConflict,
  NO_DELIVERY,
  normalizedHost,
  parseDelivery,
  withoutConflicts,
  type DeliveryHosts,
} from "../protocol/core/host-names.ts";
import type { S3BucketAddress } from "../state/blobs/s3-bucket-address.ts";
import type { Rates } from "../protocol/core/rates.ts";
import { parseWebhooks, type EventTargets } from "./event-targets.ts";
import {
  givenText,
  isPossible,
  itemsOf,
  masterKeys,
  missingCompanions,
  problemOfName,
  problemsOfTexts,
  type SettingProblem,
} from "./setting-checks.ts";
import { SETTINGS } from "./setting-table.ts";
import { parseUpstreams, type Upstream } from "./upstreams.ts";

export { SETTINGS } from "./setting-table.ts";

export type SettingName = keyof typeof SETTINGS;
type NumberName = { [N in SettingName]: (typeof SETTINGS)[N] extends { range: unknown } ? N : never }[SettingName];

/** Whether a job deletes, only reports what it would delete, or does neither. */
export type DeletionSetting = "true" | "dry-run" | "false";

/** A location hint of Cloudflare. */
export type Location = (typeof SETTINGS.LOCATION.values)[number];

/** A pair of root credentials. */
export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where blobs are stored. An S3 store without an address has incomplete settings, and every call to it fails. */
export type BlobStoreSettings =
  | { readonly type: "R2" }
  | { readonly type: "S3"; readonly address: S3BucketAddress | undefined };

/** The parsed settings. */
export interface Settings {
  readonly root: RootCredentials | undefined;
  /** Accepted in addition to `root` while clients change over. */
  readonly previousRoot: RootCredentials | undefined;
  /**
   * Base64; the first one encrypts, all of them decrypt. Without any, there are no users and no temporary credentials.
   */
  readonly masterKeys: readonly string[];
  readonly accountId: string;
  readonly region: string;
  readonly domains: readonly string[];
  /** Without hosts that also serve S3. */
  readonly delivery: DeliveryHosts;
  readonly deliveryCleanUrls: boolean;
  readonly deliveryCacheMs: number;
  readonly deliveryReads: "primary" | "replica";
  readonly bucketNames: "strict" | "aws";
  readonly reservedBucketNames: readonly string[];
  readonly requireLocationConstraint: boolean;
  readonly defaultObjectOwnership: ObjectOwnership;
  /** Where coordinators are created; undefined: near their first caller. */
  readonly location: Location | undefined;
  readonly blobStore: BlobStoreSettings;
  /** Longer bodies are not stored in the database. */
  readonly inlineMaxBytes: number;
  readonly inlinePackMs: number;
  /** A larger database keeps no new bodies. */
  readonly inlineDatabaseBytes: number;
  readonly coordinatorShards: number;
  readonly recoveryWindowMs: number;
  readonly jobCallsPerTick: number;
  readonly lifecycle: boolean;
  readonly garbageCollection: DeletionSetting;
  /** Whether a setting that controls deletion is invalid, so that scheduled jobs delete nothing. */
  readonly isDeletionStopped: boolean;
  readonly rebuild: boolean;
  /** The backup to restore; undefined: none. */
  readonly restore: string | undefined;
  /** Undefined: no backups. */
  readonly backupPeriodMs: number | undefined;
  readonly backupsKept: number;
  readonly orphanScan: DeletionSetting;
  readonly orphanAgeMs: number;
  readonly orphanSharePercent: number;
  readonly customerKeysOverHttp: "loopback" | "never";
  /** 0 disables scrubbing. */
  readonly scrubBytesPerTick: number;
  readonly scrubInfrequentAccess: boolean;
  readonly edge: "cloudflare" | "none";
  readonly edgeCache: (typeof SETTINGS.EDGE_CACHE.values)[number];
  readonly edgeCacheNamespace: string;
  readonly edgeCachePieceBytes: number;
  readonly verifyReads: "off" | "sampled" | "always";
  /** The most blob reads of one archive. */
  readonly archiveMaxReads: number;
  /** Whether requests are counted. */
  readonly usage: boolean;
  readonly usageFlushMs: number;
  readonly usageDaysKept: number;
  /** Of requests without credentials, for each client address. */
  readonly addressRates: Rates;
  /** Undefined: there are no metrics. */
  readonly metricsToken: string | undefined;
  /** The destinations that notification configurations may name. */
  readonly eventTargets: EventTargets;
  readonly eventRetentionMs: number;
  /** Whether the web console is served. */
  readonly console: boolean;
  /** The host on which `/` is the console; lower case, and no host of a bucket or of delivery. */
  readonly consoleHost: string | undefined;
  /** The stores from which buckets may import, by name. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly logRequests: boolean;
  /** Applies to successful requests. */
  readonly logSamplePercent: number;
  readonly serverTiming: boolean;
}

/**
 * Parses the settings of the Worker's environment. An invalid setting counts as not set, with two exceptions: it never
 * widens access, and scheduled jobs delete nothing while a setting that controls deletion is invalid.
 */
export function readSettings(env: object): Settings {
  const text = (name: SettingName): string => {
    const given = givenText(env, name);
    return given === undefined || given === "" ? SETTINGS[name].default : given;
  };
  const possible = (name: SettingName): string =>
    isPossible(SETTINGS[name], text(name)) ? text(name) : SETTINGS[name].default;
  const list = (name: SettingName): string[] => itemsOf(possible(name).toLowerCase());
  const whole = (name: NumberName): number => Number(possible(name));
  const isDeletionStopped = settingProblems(env).some(({ stopsDeletion }) => stopsDeletion);
  const deletion = (name: "GARBAGE_COLLECTION" | "ORPHAN_SCAN"): DeletionSetting => {
    if (text(name) === "false") return "false";
    return text(name) === "true" && !isDeletionStopped ? "true" : "dry-run";
  };
  // An invalid value verifies every read.
  const verifyReads = text("VERIFY_READS");
  const pair = (id: SettingName, secret: SettingName): RootCredentials | undefined => {
    const [accessKeyId, secretAccessKey] = [text(id), text(secret)];
    return accessKeyId !== "" && secretAccessKey !== "" ? { accessKeyId, secretAccessKey } : undefined;
  };
  const root =
    text("ROOT_CREDENTIALS") === "disabled"
      ? undefined
      : pair("CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY");
  const domains = list("DOMAINS");
  const delivery = withoutConflicts(parseDelivery(possible("DELIVERY")) ?? NO_DELIVERY, domains);
  const consoleHost = normalizedHost(possible("CONSOLE_HOST"));
  return {
    root,
    // Without a current pair there is no change-over, and disabling root disables both pairs.
    previousRoot: root && pair("CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID", "CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY"),
    masterKeys: masterKeys(text("CAIRN_MASTER_KEY"), text("CAIRN_PREVIOUS_MASTER_KEYS")),
    accountId: possible("ACCOUNT_ID"),
    region: possible("REGION"),
    domains,
    delivery,
    deliveryCleanUrls: text("DELIVERY_CLEAN_URLS") === "true",
    deliveryCacheMs: whole("DELIVERY_CACHE_SECONDS") * 1000,
    deliveryReads: text("DELIVERY_READS") === "replica" ? "replica" : "primary",
    bucketNames: text("BUCKET_NAMES") === "aws" ? "aws" : "strict",
    reservedBucketNames: list("RESERVED_BUCKET_NAMES"),
    requireLocationConstraint: text("REQUIRE_LOCATION_CONSTRAINT") === "true",
    defaultObjectOwnership:
      asObjectOwnership(text("DEFAULT_OBJECT_OWNERSHIP")) ?? SETTINGS.DEFAULT_OBJECT_OWNERSHIP.default,
    location: asLocation(possible("LOCATION")),
    blobStore: blobStoreSettings(env, possible),
    inlineMaxBytes: whole("INLINE_MAX_BYTES"),
    inlinePackMs: whole("INLINE_PACK_MINUTES") * 60_000,
    inlineDatabaseBytes: whole("INLINE_DATABASE_GIGABYTES") * 1_000_000_000,
    coordinatorShards: whole("COORDINATOR_SHARDS"),
    recoveryWindowMs: whole("RECOVERY_WINDOW_HOURS") * 3_600_000,
    jobCallsPerTick: whole("JOB_CALLS_PER_TICK"),
    lifecycle: text("LIFECYCLE") === "true" && !isDeletionStopped,
    garbageCollection: deletion("GARBAGE_COLLECTION"),
    isDeletionStopped,
    rebuild: text("REBUILD") === "true",
    restore: possible("RESTORE") || undefined,
    backupPeriodMs: whole("BACKUP_EVERY_HOURS") * 3_600_000 || undefined,
    backupsKept: whole("BACKUPS_KEPT"),
    orphanScan: deletion("ORPHAN_SCAN"),
    orphanAgeMs: whole("ORPHAN_AGE_HOURS") * 3_600_000,
    orphanSharePercent: whole("ORPHAN_SHARE_PERCENT"),
    customerKeysOverHttp: text("SSE_CUSTOMER_KEYS_OVER_HTTP") === "loopback" ? "loopback" : "never",
    scrubBytesPerTick: whole("SCRUB_MEGABYTES_PER_TICK") * 1_000_000,
    scrubInfrequentAccess: text("SCRUB_INFREQUENT_ACCESS") === "true",
    edge: text("EDGE") === "cloudflare" ? "cloudflare" : "none",
    edgeCache: SETTINGS.EDGE_CACHE.values.find((value) => value === possible("EDGE_CACHE")) ?? "off",
    edgeCachePieceBytes: whole("EDGE_CACHE_PIECE_MEBIBYTES") * 1024 ** 2,
    edgeCacheNamespace: possible("EDGE_CACHE_NAMESPACE"),
    verifyReads: verifyReads === "off" || verifyReads === "sampled" ? verifyReads : "always",
    archiveMaxReads: whole("ARCHIVE_MAX_READS"),
    usage: text("USAGE") !== "false",
    usageFlushMs: whole("USAGE_FLUSH_SECONDS") * 1000,
    usageDaysKept: whole("USAGE_DAYS_KEPT"),
    addressRates: {
      requests: whole("ANONYMOUS_REQUESTS_PER_SECOND") || undefined,
      bytesOut: whole("ANONYMOUS_KILOBYTES_PER_SECOND") * 1000 || undefined,
    },
    metricsToken: possible("METRICS_TOKEN") || undefined,
    eventTargets: {
      queues: new Set(itemsOf(possible("EVENT_QUEUES"))),
      webhooks: parseWebhooks(possible("EVENT_WEBHOOKS")) ?? new Map(),
    },
    eventRetentionMs: whole("EVENT_RETENTION_DAYS") * 86_400_000,
    console: text("CONSOLE") === "true",
    consoleHost:
      consoleHostConflict(consoleHost, domains, delivery) === undefined ? consoleHost || undefined : undefined,
    upstreams: parseUpstreams(possible("UPSTREAMS")) ?? new Map(),
    logRequests: text("LOG_REQUESTS") !== "false",
    logSamplePercent: whole("LOG_SAMPLE_PERCENT"),
    serverTiming: text("SERVER_TIMING") === "true",
  };
}

/** All problems of a complete environment. */
export function settingProblems(env: object): SettingProblem[] {
  return [...problemsOfTexts(SETTINGS, env), ...hostProblems(env), ...missingCompanions(COMPANIONS, env)];
}

/** Hosts that two settings claim. Those of DELIVERY and CONSOLE_HOST are ignored. */
function hostProblems(env: object): SettingProblem[] {
  const hosts = parseDelivery(givenText(env, "DELIVERY") ?? "") ?? NO_DELIVERY;
  const domains = itemsOf((givenText(env, "DOMAINS") ?? "").toLowerCase());
  const ofDelivery = conflictingHosts(hosts, domains).map((host) => ({
    setting: "DELIVERY",
    message: `DELIVERY contains ${host}, which is also a host of the S3 endpoint (DOMAINS); a site needs an origin of its own`,
    stopsDeletion: false,
  }));
  const console = normalizedHost(givenText(env, "CONSOLE_HOST") ?? "");
  const conflict = consoleHostConflict(console, domains, withoutConflicts(hosts, domains));
  if (conflict === undefined) return ofDelivery;
  const other = conflict === "bucket" ? "the host of a bucket (DOMAINS)" : "a delivery host (DELIVERY)";
  const message = `CONSOLE_HOST is ${console}, which is also ${other}; the console needs a host of its own`;
  return [...ofDelivery, { setting: "CONSOLE_HOST", message, stopsDeletion: false }];
}

/**
 * Invalid settings, and names that resemble those of settings. Ignores missing settings, which may be secrets that are
 * set elsewhere.
 */
export function misspeltSettings(env: object): string[] {
  return [...problemsOfTexts(SETTINGS, env), ...hostProblems(env)].map(({ message }) => message);
}

/** Whether a name resembles that of a setting that controls deletion. */
export function isMisnamedDeletion(name: string): boolean {
  return problemOfName(SETTINGS, name)?.stopsDeletion === true;
}

/** Settings of an S3 store that are needed together. */
const BLOB_STORE = [
  "BLOB_STORE_ENDPOINT",
  "BLOB_STORE_BUCKET",
  "BLOB_STORE_ACCESS_KEY_ID",
  "BLOB_STORE_SECRET_ACCESS_KEY",
] as const satisfies readonly SettingName[];

/** Settings that have no effect without another one. */
const COMPANIONS: readonly (readonly [given: SettingName, needed: SettingName])[] = [
  ["CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY"],
  ["CAIRN_ROOT_SECRET_ACCESS_KEY", "CAIRN_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID", "CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY"],
  ["CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY", "CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_MASTER_KEYS", "CAIRN_MASTER_KEY"],
  ...BLOB_STORE.flatMap((given) => BLOB_STORE.filter((it) => it !== given).map((needed) => [given, needed] as const)),
];

function asLocation(text: string): Location | undefined {
  return SETTINGS.LOCATION.values.find((location) => location === text);
}

/**
 * Any setting of an S3 store selects it. If another one is missing or invalid, no store is used: blobs must not go into
 * a bucket where they are not found again.
 */
function blobStoreSettings(env: object, valid: (name: SettingName) => string): BlobStoreSettings {
  if (BLOB_STORE.every((name) => (givenText(env, name) ?? "") === "")) return { type: "R2" };
  const [endpoint, bucket, accessKeyId, secretAccessKey] = BLOB_STORE.map(valid);
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey) return { type: "S3", address: undefined };
  const style = valid("BLOB_STORE_STYLE") === "virtual" ? "virtual" : "path";
  return {
    type: "S3",
    address: { endpoint, bucket, region: valid("BLOB_STORE_REGION"), style, accessKeyId, secretAccessKey },
  };
}
