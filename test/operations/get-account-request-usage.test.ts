import { describe, expect, it } from "vitest";

import { dayOf } from "../../src/protocol/core/usage-days.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { freshUser } from "../support/users.ts";

/** Adds the counts right after each answer. */
const COUNTED = { USAGE: "true", USAGE_FLUSH_SECONDS: "0" } as const;
const TODAY = dayOf(Date.now());
const YESTERDAY = dayOf(Date.now() - 86_400_000);

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
      const response = await send("GET", `/?usage&from=${YESTERDAY}&to=${TODAY}${page}`);
      const root = readXml(await response.text());
      rows.push(
        ...childrenOf(root, "Usage").map(({ children }) => Object.fromEntries(children.map((c) => [c.name, c.text]))),
      );
      token = textOf(root, "NextContinuationToken");
    } while (token !== undefined);
    const ofBucket = rows.filter((row) => row["Bucket"] === bucket);
    expect(ofBucket.reduce((sum, row) => sum + Number(row["Requests"]), 0)).toBe(3);
  });

  it("is for those whom a policy allows it", async () => {
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:GetBucket*", Resource: "*" });
    await expectS3Error(await send("GET", `/?usage&from=${TODAY}`, { credentials }), {
      status: 403,
      code: "AccessDenied",
    });
    await expectS3Error(await deliver(anonymous("GET", `/?usage&from=${TODAY}`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
