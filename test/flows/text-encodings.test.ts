// One key with a space, a plus, a percent sign and a letter beyond ASCII, in every place of a request that can contain
// it.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { post } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";

const KEY = "a b+c%d \u00fc";
const ENCODED = "a%20b%2Bc%25d%20%C3%BC";
/** The key in form encoding. */
const WITH_PLUSES = "a+b%2Bc%25d+%C3%BC";
/** The key that a form-encoded text denotes when a plus is a literal plus. */
const LITERAL = "a+b+c%d+\u00fc";

async function copied(bucket: string, source: string): Promise<string> {
  const headers = { "x-amz-copy-source": source };
  const response = await send("PUT", `/${bucket}/copy`, { headers });
  expect(response.status, source).toBe(200);
  return (await send("GET", `/${bucket}/copy`)).text();
}

describe("a key with a space, a plus, a percent sign and an umlaut", () => {
  it("is the same key in a path and in a form field, which is not decoded", async () => {
    const bucket = await freshBucket();
    expect((await send("PUT", `/${bucket}/${ENCODED}`, { body: "x" })).status).toBe(200);
    expect((await post(bucket, { key: KEY }, "posted")).status).toBe(204);
    await expectBytes(await send("GET", `/${bucket}/${ENCODED}`), "posted");
  });

  it("keeps its pluses in a path", async () => {
    const bucket = await freshBucket();
    const Statement = [
      { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` },
    ];
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    expect((await send("PUT", `/${bucket}?policy`, { body: policy })).status).toBe(204);
    // Anonymous: the tests' own signer decodes a plus in a path as a space.
    expect((await deliver(anonymous("PUT", `/${bucket}/${WITH_PLUSES}`, { body: "x" }))).status).toBe(200);
    expect(await (await send("GET", `/${bucket}?list-type=2`)).text()).toContain(`<Key>${LITERAL}</Key>`);
  });

  it("matches a prefix in the query in either encoding, and is listed with %20 for its spaces", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { [KEY]: "x", other: "y" });
    for (const prefix of [ENCODED, WITH_PLUSES]) {
      for (const list of ["list-type=2", "max-keys=9", "versions"]) {
        const response = await send("GET", `/${bucket}?${list}&encoding-type=url&prefix=${prefix}`);
        expect(await response.text()).toContain(`<Key>${ENCODED}</Key>`);
      }
    }
    expect((await send("POST", `/${bucket}/${ENCODED}?uploads`)).status).toBe(200);
    const uploads = await send("GET", `/${bucket}?uploads&encoding-type=url&prefix=${WITH_PLUSES}`);
    expect(await uploads.text()).toContain(`<Key>${ENCODED}</Key>`);
  });

  it("is a copy source in either encoding, and literally when its escapes are malformed", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { [KEY]: "meant", "100% +": "raw" });
    expect(await copied(bucket, `${bucket}/${ENCODED}`)).toBe("meant");
    expect(await copied(bucket, `/${bucket}/${WITH_PLUSES}`)).toBe("meant");
    expect(await copied(bucket, `${bucket}/100% +`)).toBe("raw");
  });

  it("is a rename source encoded or literally, and its pluses are preserved", async () => {
    const bucket = await freshBucket();
    for (const source of [ENCODED, "a b+c%25d \u00fc", `/${bucket}/${ENCODED}`]) {
      await putAll(bucket, { [KEY]: source });
      const headers = { "x-amz-rename-source": source };
      expect((await send("PUT", `/${bucket}/to?renameObject`, { headers })).status, source).toBe(200);
      await expectBytes(await send("GET", `/${bucket}/to`), source);
    }
  });

  it("is a tag value in x-amz-tagging in either encoding", async () => {
    const bucket = await freshBucket();
    for (const tagging of ["a%20b%2Bc=d%20%C3%BC%2B", "a+b%2Bc=d+%C3%BC%2B"]) {
      expect((await send("PUT", `/${bucket}/k`, { headers: { "x-amz-tagging": tagging } })).status).toBe(200);
      const text = await (await send("GET", `/${bucket}/k?tagging`)).text();
      expect(text).toContain("<Key>a b+c</Key><Value>d \u00fc+</Value>");
    }
  });
});

describe("a plus in x-amz-copy-source", () => {
  it("is a space when both keys exist, and a plus when only that key exists", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a+b": "plus" });
    expect(await copied(bucket, `${bucket}/a+b`)).toBe("plus");
    await putAll(bucket, { "a b": "space" });
    expect(await copied(bucket, `${bucket}/a+b`)).toBe("space");
    expect(await copied(bucket, `${bucket}/a%2Bb`)).toBe("plus");
  });

  it("is tried both ways within a copy's two round trips", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a+b": "plus" });
    const headers = { "x-amz-copy-source": `${bucket}/a+b` };
    const response = await send("PUT", `/${bucket}/copy`, { headers });
    expect(response.headers.get("server-timing")).toMatch(/d1;desc="2 round trips/);
  });

  it("is a space for a part, a version and a copy onto itself as well", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a+b": "plus" });
    const uploadId = await createUpload(bucket, "k");
    const headers = { "x-amz-copy-source": `${bucket}/a+b` };
    const part = () => send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { headers });
    const etag = async (response: Response): Promise<string> => textOf(readXml(await response.text()), "ETag") ?? "";
    expect(await etag(await part())).toBe((await send("HEAD", `/${bucket}/a%2Bb`)).headers.get("etag"));
    await expectS3Error(await send("PUT", `/${bucket}/a%2Bb`, { headers }), { status: 400, code: "InvalidRequest" });
    await putAll(bucket, { "a b": "space" });
    expect(await etag(await part())).toBe((await send("HEAD", `/${bucket}/a%20b`)).headers.get("etag"));
    expect(await copied(bucket, `${bucket}/a+b?versionId=null`)).toBe("space");
  });

  it("returns NoSuchKey with the space when neither key exists", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-copy-source": `${bucket}/a+b` };
    await expectS3Error(await send("PUT", `/${bucket}/copy`, { headers }), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "a b" },
    });
  });

  it("reports the copied key to policies", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a+b": "plus" });
    const deny = (source: string) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:PutObject",
            Resource: `arn:aws:s3:::${bucket}/copy`,
            Condition: { StringEquals: { "s3:x-amz-copy-source": `${bucket}/${source}` } },
          },
        ],
      });
    const headers = { "x-amz-copy-source": `${bucket}/a+b` };
    for (const [source, status] of [
      ["a+b", 403],
      ["a b", 200],
    ] as const) {
      expect((await send("PUT", `/${bucket}?policy`, { body: deny(source) })).status).toBe(204);
      expect((await send("PUT", `/${bucket}/copy`, { headers })).status).toBe(status);
    }
  });
});
