// The table of the Worker's settings: names in the environment, defaults and meanings. The settings table of the docs
// is generated from it, and `npm start` passes on exactly these names.
import { CONSOLE_SETTINGS } from "./console-settings.ts";
import { EDGE_CACHE_SETTINGS } from "./edge-cache-settings.ts";
import { EXCHANGE_SETTINGS } from "./exchange-settings.ts";
import { INLINE_SETTINGS } from "./inline-settings.ts";
import { FORMS, type Setting } from "./setting-checks.ts";
import { USAGE_SETTINGS } from "./usage-settings.ts";

/** All settings, by their name in the environment, in `wrangler.toml`'s [vars] or as a secret. */
export const SETTINGS = {
  CAIRN_ROOT_ACCESS_KEY_ID: {
    default: "",
    form: FORMS.accessKeyId,
    isSecret: true,
    meaning: "Access key id of the root credentials (a secret).",
  },
  CAIRN_ROOT_SECRET_ACCESS_KEY: {
    default: "",
    isSecret: true,
    meaning: "Secret access key of the root credentials (a secret).",
  },
  CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID: {
    default: "",
    form: FORMS.accessKeyId,
    isSecret: true,
    meaning:
      "Access key id of the previous root credentials, accepted beside the current ones while clients change over (a secret).",
  },
  CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY: {
    default: "",
    isSecret: true,
    meaning: "Secret access key of the previous root credentials (a secret).",
  },
  ROOT_CREDENTIALS: {
    default: "enabled",
    values: ["enabled", "disabled"],
    meaning: "`disabled` rejects root's credentials and all sessions that they started. Any other value does not.",
  },
  CAIRN_MASTER_KEY: {
    default: "",
    form: FORMS.masterKey,
    isSecret: true,
    meaning: "Base64 of 32 random bytes. Encrypts the secrets of access keys and session tokens (a secret).",
  },
  CAIRN_PREVIOUS_MASTER_KEYS: {
    default: "",
    form: FORMS.masterKeys,
    isSecret: true,
    meaning: "Comma-separated previous master keys, needed until nothing is encrypted under them (a secret).",
  },
  ACCOUNT_ID: {
    default: "000000000000",
    form: FORMS.accountId,
    meaning: "The 12-digit account id that owns what root creates.",
  },
  REGION: {
    default: "auto",
    form: FORMS.region,
    meaning:
      "Region of buckets created without a LocationConstraint. Signatures may contain any region. With `auto`, or any other name that AWS does not use, clients presign with SigV4.",
  },
  DOMAINS: {
    default: "",
    form: FORMS.hostNames,
    meaning:
      "Comma-separated host names of the endpoint, for virtual-hosted addressing: with `s3.example.com`, the host `b.s3.example.com` addresses bucket `b`. Path style always works.",
  },
  DELIVERY: {
    default: "",
    form: FORMS.delivery,
    meaning:
      "Comma-separated delivery hosts (docs/delivery.md): `cdn.example.com=bucket` or `cdn.example.com=bucket/prefix`, and `*.site.example.com` for the subdomains that buckets claim or that carry the name of a bucket with a website configuration.",
  },
  DELIVERY_CLEAN_URLS: {
    default: "false",
    values: ["true", "false"],
    meaning: "`true` makes delivery hosts serve `/about` from the key `about.html`.",
  },
  DELIVERY_CACHE_SECONDS: {
    default: "5",
    range: [0, 3600],
    meaning:
      "Seconds for which delivery hosts use what they know of a bucket, and of objects without a Cache-Control, before they ask D1 again (0 to 3600; 0 asks on every request). While they ask, they use it for as many seconds more.",
  },
  DELIVERY_READS: {
    default: "primary",
    values: ["primary", "replica"],
    meaning:
      "Where delivery hosts read objects' metadata: D1's `primary`, or the nearest read `replica`, whose lag adds to the staleness.",
  },
  BUCKET_NAMES: {
    default: "strict",
    values: ["strict", "aws"],
    meaning: "`strict`: letters, digits and hyphens. `aws`: AWS's full rules, which allow dots.",
  },
  RESERVED_BUCKET_NAMES: {
    default: "cw-*,vip-*,log-stitcher-ch-*,int,cdn-cgi",
    form: FORMS.bucketNames,
    meaning: "Comma-separated bucket names that cannot be created; a trailing `*` reserves a prefix.",
  },
  REQUIRE_LOCATION_CONSTRAINT: {
    default: "false",
    values: ["true", "false"],
    meaning: "`true` makes CreateBucket require a LocationConstraint.",
  },
  DEFAULT_OBJECT_OWNERSHIP: {
    default: "BucketOwnerEnforced",
    values: ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"],
    meaning:
      "Object ownership of new buckets whose request contains none. `BucketOwnerEnforced` disables ACLs; `BucketOwnerPreferred` and `ObjectWriter` enable them.",
  },
  LOCATION: {
    default: "",
    values: ["wnam", "enam", "weur", "eeur", "apac", "oc"],
    meaning:
      "Where coordinators are created; should be the location of D1 and R2. `npm run deploy -- --location` sets it. A coordinator never moves.",
  },
  BLOB_STORE_ENDPOINT: {
    default: "",
    form: FORMS.endpoint,
    meaning:
      "Endpoint of the S3 store for blobs, such as `https://s3.eu-central-1.amazonaws.com`; empty: the R2 bucket of the binding `BLOBS` (docs/blob-stores.md).",
  },
  BLOB_STORE_BUCKET: {
    default: "",
    form: FORMS.bucketName,
    meaning: "Bucket of that store, for the blobs of this deployment alone.",
  },
  BLOB_STORE_REGION: {
    default: "auto",
    form: FORMS.region,
    meaning: "Region that requests to that store are signed for.",
  },
  BLOB_STORE_STYLE: {
    default: "path",
    values: ["path", "virtual"],
    meaning: "Addressing of that bucket: in the `path`, or `virtual` in the host name.",
  },
  BLOB_STORE_ACCESS_KEY_ID: {
    default: "",
    form: FORMS.accessKeyId,
    isSecret: true,
    meaning: "Access key id for that store (a secret).",
  },
  BLOB_STORE_SECRET_ACCESS_KEY: {
    default: "",
    isSecret: true,
    meaning: "Secret access key for that store (a secret).",
  },
  COORDINATOR_SHARDS: {
    default: "2",
    range: [1, 256],
    meaning: "Number of Durable Objects that share the keys of a bucket (1 to 256).",
  },
  RECOVERY_WINDOW_HOURS: {
    default: "24",
    range: [1, 8760],
    controlsDeletion: true,
    meaning:
      "Hours for which the bytes of a deleted or replaced object stay recoverable before garbage collection purges them (1 to 8760).",
  },
  JOB_CALLS_PER_TICK: {
    default: "2000",
    range: [10, 40_000],
    meaning:
      "Maximum number of calls to D1, Durable Objects and R2 in one run of the scheduled jobs (10 to 40000); 40 fits the Free plan.",
  },
  LIFECYCLE: {
    default: "true",
    values: ["true", "false"],
    controlsDeletion: true,
    meaning: "`false` stops lifecycle rules: they expire, transition and abort nothing.",
  },
  GARBAGE_COLLECTION: {
    default: "true",
    values: ["true", "dry-run", "false"],
    controlsDeletion: true,
    meaning:
      "Garbage collection after the recovery window. `dry-run` only logs how much it would purge, `false` stops it.",
  },
  REBUILD: {
    default: "false",
    values: ["true", "false"],
    controlsDeletion: true,
    meaning:
      "`true` rebuilds an empty database from the metadata in the blob store (docs/recovery.md). Scheduled jobs delete nothing until it is `false` again and the hold on deletions is released.",
  },
  BACKUP_EVERY_HOURS: {
    default: "0",
    range: [0, 8760],
    meaning:
      "Interval in hours at which the metadata is backed up from D1 to R2 (docs/recovery.md); 0 disables it (0 to 8760).",
  },
  BACKUPS_KEPT: {
    default: "7",
    range: [1, 1000],
    meaning: "Number of complete backups that are kept (1 to 1000); older ones are deleted after the next backup.",
  },
  RESTORE: {
    default: "",
    form: FORMS.backup,
    meaning:
      "Id of a backup, or `latest`: restores an empty database from it (docs/recovery.md). Scheduled jobs delete nothing until the setting is removed and the hold on deletions is released.",
  },
  ORPHAN_SCAN: {
    default: "true",
    values: ["true", "dry-run", "false"],
    controlsDeletion: true,
    meaning:
      "Daily scan for blobs that no row references. `dry-run` only logs how many it would purge, `false` stops it.",
  },
  ORPHAN_AGE_HOURS: {
    default: "24",
    range: [1, 8760],
    controlsDeletion: true,
    meaning: "Minimum age of an orphan in hours (1 to 8760). A younger blob may belong to an upload that still runs.",
  },
  ORPHAN_SHARE_PERCENT: {
    default: "5",
    range: [0, 100],
    controlsDeletion: true,
    meaning:
      "If more than this share of all blobs in R2 look like orphans, the orphan scan purges none of them; a very small number is exempt.",
  },
  SSE_CUSTOMER_KEYS_OVER_HTTP: {
    default: "loopback",
    values: ["loopback", "never"],
    meaning:
      "Which requests may send SSE-C keys over plain HTTP: `loopback` allows requests to this machine only, `never` allows none.",
  },
  SCRUB_MEGABYTES_PER_TICK: {
    default: "1200",
    range: [0, 100_000],
    meaning:
      "Stored bytes that each hourly run reads and compares with their checksums, in MB (0 to 100000; 0 disables it).",
  },
  SCRUB_INFREQUENT_ACCESS: {
    default: "false",
    values: ["true", "false"],
    meaning:
      "`true` also compares bytes in R2's Infrequent Access class. Reading them costs $0.01 per GB each week, four times the cost of storing them.",
  },
  EDGE: {
    default: "none",
    values: ["cloudflare", "none"],
    meaning:
      "The trusted proxy in front of the Worker, which reports the client's address, TLS version and Accept-Encoding: `cloudflare`, set in `wrangler.toml` for deployments, or `none`. `npm start` always uses `none`.",
  },
  ...EDGE_CACHE_SETTINGS,
  VERIFY_READS: {
    default: "sampled",
    values: ["off", "sampled", "always"],
    meaning:
      "Which reads of whole objects are compared with the stored checksum (docs/recovery.md): `off` for none, `sampled` for one in 16 of objects up to 1 GiB, or `always` for every read of objects up to 16 GiB. A read that does not match aborts before its last bytes.",
  },
  ARCHIVE_MAX_READS: {
    default: "10000",
    range: [1, 40_000],
    meaning:
      "The most reads of blobs for one ZIP or tar (docs/archives.md): one for each object, or for each part of a multipart object. Each is a subrequest of the Worker, which `limits` in wrangler.toml bounds.",
  },
  ...INLINE_SETTINGS,
  ...USAGE_SETTINGS,
  ...EXCHANGE_SETTINGS,
  ...CONSOLE_SETTINGS,
  LOG_REQUESTS: {
    default: "true",
    values: ["true", "false"],
    meaning:
      "`false` disables the log line of each request (docs/observability.md). With `npm start`, only `true` enables it.",
  },
  LOG_SAMPLE_PERCENT: {
    default: "100",
    range: [0, 100],
    meaning: "Share of successful requests that are logged, in percent. Failed requests are always logged.",
  },
  SERVER_TIMING: {
    default: "false",
    values: ["true", "false"],
    meaning: "`true` adds a `Server-Timing` header with each request's counts of D1, Durable Object and blob calls.",
  },
} as const satisfies Record<string, Setting>;
