// The Worker's settings, parsed from its environment.
import { asObjectOwnership, type ObjectOwnership } from "../protocol/acl/object-ownership.ts";
import {
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
import { givenText, itemsOf, masterKeys } from "./setting-checks.ts";
import { settingProblems } from "./setting-problems.ts";
import { SETTINGS } from "./setting-table.ts";
import { BLOB_STORE, SettingValues, type SettingName } from "./setting-values.ts";
import { parseUpstreams, type Upstream } from "./upstreams.ts";

export { SETTINGS } from "./setting-table.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

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
  /** The header in which the front of a local server reports a client's address, in lower case. */
  readonly clientAddressHeader: string | undefined;
  readonly edgeCache: (typeof SETTINGS.EDGE_CACHE.values)[number];
  readonly edgeCacheNamespace: string;
  readonly edgeCachePieceBytes: number;
  readonly speculativeReads: boolean;
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
  const values = new SettingValues(env);
  const isDeletionStopped = settingProblems(env).some(({ stopsDeletion }) => stopsDeletion);
  return {
    ...identitySettings(values),
    ...hostSettings(values),
    ...bucketSettings(values),
    ...storageSettings(values, env),
    ...jobSettings(values, isDeletionStopped),
    ...readPathSettings(values),
    clientAddressHeader: givenText(env, "CLIENT_ADDRESS_HEADER") || undefined,
    ...usageSettings(values),
    ...logSettings(values),
  };
}

function identitySettings(values: SettingValues) {
  const root =
    values.text("ROOT_CREDENTIALS") === "disabled"
      ? undefined
      : rootCredentials(values, "CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY");
  return {
    root,
    // Without a current pair there is no change-over, and disabling root disables both pairs.
    previousRoot:
      root && rootCredentials(values, "CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID", "CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY"),
    masterKeys: masterKeys(values.text("CAIRN_MASTER_KEY"), values.text("CAIRN_PREVIOUS_MASTER_KEYS")),
    accountId: values.valid("ACCOUNT_ID"),
  } satisfies Partial<Settings>;
}

function rootCredentials(values: SettingValues, id: SettingName, secret: SettingName): RootCredentials | undefined {
  const [accessKeyId, secretAccessKey] = [values.text(id), values.text(secret)];
  return accessKeyId !== "" && secretAccessKey !== "" ? { accessKeyId, secretAccessKey } : undefined;
}

function hostSettings(values: SettingValues) {
  const domains = values.list("DOMAINS");
  const delivery = withoutConflicts(parseDelivery(values.valid("DELIVERY")) ?? NO_DELIVERY, domains);
  const consoleHost = normalizedHost(values.valid("CONSOLE_HOST"));
  const isConsoleHostFree = consoleHostConflict(consoleHost, domains, delivery) === undefined;
  return {
    region: values.valid("REGION"),
    domains,
    delivery,
    deliveryCleanUrls: values.is("DELIVERY_CLEAN_URLS", "true"),
    deliveryCacheMs: values.number("DELIVERY_CACHE_SECONDS") * 1000,
    deliveryReads: values.is("DELIVERY_READS", "replica") ? "replica" : "primary",
    console: values.is("CONSOLE", "true"),
    consoleHost: isConsoleHostFree ? consoleHost || undefined : undefined,
    customerKeysOverHttp: values.is("SSE_CUSTOMER_KEYS_OVER_HTTP", "loopback") ? "loopback" : "never",
  } satisfies Partial<Settings>;
}

function bucketSettings(values: SettingValues) {
  return {
    bucketNames: values.is("BUCKET_NAMES", "aws") ? "aws" : "strict",
    reservedBucketNames: values.list("RESERVED_BUCKET_NAMES"),
    requireLocationConstraint: values.is("REQUIRE_LOCATION_CONSTRAINT", "true"),
    defaultObjectOwnership:
      asObjectOwnership(values.text("DEFAULT_OBJECT_OWNERSHIP")) ?? SETTINGS.DEFAULT_OBJECT_OWNERSHIP.default,
    eventTargets: {
      queues: new Set(itemsOf(values.valid("EVENT_QUEUES"))),
      webhooks: parseWebhooks(values.valid("EVENT_WEBHOOKS")) ?? new Map(),
    },
    eventRetentionMs: values.number("EVENT_RETENTION_DAYS") * DAY_MS,
    upstreams: parseUpstreams(values.valid("UPSTREAMS")) ?? new Map(),
  } satisfies Partial<Settings>;
}

