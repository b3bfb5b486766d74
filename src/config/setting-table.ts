// The table of the Worker's settings: their names in the environment, their defaults, and what they mean. README's table
// is made from it, and `npm start` passes on exactly these names, so a setting exists once.
import { FORMS, type Setting } from "./setting-checks.ts";

/** Every setting, as it is spelled in the environment, in `wrangler.toml`'s [vars] or as a secret. */
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
  ROOT_CREDENTIALS: {
    default: "enabled",
    values: ["enabled", "disabled"],
    meaning: "`disabled` refuses root's credentials and every session that began with them. Only this very word does.",
  },
  CAIRN_MASTER_KEY: {
    default: "",
    form: FORMS.masterKey,
    isSecret: true,
    meaning:
      "The base64 of 32 random bytes, under which the secrets of access keys and session tokens are sealed (a secret).",
  },
  CAIRN_PREVIOUS_MASTER_KEYS: {
    default: "",
    form: FORMS.masterKeys,
    isSecret: true,
    meaning: "Comma-separated master keys of before, until nothing is sealed under them any more (a secret).",
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
      "Region of buckets made without a LocationConstraint. Any region is accepted in a signature's scope; with `auto`, as with any name that is not one of AWS's, clients presign with SigV4.",
  },
  DOMAINS: {
    default: "",
    form: FORMS.hostNames,
    meaning:
      "Comma-separated host names of the endpoint, for virtual-hosted addressing: with `s3.example.com`, the host `b.s3.example.com` names bucket `b`. Path style always works.",
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
    meaning: "`true` makes CreateBucket demand a LocationConstraint.",
  },
  DEFAULT_OBJECT_OWNERSHIP: {
    default: "BucketOwnerEnforced",
    values: ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"],
    meaning:
      "Object ownership of new buckets that ask for none: `BucketOwnerEnforced` turns ACLs off; `BucketOwnerPreferred` and `ObjectWriter` let clients set them.",
  },
  LOCATION: {
    default: "",
    values: ["wnam", "enam", "weur", "eeur", "apac", "oc"],
    meaning:
      "Where coordinators are made, beside D1 and R2; `npm run deploy -- --location` sets it. Each stays where it was made first.",
  },
  COORDINATOR_SHARDS: {
    default: "8",
    range: [1, 256],
    meaning: "Durable Objects per bucket among which its keys are spread (1 to 256).",
  },
  RECOVERY_WINDOW_HOURS: {
    default: "24",
    range: [1, 8760],
    controlsDeletion: true,
    meaning:
      "Hours for which the bytes of a removed or replaced object are kept before the collector deletes them (1 to 8760).",
  },
  JOB_CALLS_PER_TICK: {
    default: "2000",
    range: [10, 40_000],
    meaning:
      "Calls of D1, Durable Objects and R2 that scheduled jobs make each time they run (10 to 40000); 40 fits the Free plan.",
  },
  LIFECYCLE: {
    default: "true",
    values: ["true", "false"],
    controlsDeletion: true,
    meaning: "`false` stops lifecycle rules: nothing expires, moves to another storage class or is aborted by them.",
  },
  GARBAGE_COLLECTION: {
    default: "true",
    values: ["true", "dry-run", "false"],
    controlsDeletion: true,
    meaning:
      "Deletion of removed bytes after their recovery window. `dry-run` only counts them in the log, `false` stops it.",
  },
  REBUILD: {
    default: "false",
    values: ["true", "false"],
    controlsDeletion: true,
    meaning:
      "`true` makes a lost database again from what is kept beside the stored bytes, if it is empty (docs/recovery.md). Until it is set back and the hold on deletions is lifted, nothing is deleted on the schedule.",
  },
  ORPHAN_SCAN: {
    default: "true",
    values: ["true", "dry-run", "false"],
    controlsDeletion: true,
    meaning:
      "Daily search for bytes that no metadata refers to. `dry-run` only counts them in the log, `false` stops it.",
  },
  ORPHAN_AGE_HOURS: {
    default: "24",
    range: [1, 8760],
    controlsDeletion: true,
    meaning: "Bytes younger than this may belong to an upload that still runs; the orphan scan leaves them alone.",
  },
  ORPHAN_SHARE_PERCENT: {
    default: "5",
    range: [0, 100],
    controlsDeletion: true,
    meaning:
      "The orphan scan deletes nothing where a larger share of all blobs in R2 seems to belong to nobody, but for very few.",
  },
  SSE_CUSTOMER_KEYS_OVER_HTTP: {
    default: "loopback",
    values: ["loopback", "never"],
    meaning:
      "Whether encryption keys of customers (SSE-C) are taken over plain HTTP: `loopback` for requests to this machine itself, `never` for none.",
  },
  SCRUB_MEGABYTES_PER_TICK: {
    default: "1200",
    range: [0, 100_000],
    meaning:
      "Stored bytes that are read again and compared with their checksums each time the hourly schedule runs, in MB (0 to 100000, 0: none).",
  },
  SCRUB_INFREQUENT_ACCESS: {
    default: "false",
    values: ["true", "false"],
    meaning:
      "`true` reads bytes in R2's Infrequent Access again as well, which costs $0.01 per GB each week: four times what storing them costs.",
  },
  EDGE: {
    default: "none",
    values: ["cloudflare", "none"],
    meaning:
      "Who is before the Worker and is believed about the client's address, its TLS and its Accept-Encoding: `cloudflare`, as `wrangler.toml` says of a deployment, or nobody. `npm start` believes nobody whatever is set.",
  },
  VERIFY_READS: {
    default: "sampled",
    values: ["off", "sampled", "always"],
    meaning:
      "Which reads of whole objects are compared with the stored checksum (docs/recovery.md): none, one in 16, or `always`. One that does not match breaks off before its last bytes.",
  },
  LOG_REQUESTS: {
    default: "true",
    values: ["true", "false"],
    meaning:
      "`false` writes no line to the Worker's log for each request (docs/observability.md). `npm start` writes none unless it is `true`.",
  },
  LOG_SAMPLE_PERCENT: {
    default: "100",
    range: [0, 100],
    meaning:
      "Of requests that succeed, the share whose line is written to the log, in percent. Every request that fails has one.",
  },
  SERVER_TIMING: {
    default: "false",
    values: ["true", "false"],
    meaning: "`true` adds a `Server-Timing` header with each request's counts of D1, Durable Object and blob calls.",
  },
} as const satisfies Record<string, Setting>;
