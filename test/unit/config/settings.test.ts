// How settings are parsed: misspelt ones delete nothing and are reported.
import { describe, expect, it } from "vitest";

import { readSettings, SETTINGS } from "../../../src/config/settings.ts";
import { misspeltSettings, settingProblems } from "../../../src/config/setting-problems.ts";
import type { Setting } from "../../../src/config/setting-checks.ts";
import { SCHEDULE } from "../../../src/jobs/schedule.ts";

const HOUR_MS = 3_600_000;
const MASTER_KEY = btoa("0123456789abcdef0123456789abcdef");

const WRONG_WORDS = ["off", "False", "TRUE", "no", "0", "1", "tru", "true;", "'false'"];
const WRONG_NUMBERS = ["7d", "-1", "1.5", "999999", "1e2", "0x10", "a", "1,000", "١"];

/** Invalid values of each setting. */
const WRONG_TEXTS: Readonly<Record<string, readonly string[]>> = {
  CAIRN_ROOT_ACCESS_KEY_ID: ["a/b", "with space", "é", "ab"],
  CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID: ["a/b", "with space"],
  ROOT_CREDENTIALS: [...WRONG_WORDS, "Disabled"],
  CAIRN_MASTER_KEY: ["short", "A".repeat(44), `${MASTER_KEY},${MASTER_KEY}`],
  CAIRN_PREVIOUS_MASTER_KEYS: ["short", `${MASTER_KEY},short`],
  BACKUP_EVERY_HOURS: ["daily", "-1", "8761"],
  BACKUPS_KEPT: ["0", "all"],
  RESTORE: ["yesterday", "true", "2026-11-29"],
  ACCOUNT_ID: ["1234", "1234-5678-9012", "12345678901x"],
  REGION: ["us east", "eu/west", "ü"],
  DOMAINS: ["https://s3.example.com", "s3.example.com:9000", "a,b/c", "*.example.com"],
  CONSOLE_HOST: ["https://console.example.com", "console.example.com:9000", "a,b", "*.example.com"],
  DELIVERY: ["cdn.example.com", "*=bucket", "http://a=bucket", "a=bucket,A=other"],
  DELIVERY_CLEAN_URLS: WRONG_WORDS,
  DELIVERY_CACHE_SECONDS: ["-1", "1.5", "3601", "x"],
  DELIVERY_READS: [...WRONG_WORDS, "replicas"],
  BUCKET_NAMES: [...WRONG_WORDS, "AWS"],
  RESERVED_BUCKET_NAMES: ["a b", "a,*b", "*"],
  REQUIRE_LOCATION_CONSTRAINT: WRONG_WORDS,
  DEFAULT_OBJECT_OWNERSHIP: WRONG_WORDS,
  BLOB_STORE_ENDPOINT: [
    "s3.example.com",
    "ftp://s3.example.com",
    "https://s3.example.com/path",
    "https://a:b@s3.example.com",
  ],
  BLOB_STORE_BUCKET: ["a b", "a/b", "ab"],
  BLOB_STORE_REGION: ["us east", "eu/west"],
  BLOB_STORE_STYLE: [...WRONG_WORDS, "Path"],
  BLOB_STORE_ACCESS_KEY_ID: ["a/b", "with space"],
  COORDINATOR_SHARDS: [...WRONG_NUMBERS, "0"],
  RECOVERY_WINDOW_HOURS: [...WRONG_NUMBERS, "0", "9999", ""],
  JOB_CALLS_PER_TICK: [...WRONG_NUMBERS, "0"],
  LIFECYCLE: [...WRONG_WORDS, "dry-run", ""],
  UPSTREAMS: [
    "x",
    "[]",
    '{"old":{}}',
    '{"1old":{"endpoint":"https://s3.example.com","buckets":["b"]}}',
    '{"old":{"endpoint":"https://s3.example.com"}}',
    '{"old":{"endpoint":"https://s3.example.com","buckets":[]}}',
    '{"old":{"endpoint":"https://s3.example.com/path","buckets":["b"]}}',
    '{"old":{"endpoint":"file:///etc/passwd","buckets":["b"]}}',
    '{"old":{"endpoint":"https://u:p@s3.example.com","buckets":["b"]}}',
    '{"old":{"endpoint":"https://s3.example.com","buckets":["b"],"accessKeyId":"key"}}',
    '{"old":{"endpoint":"https://s3.example.com","buckets":["b"],"secretKey":"secret"}}',
    '{"old":{"endpoint":"https://s3.example.com","buckets":["b"],"style":"other"}}',
  ],
  EVENT_QUEUES: ["1x", "a b", "a/b"],
  EVENT_RETENTION_DAYS: ["0", "91", "week"],
  EVENT_WEBHOOKS: [
    "x",
    "[]",
    '{"a":{"url":"https://example.com"}}',
    '{"a":{"url":"https://example.com","secret":"short"}}',
    '{"a":{"url":"file:///etc/passwd","secret":"0123456789abcdef"}}',
    '{"a":{"url":"https://u:p@example.com","secret":"0123456789abcdef"}}',
  ],
  INLINE_MAX_BYTES: [...WRONG_NUMBERS, "131073"],
  INLINE_PACK_MINUTES: [...WRONG_NUMBERS, "0", "1441"],
  INLINE_DATABASE_GIGABYTES: [...WRONG_NUMBERS, "1001"],
  GARBAGE_COLLECTION: [...WRONG_WORDS, "dryrun", " "],
  REBUILD: [...WRONG_WORDS, ""],
  ORPHAN_SCAN: [...WRONG_WORDS, ""],
  ORPHAN_AGE_HOURS: [...WRONG_NUMBERS, "0", ""],
  ORPHAN_SHARE_PERCENT: [...WRONG_NUMBERS, "101", ""],
  SSE_CUSTOMER_KEYS_OVER_HTTP: [...WRONG_WORDS, "always"],
  SCRUB_MEGABYTES_PER_TICK: WRONG_NUMBERS,
  SCRUB_INFREQUENT_ACCESS: WRONG_WORDS,
  LOCATION: WRONG_WORDS,
  EDGE: [...WRONG_WORDS, "Cloudflare", "true"],
  EDGE_CACHE: [...WRONG_WORDS.filter((word) => word !== "off"), "on", "Cache-API"],
  ARCHIVE_MAX_READS: WRONG_NUMBERS,
  EDGE_CACHE_PIECE_MEBIBYTES: ["0", "9", "1.5", "-1", "2 MiB"],
  SPECULATIVE_READS: WRONG_WORDS,
  EDGE_CACHE_NAMESPACE: ["-a", "Cairn", "a b", "a/b", "x".repeat(64)],
  VERIFY_READS: [...WRONG_WORDS.filter((word) => word !== "off"), "sometimes"],
  CONSOLE: WRONG_WORDS,
  LOG_REQUESTS: WRONG_WORDS,
  LOG_SAMPLE_PERCENT: WRONG_NUMBERS,
  SERVER_TIMING: WRONG_WORDS,
  USAGE: WRONG_WORDS,
  USAGE_FLUSH_SECONDS: [...WRONG_NUMBERS, "26"],
  USAGE_DAYS_KEPT: [...WRONG_NUMBERS, "0", "3651"],
  ANONYMOUS_REQUESTS_PER_SECOND: ["7d", "-1", "1.5", "1000001", "1e2"],
  ANONYMOUS_KILOBYTES_PER_SECOND: ["7d", "-1", "1.5", "100000001", "1e2"],
  METRICS_TOKEN: ["short", "has a space in it, and is long enough"],
};

