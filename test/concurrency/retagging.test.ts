// Tags change without a new version, so the head does not show the change to a writer.
import { describe, expect, it } from "vitest";

import { annotate, namesOf, payloadOf } from "../support/annotations.ts";
import { aclBucket, grantsOf, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { send } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { coordinatorsWith } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { tagsOf } from "../support/tagging.ts";

describe("tags and ACLs that change while their object is renamed", () => {
  it.each([
    ["are put", "<Tag><Key>late</Key><Value>1</Value></Tag>"],
    ["are deleted", ""],
  ])("stay as acknowledged when they %s", async (_, tag) => {
    const bucket = await freshBucket();
    await putAll(bucket, { other: "y" });
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "x-amz-tagging": "early=1" } });
    const body = `<Tagging><TagSet>${tag}</TagSet></Tagging>`;
    // The rename has read its source, and its commit is in flight.
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

  it.each([
    ["are opened", "private", "public-read", PUBLIC_READ],
    ["are closed", "public-read", "private", PRIVATE],
  ])("stay as acknowledged when ACLs %s", async (_, early, late, expected) => {
    const bucket = await aclBucket();
    await putAll(bucket, { other: "y" });
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "x-amz-acl": early, "x-amz-tagging": "a=1" } });
    const COORDINATORS = coordinatorsWith(async (_method, call) => {
      expect((await send("PUT", `/${bucket}/k?acl`, { headers: { "x-amz-acl": late } })).status).toBe(200);
      return call();
    });
    const headers = { "x-amz-rename-source": "k" };
    expect((await send("PUT", `/${bucket}/other?renameObject`, { headers }, { COORDINATORS })).status).toBe(200);
    expect(await grantsOf(`${bucket}/other?acl`)).toEqual(expected);
    expect(await tagsOf(`/${bucket}/other?tagging`)).toEqual({ a: "1" });
  });
});

describe("annotations that are put while their object is renamed", () => {
  it.each([
    ["the first", []],
    ["another", ["early"]],
  ])("move with it: %s", async (_, early) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const name of early) await annotate(`${bucket}/k`, name, name);
    const COORDINATORS = coordinatorsWith(async (_method, call) => {
      // After a first try of the commit the object may have moved.
      if ((await send("HEAD", `/${bucket}/k`)).status === 200) await annotate(`${bucket}/k`, "late", "text");
      return call();
    });
    const headers = { "x-amz-rename-source": "k" };
    expect((await send("PUT", `/${bucket}/other?renameObject`, { headers }, { COORDINATORS })).status).toBe(200);
    expect((await namesOf(`${bucket}/other`)).names).toEqual([...early, "late"]);
    expect(await payloadOf(`${bucket}/other`, "late")).toBe("text");
  });
});
