// Names that look like SQL, patterns, paths or markup are only names, wherever a client may send one.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { checksum, utf8 } from "../support/digests.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { call } from "../support/query-api.ts";
import { expectUntouched } from "../support/rows.ts";
import { freshUser } from "../support/users.ts";

const INJECTIONS = [
  "' OR 1=1 --",
  "' OR '1'='1",
  "'; DROP TABLE objects; --",
  "') UNION SELECT * FROM access_keys --",
  '" OR ""="',
  "k' AND randomblob(100000000) --",
  "\\' OR 1=1 --",
  "%27%20OR%201=1%20--",
  "?1",
  "${x}",
];
const PATTERNS = ["_", "%", "p_", "O%", "*", "[a-z]", "^", "\\"];

let bucket: string;
beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, { obj: "1", OB: "2", pAx: "3", p_x: "4", "o'b": "5" });
});

async function tables(): Promise<unknown> {
  return (await env.DB.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all()).results;
}

/** The keys of a listing. */
async function keysOf(query: string): Promise<string[]> {
  const response = await send("GET", `/${bucket}?${query}`);
  const text = await response.text();
  expect([query, response.status]).toEqual([query, 200]);
  return Array.from(text.matchAll(/<Key>([^<]*)/g), ([, key = ""]) => key);
}

describe("a text that looks like SQL", () => {
  it.each(INJECTIONS)("matches nothing as a prefix: %s", async (text) => {
    const before = await tables();
    const encoded = encodeURIComponent(text);
    for (const query of [`prefix=${encoded}`, `list-type=2&prefix=${encoded}`, `versions&prefix=${encoded}`]) {
      expect(await keysOf(query)).toEqual([]);
    }
    // As a marker it only has its place in byte order.
    const after = ["OB", "o'b", "obj", "pAx", "p_x"].filter((key) => key > text);
    expect((await keysOf(`list-type=2&start-after=${encoded}`)).map((key) => key.replace("&apos;", "'"))).toEqual(
      after,
    );
    expect(await (await send("GET", `/${bucket}?uploads&key-marker=${encoded}`)).text()).not.toContain("<Upload>");
    expect(await (await send("GET", `/?prefix=${encoded}`)).text()).not.toContain("<Bucket>");
    expect(await tables()).toEqual(before);
  });

  it.each(INJECTIONS)("matches no version, upload, part, snapshot or token: %s", async (text) => {
    const encoded = encodeURIComponent(text);
    await expectUntouched(bucket, async () => {
      for (const [method, query] of [
        ["GET", `versionId=${encoded}`],
        ["DELETE", `versionId=${encoded}`],
        ["GET", `uploadId=${encoded}`],
        ["DELETE", `uploadId=${encoded}`],
        ["PUT", `uploadId=${encoded}&partNumber=1`],
        ["PUT", `uploadId=x&partNumber=${encoded}`],
        ["GET", `partNumber=${encoded}`],
      ] as const) {
        const response = await send(method, `/${bucket}/obj?${query}`);
        expect([query, response.status >= 400 && response.status < 500]).toEqual([query, true]);
      }
      for (const query of ["list-type=2&continuation-token", "snapshot", "restoreSnapshot", "max-keys", "list-type"]) {
        const method = query === "snapshot" ? "PUT" : query === "restoreSnapshot" ? "POST" : "GET";
        const response = await send(method, `/${bucket}?${query}=${encoded}`);
        expect([query, response.status < 500]).toEqual([query, true]);
      }
      for (const target of [`/${encoded}`, `/${bucket}${encoded}`, `/${bucket}_${encoded}/obj`]) {
        expect((await send("GET", target)).status).toBeLessThan(500);
      }
    });
  });

  it.each(INJECTIONS)("is a key, a tag, a metadata value and an owner, and nothing else: %s", async (text) => {
    const own = await freshBucket();
    await putAll(own, { other: "other" });
    const target = `/${own}/${encodeURIComponent(text)}`;
    const headers = {
      "x-amz-tagging": `key=${encodeURIComponent(text.replaceAll(/['";,*()%?$\\{}]/g, ""))}`,
      "x-amz-meta-text": text,
      "content-type": text,
    };
    expect((await send("PUT", target, { body: text, headers })).status).toBe(200);
    const got = await send("GET", target);
    expect([await got.text(), got.headers.get("x-amz-meta-text")]).toEqual([text, text]);
    const document = `<Delete><Object><Key>${text.replaceAll("&", "&amp;")}</Key></Object></Delete>`;
    const digest = { "x-amz-checksum-crc32": checksum("CRC32", utf8(document)) };
    expect((await send("POST", `/${own}?delete`, { body: document, headers: digest })).status).toBe(200);
    expect(await (await send("GET", `/${own}/other`)).text()).toBe("other");
    expect((await send("HEAD", target)).status).toBe(404);
  });

  it("matches no user, access key or policy", async () => {
    const user = await freshUser();
    for (const text of INJECTIONS) {
      const calls: readonly (readonly [action: string, parameters: Readonly<Record<string, string>>])[] = [
        ["GetUser", { UserName: text }],
        ["DeleteUser", { UserName: text }],
        ["ListUsers", { PathPrefix: `/${text}` }],
        ["ListUsers", { Marker: text }],
        ["DeleteAccessKey", { UserName: user.name, AccessKeyId: text }],
        ["GetUserPolicy", { UserName: user.name, PolicyName: text }],
        ["DeleteUserPolicy", { UserName: user.name, PolicyName: text }],
      ];
      for (const [action, parameters] of calls) {
        const response = await call("iam", action, parameters);
        const answer = await response.text();
        expect(response.status, `${action} ${text}`).toBeLessThan(500);
        expect(answer).not.toContain("<Arn>");
      }
    }
    expect((await call("iam", "GetUser", { UserName: user.name })).status).toBe(200);
  });
});

describe("a text that looks like a pattern", () => {
  it.each(PATTERNS)("matches literally as a prefix: %s", async (text) => {
    const expected = ["OB", "o'b", "obj", "pAx", "p_x"].filter((key) => key.startsWith(text));
    for (const query of ["prefix", "list-type=2&prefix", "versions&prefix"]) {
      expect(await keysOf(`${query}=${encodeURIComponent(text)}`)).toEqual(expected);
    }
    await expectNoTrace(bucket, async () => {
      expect((await send("DELETE", `/${bucket}/${encodeURIComponent(text)}`)).status).toBe(204);
    });
  });
});
