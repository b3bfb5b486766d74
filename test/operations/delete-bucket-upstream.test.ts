import { afterEach, expect, it, vi } from "vitest";

import { purgeImportRecords } from "../../src/jobs/purge-import-records.ts";
import { send } from "../support/client.ts";
import { runPass } from "../support/jobs.ts";
import { importingBucket, readThrough, setUpstream, storedText, upstreamWith } from "../support/upstream.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("DeleteBucketUpstream ends imports, keeps what was imported, and remembers what was deleted", async () => {
  const received = upstreamWith({ "/old-bucket/kept": { text: "1" }, "/old-bucket/gone": { text: "2" } });
  const bucket = await importingBucket();
  await readThrough("GET", `/${bucket}/kept`);
  expect((await send("DELETE", `/${bucket}/gone`)).status).toBe(204);
  expect((await send("DELETE", `/${bucket}?upstream`)).status).toBe(204);
  const before = received.length;
  expect((await readThrough("GET", `/${bucket}/gone`)).status).toBe(404);
  expect(received).toHaveLength(before);
  expect(await storedText(bucket, "kept")).toBe("1");
  await runPass(purgeImportRecords, Date.now());
  await setUpstream(bucket);
  expect((await readThrough("GET", `/${bucket}/gone`)).status).toBe(404);
});

it("a deleted bucket's records of deletions are purged", async () => {
  const bucket = await importingBucket();
  for (const key of ["a", "b"]) await send("DELETE", `/${bucket}/${key}`);
  await runPass(purgeImportRecords, Date.now());
  expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
  expect((await runPass(purgeImportRecords, Date.now())).report).toMatchObject({ purged: 2 });
});
