// How settings are read from what a person gives: misspelt ones delete nothing, and are told.
import { describe, expect, it } from "vitest";

import { misspeltSettings, readSettings, SETTINGS } from "../../../src/contract/settings.ts";

const HOUR_MS = 3_600_000;

describe("settings", () => {
  it("are the defaults where nothing is given, and none of these is misspelt", () => {
    const defaults = Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]));
    expect(readSettings({})).toEqual(readSettings(defaults));
    expect(misspeltSettings({})).toEqual([]);
    expect(misspeltSettings(defaults)).toEqual([]);
    expect(readSettings({})).toMatchObject({ lifecycle: true, garbageCollection: "true", orphanScan: "true" });
  });

  it("may be numbers and truth values of wrangler.toml, which reach the Worker as such", () => {
    const given = { RECOVERY_WINDOW_HOURS: 168, GARBAGE_COLLECTION: false, ORPHAN_SCAN: false, LIFECYCLE: false };
    expect(misspeltSettings(given)).toEqual([]);
    expect(readSettings(given)).toMatchObject({
      recoveryWindowMs: 168 * HOUR_MS,
      garbageCollection: "false",
      orphanScan: "false",
      lifecycle: false,
    });
  });

  it.each(["off", "False", "no", "0"])("delete nothing where what is to stop deletion is spelled %s", (value) => {
    const settings = readSettings({ GARBAGE_COLLECTION: value, ORPHAN_SCAN: value, LIFECYCLE: value });
    expect(settings).toMatchObject({ garbageCollection: "dry-run", orphanScan: "dry-run", lifecycle: false });
  });

  it.each(["7d", "-1", "0", "1.5", "9999", "1e2"])("delete nothing while the recovery window is %s", (value) => {
    const settings = readSettings({ RECOVERY_WINDOW_HOURS: value });
    expect(settings).toMatchObject({ garbageCollection: "dry-run", orphanScan: "dry-run" });
    expect(readSettings({ RECOVERY_WINDOW_HOURS: value, GARBAGE_COLLECTION: "false" }).garbageCollection).toBe("false");
  });

  it("let nobody in who is kept out by a misspelt one", () => {
    const root = { CAIRN_ROOT_ACCESS_KEY_ID: "id", CAIRN_ROOT_SECRET_ACCESS_KEY: "secret" };
    expect(readSettings(root).root).toBeDefined();
    expect(readSettings({ ...root, ROOT_CREDENTIALS: "off" }).root).toBeUndefined();
    expect(readSettings({ SSE_CUSTOMER_KEYS_OVER_HTTP: "no" }).customerKeysOverHttp).toBe("never");
    expect(readSettings({ BUCKET_NAMES: "all" }).bucketNames).toBe("strict");
  });

  it("are told where they are misspelt, with what they can be", () => {
    const given = { BUCKET_NAMES: "all", COORDINATOR_SHARDS: "x", REGION: "anywhere", CAIRN_MASTER_KEY: "short" };
    expect(misspeltSettings(given)).toEqual([
      'BUCKET_NAMES is "all", and can be: strict, aws',
      'COORDINATOR_SHARDS is "x", and can be: a whole number from 1 to 256',
    ]);
  });
});