function controlsDeletion(name: string): boolean {
  const table: Readonly<Record<string, Setting>> = SETTINGS;
  return table[name]?.controlsDeletion === true;
}

describe("an S3 store for blobs", () => {
  const complete = {
    BLOB_STORE_ENDPOINT: "https://s3.example.com",
    BLOB_STORE_BUCKET: "blobs",
    BLOB_STORE_ACCESS_KEY_ID: "AKIAEXAMPLE",
    BLOB_STORE_SECRET_ACCESS_KEY: "secret",
  };

  it("is used if all of its settings are given, and R2 if none is", () => {
    expect(readSettings({}).blobStore).toEqual({ type: "R2" });
    expect(readSettings(complete).blobStore).toMatchObject({
      type: "S3",
      address: { endpoint: "https://s3.example.com", region: "auto", style: "path" },
    });
    expect(settingProblems(complete)).toEqual([]);
  });

  it.each(Object.keys(complete))("is never replaced by R2 when %s is missing or invalid", (name) => {
    const missing = { ...complete, [name]: "" };
    expect(readSettings(missing).blobStore).toEqual({ type: "S3", address: undefined });
    expect(settingProblems(missing).map(({ setting }) => setting)).toContain(name);
  });
});

describe("settings", () => {
  it("are the defaults when absent, and none of these is misspelt", () => {
    const defaults = Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]));
    expect(readSettings({})).toEqual(readSettings(defaults));
    expect(misspeltSettings({})).toEqual([]);
    expect(misspeltSettings(defaults)).toEqual([]);
    expect(readSettings({})).toMatchObject({ lifecycle: true, garbageCollection: "true", orphanScan: "true" });
  });

  it("can be numbers and booleans of wrangler.toml, which reach the Worker as such", () => {
    const given = { RECOVERY_WINDOW_HOURS: 168, GARBAGE_COLLECTION: false, ORPHAN_SCAN: false, LIFECYCLE: false };
    expect(misspeltSettings(given)).toEqual([]);
    expect(readSettings(given)).toMatchObject({
      recoveryWindowMs: 168 * HOUR_MS,
      garbageCollection: "false",
      orphanScan: "false",
      lifecycle: false,
    });
  });

  it.each(["off", "False", "no", "0"])("delete nothing when a setting that stops deletion is spelled %s", (value) => {
    const settings = readSettings({ GARBAGE_COLLECTION: value, ORPHAN_SCAN: value, LIFECYCLE: value });
    expect(settings).toMatchObject({ garbageCollection: "dry-run", orphanScan: "dry-run", lifecycle: false });
  });

  it.each(Object.keys(WRONG_TEXTS).filter(controlsDeletion))("delete nothing while %s is invalid", (name) => {
    for (const text of WRONG_TEXTS[name] ?? []) {
      const given = { [name]: text };
      expect(readSettings(given), `${name}=${text}`).toMatchObject({ isDeletionStopped: true, lifecycle: false });
      expect(readSettings(given).garbageCollection).toBe("dry-run");
      expect(readSettings(given).orphanScan).toBe("dry-run");
      expect(settingProblems(given)).toMatchObject([{ setting: name, stopsDeletion: true }]);
    }
    const off = { GARBAGE_COLLECTION: "false", ORPHAN_SCAN: "false", [name]: "wrong" };
    const settings = readSettings(off);
    expect([settings.garbageCollection, settings.orphanScan]).not.toContain("true");
  });

  it("are named when invalid, each of them, and without the value when they are secrets", () => {
    // Any text is a valid secret access key.
    const secrets = {
      BLOB_STORE_SECRET_ACCESS_KEY: [],
      CAIRN_ROOT_SECRET_ACCESS_KEY: [],
      CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY: [],
    };
    expect(Object.keys({ ...WRONG_TEXTS, ...secrets }).toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
    for (const [name, texts] of Object.entries(WRONG_TEXTS)) {
      for (const text of texts) {
        const messages = misspeltSettings({ [name]: text });
        expect(messages, `${name}=${text}`).toEqual([expect.stringContaining(name)]);
        if (name.startsWith("CAIRN_") && text !== "") expect(messages.join()).not.toContain(text);
        expect(() => readSettings({ [name]: text })).not.toThrow();
      }
    }
  });

  it.each<[string, unknown]>([
    ["a list", ["false"]],
    ["a table", { false: true }],
    ["null", null],
    ["no number", NaN],
  ])("are invalid when they are %s", (_, value) => {
    for (const name of Object.keys(SETTINGS).filter(controlsDeletion)) {
      expect(readSettings({ [name]: value }).isDeletionStopped, name).toBe(true);
    }
    expect(misspeltSettings({ BUCKET_NAMES: value })).toHaveLength(1);
  });

  it.each([
    ["GARBAGE_COLECTION", "GARBAGE_COLLECTION"],
    ["garbage_collection", "GARBAGE_COLLECTION"],
    ["GARBAGE-COLLECTION", "GARBAGE_COLLECTION"],
    ["RECOVERY_WINDOW_HOUR", "RECOVERY_WINDOW_HOURS"],
    ["LIFECYLE", "LIFECYCLE"],
    ["REBULD", "REBUILD"],
  ])("delete nothing when one is given as %s", (name, known) => {
    expect(readSettings({ [name]: "false" })).toMatchObject({ isDeletionStopped: true, garbageCollection: "dry-run" });
    expect(misspeltSettings({ [name]: "false" })).toEqual([
      `${name} is not the name of a setting; perhaps ${known} is meant`,
    ]);
  });

  it("ignore other names of the environment, and bindings with any name", () => {
    const given = { DB: {}, BLOBS: {}, REBUILT: {}, MODEL_RUNS: "", TEST_MIGRATIONS: [], CF_PAGES: "1" };
    expect(settingProblems(given)).toEqual([]);
    expect(settingProblems({ DOMAIN: "s3.example.com" })).toMatchObject([{ setting: "DOMAIN", stopsDeletion: false }]);
  });

  it("grant nothing and lock no one out when misspelt", () => {
    const root = { CAIRN_ROOT_ACCESS_KEY_ID: "id0", CAIRN_ROOT_SECRET_ACCESS_KEY: "secret" };
    expect(readSettings({ ...root, ROOT_CREDENTIALS: "disabled" }).root).toBeUndefined();
    for (const text of ["off", "Disabled", "false", "no", "0", "enable", " "]) {
      expect(readSettings({ ...root, ROOT_CREDENTIALS: text }).root, text).toBeDefined();
    }
    expect(readSettings({ SSE_CUSTOMER_KEYS_OVER_HTTP: "no" }).customerKeysOverHttp).toBe("never");
    expect(readSettings({ BUCKET_NAMES: "all" }).bucketNames).toBe("strict");
    expect(readSettings({ EDGE: "true" }).edge).toBe("none");
    expect(readSettings({ DEFAULT_OBJECT_OWNERSHIP: "x" }).defaultObjectOwnership).toBe("BucketOwnerEnforced");
  });

  it("are reported when another required one is missing, except in a check of some of them", () => {
    for (const [given, needed] of [
      ["CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY"],
      ["CAIRN_ROOT_SECRET_ACCESS_KEY", "CAIRN_ROOT_ACCESS_KEY_ID"],
      ["CAIRN_PREVIOUS_MASTER_KEYS", "CAIRN_MASTER_KEY"],
    ] as const) {
      const env = { [given]: given.includes("MASTER") ? MASTER_KEY : "of-root" };
      expect(settingProblems(env)).toMatchObject([{ setting: needed, stopsDeletion: false }]);
      expect(misspeltSettings(env)).toEqual([]);
    }
  });

  it("are reported when misspelt, with their valid values", () => {
    const given = { BUCKET_NAMES: "all", COORDINATOR_SHARDS: "x", REGION: "anywhere", CAIRN_MASTER_KEY: "short" };
    expect(misspeltSettings(given)).toEqual([
      "CAIRN_MASTER_KEY is not the base64 of 32 bytes: `openssl rand -base64 32` makes one",
      'BUCKET_NAMES is "all", and can be: strict, aws',
      'COORDINATOR_SHARDS is "x", and can be: a whole number from 1 to 256',
    ]);
  });
});

