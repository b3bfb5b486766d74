import { describe, expect, it } from "vitest";

import { dayOf } from "../../src/protocol/core/usage-days.ts";
import { anonymous, deliver, ROOT, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { credentialsOf, succeed } from "../support/query-api.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { freshUser } from "../support/users.ts";

/** Adds the counts right after each answer. */
const COUNTED = { USAGE: "true", USAGE_FLUSH_SECONDS: "0" } as const;
const today = (): string => dayOf(Date.now());
const yesterday = (): string => dayOf(Date.now() - 86_400_000);

type Row = Readonly<Record<string, string>>;

describe("GetAccountRequestUsage", () => {
  it("reports every bucket, a deleted one too, page by page", async () => {
    const bucket = freshBucketName();
    await send("PUT", `/${bucket}`, {}, COUNTED);
    await send("PUT", `/${bucket}/a`, { body: "1" }, COUNTED);
    await send("DELETE", `/${bucket}/a`, {}, COUNTED);
    await send("DELETE", `/${bucket}`, {}, COUNTED);
    let token: string | undefined;
    const rows: Row[] = [];
    do {
      const page = token === undefined ? "" : `&continuation-token=${encodeURIComponent(token)}`;
      const response = await send("GET", `/?usage&from=${yesterday()}&to=${today()}${page}`);
      const root = readXml(await response.text());
      rows.push(
        ...childrenOf(root, "Usage").map(({ children }) => Object.fromEntries(children.map((c) => [c.name, c.text]))),
      );
      token = textOf(root, "NextContinuationToken");
    } while (token !== undefined);
    const ofBucket = rows.filter((row) => row["Bucket"] === bucket);
    expect(ofBucket.reduce((sum, row) => sum + Number(row["Requests"]), 0)).toBe(3);
  });

  it("reports one access key's requests in all buckets, those of its sessions too, in one round trip", async () => {
    const { credentials } = await freshUser({ Effect: "Allow", Action: ["s3:*", "sts:*"], Resource: "*" });
    const session = credentialsOf(await succeed("sts", "GetSessionToken", {}, { credentials }));
    const buckets = [await freshBucket(), await freshBucket()];
    for (const bucket of buckets) {
      await send("PUT", `/${bucket}/a`, { body: "12345", credentials }, COUNTED);
      await send("HEAD", `/${bucket}/a`, { credentials: session }, COUNTED);
      await send("HEAD", `/${bucket}/a`, {}, COUNTED);
    }
    const report = async (query: string): Promise<Row[]> => {
      const response = await send("GET", `/?usage&from=${yesterday()}&to=${today()}${query}`);
      expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
      return childrenOf(readXml(await response.text()), "Usage").map(({ children }) =>
        Object.fromEntries(children.map((child) => [child.name, child.text])),
      );
    };
    const rows = await report(`&access-key-id=${credentials.accessKeyId}`);
    expect(new Set(rows.map((row) => row["AccessKeyId"]))).toEqual(new Set([credentials.accessKeyId]));
    expect(new Set(rows.map((row) => row["Bucket"]))).toEqual(new Set(buckets));
    for (const row of rows) expect(row).toMatchObject({ Requests: "2", ClassA: "1", ClassB: "1", BytesIn: "5" });
    expect(await report("&access-key-id=AKIANOSUCHKEY")).toEqual([]);
    const anonymousRows = await report("&access-key-id=");
    expect(anonymousRows.every((row) => row["AccessKeyId"] === "")).toBe(true);
    const ofBucket = await send(
      "GET",
      `/${buckets[0] ?? ""}?usage&from=${yesterday()}&access-key-id=${ROOT.accessKeyId}`,
    );
    const text = await ofBucket.text();
    expect([text.includes(ROOT.accessKeyId), text.includes(credentials.accessKeyId)]).toEqual([true, false]);
    const malformed = await send("GET", `/?usage&from=${today()}&access-key-id=a%20b`);
    const fields = { ArgumentName: "access-key-id", ArgumentValue: "a b" };
    await expectS3Error(malformed, { status: 400, code: "InvalidArgument", fields });
  });

  it("needs a first day", async () => {
    const fields = { ArgumentName: "from" };
    await expectS3Error(await send("GET", "/?usage"), { status: 400, code: "InvalidArgument", fields });
  });

  it("is for those whom a policy allows it", async () => {
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:GetBucket*", Resource: "*" });
    await expectS3Error(await send("GET", `/?usage&from=${today()}`, { credentials }), {
      status: 403,
      code: "AccessDenied",
    });
    await expectS3Error(await deliver(anonymous("GET", `/?usage&from=${today()}`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
