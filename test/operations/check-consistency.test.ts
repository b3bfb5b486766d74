import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { allReferences } from "../support/check-references.ts";
import { anonymous, deliver, send, type RequestScope } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { childrenOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { freshUser } from "../support/users.ts";

async function check(query = "", scope: RequestScope = {}): Promise<Element> {
  const response = await send("GET", `/?fsck${query}`, {}, scope);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

/** The findings of a response about a bucket's rows and blobs. */
function saidOf(id: string, answer: Element): { findings: string[]; orphans: string[] } {
  const texts = (name: string): string[] =>
    childrenOf(answer, name)
      .map(({ text }) => text)
      .filter((text) => text.includes(id));
  return { findings: texts("Finding"), orphans: texts("Orphan") };
}

describe("CheckConsistency", () => {
  it("reports nothing about consistent rows and blobs", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const answer = await check();
    expect(answer.name).toBe("CheckConsistencyResult");
    expect(textOf(answer, "IsTruncated")).toBe("false");
    expect(saidOf(await bucketId(bucket), answer)).toEqual({ findings: [], orphans: [] });
  });

  it("finds a missing blob, an orphan, and rows that contradict each other", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x", other: "y" }, IN_STORE);
    const id = await bucketId(bucket);
    const { objects } = await storedStateOf(bucket);
    const { k, other } = objects;
    await env.BLOBS.delete(k?.blob_id ?? "");
    await env.BLOBS.put(`${id}/orphaned`, "x");
    await env.DB.prepare("INSERT INTO garbage VALUES (?, 0)").bind(other?.blob_id).run();
    const said = saidOf(id, await check());
    expect(said.findings).toEqual([
      `${other?.blob_id} is in the garbage and has 1 holders`,
      `blob ${k?.blob_id} must have 1 bytes and is missing`,
    ]);
    expect(said.orphans).toEqual([`${id}/orphaned`]);
    await env.DB.prepare("DELETE FROM garbage WHERE blob_id = ?").bind(other?.blob_id).run();
    await env.DB.prepare("DELETE FROM objects WHERE bucket_id = ?").bind(id).run();
    await env.BLOBS.delete([`${id}/orphaned`, other?.blob_id ?? ""]);
  });

  it("does not report a write in progress", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    let isFirst = true;
    const DB = d1With(async (sql, send_) => {
      // The blobs are already listed, without this object's.
      if (isFirst && sql.some((text) => text.includes("needed"))) {
        isFirst = false;
        await putAll(bucket, { k: "late" });
      }
      return send_();
    });
    expect(saidOf(id, await check("", { DB })).findings).toEqual([]);
    expect(isFirst).toBe(false);
  });

  it("continues after a blob, without the rules between tables", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const id = await bucketId(bucket);
    const { makeToken } = await import("../../src/protocol/listings/listing.ts");
    await env.BLOBS.put(`${id}/~orphaned`, "x");
    const token = encodeURIComponent(await makeToken(`${id}/~`, ["consistency"]));
    const answer = await check(`&continuation-token=${token}`);
    expect(saidOf(id, answer)).toEqual({ findings: [], orphans: [`${id}/~orphaned`] });
    await env.BLOBS.delete(`${id}/~orphaned`);
  });

  it("returns the same findings as the tests' own checker", async () => {
    const { findings, orphans } = await allReferences();
    const answer = await check();
    expect(childrenOf(answer, "Finding").map(({ text }) => text)).toEqual(findings);
    expect(childrenOf(answer, "Orphan").map(({ text }) => text)).toEqual(orphans);
  });

  it("rejects users unless root is disabled, anonymous callers, and invalid tokens", async () => {
    await expectS3Error(await deliver(anonymous("GET", "/?fsck")), { status: 403, code: "AccessDenied" });
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    await expectS3Error(await send("GET", "/?fsck", { credentials }), { status: 403, code: "AccessDenied" });
    const without = await freshUser({ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" });
    const disabled = { ROOT_CREDENTIALS: "disabled" };
    const allowed = await send("GET", "/?fsck", { credentials }, disabled);
    expect(allowed.status, "while root is disabled, a user who may").toBe(200);
    await expectS3Error(await send("GET", "/?fsck", { credentials: without.credentials }, disabled), {
      status: 403,
      code: "AccessDenied",
    });
    const garbled = await send("GET", "/?fsck&continuation-token=x");
    const fields = { ArgumentName: "continuation-token", ArgumentValue: "x" };
    await expectS3Error(garbled, { status: 400, code: "InvalidArgument", fields });
  });
});