function storageSettings(values: SettingValues, env: object) {
  return {
    location: SETTINGS.LOCATION.values.find((location) => location === values.valid("LOCATION")),
    blobStore: blobStoreSettings(env, values),
    inlineMaxBytes: values.number("INLINE_MAX_BYTES"),
    inlinePackMs: values.number("INLINE_PACK_MINUTES") * 60_000,
    inlineDatabaseBytes: values.number("INLINE_DATABASE_GIGABYTES") * 1_000_000_000,
    coordinatorShards: values.number("COORDINATOR_SHARDS"),
  } satisfies Partial<Settings>;
}

function jobSettings(values: SettingValues, isDeletionStopped: boolean) {
  const deletion = (name: "GARBAGE_COLLECTION" | "ORPHAN_SCAN"): DeletionSetting => {
    if (values.is(name, "false")) return "false";
    return values.is(name, "true") && !isDeletionStopped ? "true" : "dry-run";
  };
  return {
    jobCallsPerTick: values.number("JOB_CALLS_PER_TICK"),
    recoveryWindowMs: values.number("RECOVERY_WINDOW_HOURS") * HOUR_MS,
    lifecycle: values.is("LIFECYCLE", "true") && !isDeletionStopped,
    garbageCollection: deletion("GARBAGE_COLLECTION"),
    isDeletionStopped,
    rebuild: values.is("REBUILD", "true"),
    restore: values.valid("RESTORE") || undefined,
    backupPeriodMs: values.number("BACKUP_EVERY_HOURS") * HOUR_MS || undefined,
    backupsKept: values.number("BACKUPS_KEPT"),
    orphanScan: deletion("ORPHAN_SCAN"),
    orphanAgeMs: values.number("ORPHAN_AGE_HOURS") * HOUR_MS,
    orphanSharePercent: values.number("ORPHAN_SHARE_PERCENT"),
    scrubBytesPerTick: values.number("SCRUB_MEGABYTES_PER_TICK") * 1_000_000,
    scrubInfrequentAccess: values.is("SCRUB_INFREQUENT_ACCESS", "true"),
  } satisfies Partial<Settings>;
}

function readPathSettings(values: SettingValues) {
  // An invalid value verifies every read.
  const verifyReads = values.text("VERIFY_READS");
  return {
    edge: values.is("EDGE", "cloudflare") ? "cloudflare" : "none",
    edgeCache: SETTINGS.EDGE_CACHE.values.find((value) => value === values.valid("EDGE_CACHE")) ?? "off",
    speculativeReads: values.valid("SPECULATIVE_READS") === "true",
    edgeCachePieceBytes: values.number("EDGE_CACHE_PIECE_MEBIBYTES") * 1024 ** 2,
    edgeCacheNamespace: values.valid("EDGE_CACHE_NAMESPACE"),
    verifyReads: verifyReads === "off" || verifyReads === "sampled" ? verifyReads : "always",
    archiveMaxReads: values.number("ARCHIVE_MAX_READS"),
  } satisfies Partial<Settings>;
}

function usageSettings(values: SettingValues) {
  return {
    usage: !values.is("USAGE", "false"),
    usageFlushMs: values.number("USAGE_FLUSH_SECONDS") * 1000,
    usageDaysKept: values.number("USAGE_DAYS_KEPT"),
    addressRates: {
      requests: values.number("ANONYMOUS_REQUESTS_PER_SECOND") || undefined,
      bytesOut: values.number("ANONYMOUS_KILOBYTES_PER_SECOND") * 1000 || undefined,
    },
    metricsToken: values.valid("METRICS_TOKEN") || undefined,
  } satisfies Partial<Settings>;
}

function logSettings(values: SettingValues) {
  return {
    logRequests: !values.is("LOG_REQUESTS", "false"),
    logSamplePercent: values.number("LOG_SAMPLE_PERCENT"),
    serverTiming: values.is("SERVER_TIMING", "true"),
  } satisfies Partial<Settings>;
}

/**
 * Any setting of an S3 store selects it. If another one is missing or invalid, no store is used: blobs must not go into
 * a bucket where they are not found again.
 */
function blobStoreSettings(env: object, values: SettingValues): BlobStoreSettings {
  if (BLOB_STORE.every((name) => (givenText(env, name) ?? "") === "")) return { type: "R2" };
  const [endpoint, bucket, accessKeyId, secretAccessKey] = BLOB_STORE.map((name) => values.valid(name));
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey) return { type: "S3", address: undefined };
  const style = values.valid("BLOB_STORE_STYLE") === "virtual" ? "virtual" : "path";
  const region = values.valid("BLOB_STORE_REGION");
  return { type: "S3", address: { endpoint, bucket, region, style, accessKeyId, secretAccessKey } };
}
