// Documents of callers without any possible grant are rejected before a byte is read. Large legal documents are
// accepted.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, signed, withBody } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { freshUser } from "../support/users.ts";

/** A body that records whether it was read. */
function watched(): { readonly stream: ReadableStream<Uint8Array>; readonly isRead: () => boolean } {
  let isRead = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        isRead = true;
        controller.enqueue(new Uint8Array(100));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, isRead: () => isRead };
}

const LENGTH = { "content-length": "100" };

/** The requests that send a document to a bucket with an object `k`. */
function documented(bucket: string): [method: string, target: string][] {
  const configurations = ["cors", "encryption", "lifecycle", "ownershipControls", "policy", "tagging", "versioning"];
  return [
    ["POST", `/${bucket}?delete`],
    ["PUT", `/${bucket}/k?tagging`],
    ["PUT", `/${bucket}/k?acl`],
    ["PUT", `/${bucket}?acl`],
    ["PUT", `/${bucket}?publicAccessBlock`],
    ["PUT", `/${freshBucketName()}`],
    ["POST", `/${bucket}/k?uploadId=none`],
    ...configurations.map((name): [string, string] => ["PUT", `/${bucket}?${name}`]),
  ];
}

async function expectUnread(request: Request): Promise<void> {
  const { stream, isRead } = watched();
  const response = await deliver(withBody(request, stream));
  await expectS3Error(response, { status: 403, code: "AccessDenied" });
  expect(isRead(), `${request.method} ${request.url}`).toBe(false);
}

describe("a document", () => {
  it("of a caller without credentials is not read unless a grant to anonymous callers exists", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "k" });
    // A policy alone grants nothing: this one is about another action.
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` };
    await putPolicy(bucket, policyText(statement));
    for (const [method, target] of documented(bucket)) {
      await expectUnread(anonymous(method, target, { headers: LENGTH }));
    }
  });

  it("of a user with rights to other actions or resources only is not read", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    await putAll(bucket, { k: "k" });
    const user = await freshUser(
      { Effect: "Allow", Action: "s3:*", Resource: [`arn:aws:s3:::${other}`, `arn:aws:s3:::${other}/*`] },
      { Effect: "Allow", Action: "s3:GetObject", Resource: "*" },
    );
    for (const [method, target] of documented(bucket)) {
      await expectUnread(await signed(method, target, { headers: LENGTH, credentials: user.credentials }));
    }
  });

  it.each([
    ["one key", "${bucket}/one"],
    ["a pattern", "${bucket}/o*"],
    ["a pattern of buckets", "${half}*/o?e"],
    ["a variable", "${bucket}/${aws:username, 'one'}"],
  ])("is read when %s may allow some of its keys", async (_what, resource) => {
    const bucket = await freshBucket();
    await putAll(bucket, { one: "1", two: "2" });
    const half = bucket.slice(0, bucket.length / 2);
    const name = resource.replace("${bucket}", bucket).replace("${half}", half);
    const statement = { Effect: "Allow", Action: "s3:DeleteObject", Resource: `arn:aws:s3:::${name}` };
    const user = await freshUser(statement);
    const own = resource.includes("aws:username") ? user.name : "one";
    await putAll(bucket, { [own]: "1" });
    const keys = [own, "two"].map((key) => `<Object><Key>${key}</Key></Object>`);
    const body = `<Delete>${keys.join("")}</Delete>`;
    const response = await send("POST", `/${bucket}?delete`, { body, credentials: user.credentials });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain(`<Deleted><Key>${own}</Key></Deleted>`);
    expect(text).toContain("<Error><Key>two</Key><Code>AccessDenied</Code>");
  });
});

describe("a large DeleteObjects", () => {
  it("of 1000 keys of 1024 bytes, each of them escaped, succeeds", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 1000 }, (_, turn) => `${'&"'.repeat(510)}${String(turn).padStart(4, "0")}`);
    const escaped = (key: string): string => key.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const body = `<Delete><Quiet>true</Quiet>${keys.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`).join("")}</Delete>`;
    expect(body.length).toBeGreaterThan(5_000_000);
    const [last = ""] = keys.slice(-1);
    const target = `/${bucket}/${encodeURIComponent(last)}`;
    expect((await send("PUT", target, { body: "x" })).status).toBe(200);
    const response = await send("POST", `/${bucket}?delete`, { body });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    expect((await send("HEAD", target)).status).toBe(404);
  });

  it("with more elements than 1000 keys can have is rejected, however small", async () => {
    const bucket = await freshBucket();
    const body = `<Delete><Object><Key>k</Key></Object>${"a<b/>".repeat(400_000)}</Delete>`;
    await expectS3Error(await send("POST", `/${bucket}?delete`, { body }), { status: 400, code: "MalformedXML" });
  });
});
