// The x-amz-expiration header of every response about a current version.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expiresAfter, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

const EXPIRATION = "x-amz-expiration";

function ends(days: number, ruleId: string): string {
  return `expiry-date="${new Date(midnight(days + 1)).toUTCString()}", rule-id="${ruleId}"`;
}

async function expirationOf(
  method: string,
  target: string,
  headers: Record<string, string> = {},
): Promise<string | null> {
  const response = await send(method, target, { headers });
  expect(response.status).toBeLessThan(300);
  await response.arrayBuffer();
  return response.headers.get(EXPIRATION);
}

describe("x-amz-expiration", () => {
  it("is returned by every write and read of an object that a rule will expire", async () => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule(expiresAfter(180), { id: "après 180 jours/é", ...prefixed("k") }));
    const expected = ends(180, "apr%C3%A8s%20180%20jours%2F%C3%A9");
    const put = await send("PUT", `/${bucket}/k`, { body: "1" });
    expect(put.headers.get(EXPIRATION)).toBe(expected);
    expect(await expirationOf("PUT", `/${bucket}/k2`, { "x-amz-copy-source": `/${bucket}/k` })).toBe(expected);
    const uploadId = await createUpload(bucket, "k3");
    const part = await putPart(bucket, "k3", uploadId, 1, "part");
    const completed = await sendCompletion(bucket, "k3", uploadId, [part]);
    expect(completed.headers.get(EXPIRATION)).toBe(expected);
    for (const key of ["k", "k2", "k3"]) {
      for (const method of ["GET", "HEAD"]) expect(await expirationOf(method, `/${bucket}/${key}`)).toBe(expected);
    }
    expect(await expirationOf("GET", `/${bucket}/k`, { range: "bytes=0-0" })).toBe(expected);
  });

  it("names the earliest expiration, and is missing when no rule applies", async () => {
    const bucket = await freshBucket();
    await putLifecycle(
      bucket,
      rule(expiresAfter(10), { id: "late", ...prefixed("a") }),
      rule(expiresAfter(2), { id: "early", ...prefixed("ab") }),
      rule(expiresAfter(1), { id: "off", ...prefixed("a"), status: "Disabled" }),
      rule(expiresAfter(1), {
        id: "large",
        filter: "<Filter><ObjectSizeGreaterThan>2</ObjectSizeGreaterThan></Filter>",
      }),
      rule(expiresAfter(1), { id: "tagged", filter: "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>" }),
      rule(
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        { id: "uploads" },
      ),
      rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>", { id: "markers" }),
    );
    const put = async (key: string, body: string, headers = {}): Promise<string | null> =>
      (await send("PUT", `/${bucket}/${key}`, { body, headers })).headers.get(EXPIRATION);
    expect(await put("a", "1")).toBe(ends(10, "late"));
    expect(await put("abc", "1")).toBe(ends(2, "early"));
    expect(await put("b", "123")).toBe(ends(1, "large"));
    expect(await put("b", "1", { "x-amz-tagging": "k=v" })).toBe(ends(1, "tagged"));
    expect(await expirationOf("HEAD", `/${bucket}/b`)).toBe(ends(1, "tagged"));
    expect(await put("b", "1")).toBeNull();
    expect(await expirationOf("GET", `/${bucket}/b`)).toBeNull();
  });

  it("contains the date of a rule with one, also when it is past", async () => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule("<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>", { id: "d" }));
    const put = await send("PUT", `/${bucket}/k`, { body: "1" });
    expect(put.headers.get(EXPIRATION)).toBe('expiry-date="Wed, 01 Jan 2020 00:00:00 GMT", rule-id="d"');
  });

  it("is missing when the date is beyond the range of dates", async () => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule(expiresAfter(2_147_483_647)));
    expect((await send("PUT", `/${bucket}/k`, { body: "1" })).headers.get(EXPIRATION)).toBeNull();
  });

  it("is returned for current versions only, and not for requests with a version id", async () => {
    const bucket = await versionedBucket();
    await putLifecycle(bucket, rule(expiresAfter(1), { id: "r" }));
    const versionId = await putVersion(bucket, "k", "1");
    expect(await expirationOf("HEAD", `/${bucket}/k`)).toBe(ends(1, "r"));
    expect(await expirationOf("HEAD", `/${bucket}/k?versionId=${versionId}`)).toBeNull();
    await deleteKey(bucket, "k");
    const gone = await send("HEAD", `/${bucket}/k`);
    expect([gone.status, gone.headers.get(EXPIRATION)]).toEqual([404, null]);
  });
});
