import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { KeyRing } from "../../src/auth/identity/key-ring.ts";
import { resealSecrets } from "../../src/jobs/reseal-secrets.ts";
import { SCHEDULE } from "../../src/jobs/schedule.ts";
import { readSettings } from "../../src/config/settings.ts";
import { send } from "../support/client.ts";
import { runPass } from "../support/jobs.ts";
import { allow, credentialsOf, freshUser, succeed } from "../support/query-api.ts";

const OLD = btoa("the master key of the tests only");
const NEW = btoa("the key that takes its place now");

it("a master key replaces another without interrupting requests", async () => {
  const { credentials } = await freshUser(allow("s3:*"));
  const session = credentialsOf(await succeed("sts", "GetSessionToken", {}, { credentials }));
  const version = async (): Promise<string | null | undefined> =>
    (
      await env.DB.prepare("SELECT key_version FROM access_keys WHERE id = ?")
        .bind(credentials.accessKeyId)
        .first<{ key_version: string }>()
    )?.key_version;
  const status = async (scope: object, signer: typeof credentials = credentials): Promise<number> =>
    (await send("GET", "/", { credentials: signer }, scope)).status;
  const both = { CAIRN_MASTER_KEY: NEW, CAIRN_PREVIOUS_MASTER_KEYS: ` ${OLD} , not-a-key` };
  const [oldVersion, newVersion] = [(await KeyRing.of([OLD])).version, (await KeyRing.of([NEW])).version];

  expect(await version()).toBe(oldVersion);
  expect([await status(both), await status(both, session)]).toEqual([200, 200]);
  const { report } = await runPass(resealSecrets, Date.now(), both);
  expect(report["resealed"]).toBeGreaterThan(0);
  expect(report["unopened"]).toBe(0);
  expect(await version()).toBe(newVersion);
  expect(await status(both)).toBe(200);
  expect(await status({ CAIRN_MASTER_KEY: NEW })).toBe(200);
  // Sessions encrypted with the previous key last as long as that key is configured.
  expect([await status(both, session), await status({ CAIRN_MASTER_KEY: NEW }, session)]).toEqual([200, 400]);

  const second = await runPass(resealSecrets, Date.now(), both);
  expect(second.report).toEqual({ resealed: 0, unopened: 0 });
  expect(second.counts.d1RowsWritten).toBe(0);
  // Restores the state for the other tests.
  await runPass(resealSecrets, Date.now(), { CAIRN_MASTER_KEY: OLD, CAIRN_PREVIOUS_MASTER_KEYS: NEW });
  expect(await status({})).toBe(200);
});

it("reads nothing without a previous master key, and is not due then", async () => {
  for (const scope of [{}, { CAIRN_MASTER_KEY: "", CAIRN_PREVIOUS_MASTER_KEYS: OLD }]) {
    const { counts } = await runPass(resealSecrets, Date.now(), scope);
    expect(counts.d1RoundTrips).toBe(0);
    const scheduled = SCHEDULE.find(({ job }) => job === resealSecrets);
    expect(scheduled?.periodMs(readSettings({ ...env, ...scope }))).toBeUndefined();
  }
  const settings = readSettings({ CAIRN_MASTER_KEY: NEW, CAIRN_PREVIOUS_MASTER_KEYS: OLD });
  expect(SCHEDULE.find(({ job }) => job === resealSecrets)?.periodMs(settings)).toBe(3_600_000);
});

it("leaves secrets that do not decrypt unchanged, and does not loop over them", async () => {
  const { credentials } = await freshUser();
  const { version } = await KeyRing.of([NEW]);
  const spoil = (keyVersion: string) =>
    env.DB.prepare("UPDATE access_keys SET key_version = ? WHERE id = ?")
      .bind(keyVersion, credentials.accessKeyId)
      .run();
  await spoil(version);
  const both = { CAIRN_MASTER_KEY: OLD, CAIRN_PREVIOUS_MASTER_KEYS: NEW };
  const { report, steps } = await runPass(resealSecrets, Date.now(), both);
  expect([report["resealed"], report["unopened"], steps]).toEqual([0, 1, 1]);
  await env.DB.prepare("DELETE FROM access_keys WHERE id = ?").bind(credentials.accessKeyId).run();
});