describe("the schedule", () => {
  const jobsUnder = (given: object): string[] =>
    SCHEDULE.filter(({ periodMs }) => periodMs(readSettings(given)) !== undefined).map(({ job }) => job.name);

  it("has no deleting job while a setting that controls deletion is invalid", () => {
    const deleting = ["end-stray-uploads", "lifecycle", "forget-tokens"];
    expect(jobsUnder({})).toEqual(expect.arrayContaining(["collect-garbage", "scan-orphans", ...deleting]));
    for (const name of Object.keys(SETTINGS).filter(controlsDeletion)) {
      const jobs = jobsUnder({ [name]: "off" });
      for (const job of deleting) expect(jobs, `${name} and ${job}`).not.toContain(job);
      // These two run, and count without deleting.
      expect(readSettings({ [name]: "off" })).toMatchObject({ garbageCollection: "dry-run", orphanScan: "dry-run" });
    }
  });

  it("runs the jobs that read and repair with any settings", () => {
    expect(jobsUnder({ REBUILD: "True" })).toEqual([
      "collect-garbage",
      "scan-orphans",
      "scrub",
      "deliver-events",
      "pack-small-blobs",
      "count-quotas",
      "build-query-indexes",
    ]);
    expect(jobsUnder({ REBUILD: "true" })).toEqual(["scrub", "count-quotas", "build-query-indexes", "rebuild"]);
  });

  it("counts for no quota while a backup is restored, which may exceed one", () => {
    expect(jobsUnder({ RESTORE: "latest" })).not.toContain("count-quotas");
    expect(jobsUnder({})).toContain("count-quotas");
  });
});
