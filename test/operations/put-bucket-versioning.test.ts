import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { utf8, md5Base64 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectUntouched } from "../support/rows.ts";
import { bodyOf, putVersion, setVersioning, versionsOf } from "../support/versioning.ts";

async function statusOf(bucket: string): Promise<string | undefined> {
  return textOf(readXml(await (await send("GET", `/${bucket}?versioning`)).text()), "Status");
}

function configuration(content: string): string {
  return `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</VersioningConfiguration>`;
}

describe("PutBucketVersioning", () => {
  it("turns versioning on and off, and answers 200 without a body", async () => {
    const bucket = await freshBucket();
    for (const status of ["Enabled", "Suspended", "Enabled"]) {
      const body = configuration(`<Status>${status}</Status>`);
      const response = await send("PUT", `/${bucket}?versioning`, { body });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      expect(await statusOf(bucket)).toBe(status);
    }
  });

  it("accepts Suspended for a bucket whose versioning never was on", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Suspended");
    expect(await statusOf(bucket)).toBe("Suspended");
  });

  it("leaves the objects that are there as their keys' null versions", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "before" });
    await setVersioning(bucket, "Enabled");
    expect(await versionsOf(bucket)).toEqual([{ kind: "Version", key: "k", versionId: "null", isLatest: true }]);
    const after = await putVersion(bucket, "k", "after");
    expect(after).toMatch(/^[0-9a-v]{32}$/);
    expect(await bodyOf(bucket, "k", "null")).toBe("before");
    expect(await bodyOf(bucket, "k")).toBe("after");
  });

  it("takes a digest where one is sent and verifies it", async () => {
    const bucket = await freshBucket();
    const body = configuration("<Status>Enabled</Status>");
    const wrong = { "content-md5": md5Base64(utf8("something else")) };
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?versioning`, { body, headers: wrong }), {
        status: 400,
        code: "BadDigest",
        fields: { ExpectedDigest: md5Base64(utf8("something else")), CalculatedDigest: md5Base64(utf8(body)) },
      }),
    );
    const headers = { "content-md5": md5Base64(utf8(body)) };
    expect((await send("PUT", `/${bucket}?versioning`, { body, headers })).status).toBe(200);
    expect(await statusOf(bucket)).toBe("Enabled");
  });

  it.each([
    ["no status", configuration(""), 400, "IllegalVersioningConfigurationException", {}],
    ["another status", configuration("<Status>On</Status>"), 400, "MalformedXML", {}],
    ["a status in lower case", configuration("<Status>enabled</Status>"), 400, "MalformedXML", {}],
    ["two statuses", configuration("<Status>Enabled</Status><Status>Enabled</Status>"), 400, "MalformedXML", {}],
    ["another element", configuration("<State>Enabled</State>"), 400, "MalformedXML", {}],
    ["another document", "<Versioning><Status>Enabled</Status></Versioning>", 400, "MalformedXML", {}],
    ["no XML", "Enabled", 400, "MalformedXML", {}],
    ["nothing", "", 400, "MalformedXML", {}],
    [
      "MFA delete",
      configuration("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"),
      501,
      "NotImplemented",
      { Header: "MfaDelete" },
    ],
  ] as const)("refuses %s and changes nothing", async (_name, body, status, code, fields) => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?versioning`, { body }), { status, code, fields }),
    );
    expect(await statusOf(bucket)).toBeUndefined();
  });

  it("answers NoSuchBucket where there is none, and refuses anonymous requests", async () => {
    const body = configuration("<Status>Enabled</Status>");
    const missing = freshBucketName();
    await expectS3Error(await send("PUT", `/${missing}?versioning`, { body }), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?versioning`, { body })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});
