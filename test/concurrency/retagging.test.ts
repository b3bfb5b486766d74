// Tags change without a new version, so no head tells a writer that they did.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { coordinatorsWith } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";

describe("tags that change while their object is renamed", () => {
  it.each([
    ["are put", "<Tag><Key>late</Key><Value>1</Value></Tag>"],
    ["are taken away", ""],
  ])("stay as they were acknowledged when they %s", async (_, tag) => {
    const bucket = await freshBucket();
    await putAll(bucket, { other: "y" });
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "x-amz-tagging": "early=1" } });
    const body = `<Tagging><TagSet>${tag}</TagSet></Tagging>`;
    // The rename has seen its source, and its commit is on its way.
    const COORDINATORS = coordinatorsWith(async (_method, call) => {
      const headers = { "content-md5": md5Base64(utf8(body)) };
      expect((await send("PUT", `/${bucket}/k?tagging`, { body, headers })).status).toBe(200);
      return call();
    });
    const headers = { "x-amz-rename-source": "k" };
    expect((await send("PUT", `/${bucket}/other?renameObject`, { headers }, { COORDINATORS })).status).toBe(200);
    const tagging = await (await send("GET", `/${bucket}/other?tagging`)).text();
    expect(tagging).toContain(tag === "" ? "<TagSet/>" : `<TagSet>${tag}</TagSet>`);
  });
});
