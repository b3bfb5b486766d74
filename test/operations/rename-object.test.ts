import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { expireTokens } from "../../src/jobs/expire-tokens.ts";
import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, md5Hex, noise } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { expiresAfter, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { joined, largePart, uploadInParts } from "../support/multipart.ts";
import { allow, credentialsOf, freshUser, succeed } from "../support/query-api.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf, setVersioning, versionedBucket } from "../support/versioning.ts";

type Headers = NonNullable<SendOptions["headers"]>;

function rename(bucket: string, source: string, destination: string, headers: Headers = {}): Promise<Response> {
  const target = `/${bucket}/${encodeURIComponent(destination)}?renameObject`;
  return send("PUT", target, { headers: { "x-amz-rename-source": source, ...headers } });
}

/** A bucket with these texts under these keys. */
async function bucketOf(objects: Readonly<Record<string, string>>): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, objects);
  return bucket;
}

async function keysOf(bucket: string): Promise<string[]> {
  return Object.keys((await storedStateOf(bucket)).objects);
}

async function expectRefused(bucket: string, request: () => Promise<Response>, expected: ExpectedError): Promise<void> {
  await expectUntouched(bucket, async () => expectS3Error(await request(), expected));
}

const PAST = "Sat, 01 Jan 2000 00:00:00 GMT";
const FUTURE = "Thu, 01 Jan 2099 00:00:00 GMT";

describe("RenameObject", () => {
  it("returns the expiration of the object under its new key, also when repeated", async () => {
    const bucket = await bucketOf({ "keep/a": "text" });
    await putLifecycle(bucket, rule(expiresAfter(1), { ...prefixed("tmp/"), id: "ends" }));
    const first = await rename(bucket, "keep/a", "tmp/a", { "x-amz-client-token": "token" });
    expect(first.headers.get("x-amz-expiration")).toMatch(/^expiry-date=".* GMT", rule-id="ends"$/);
    const shown = (await send("HEAD", `/${bucket}/tmp/a`)).headers.get("x-amz-expiration");
    expect(first.headers.get("x-amz-expiration")).toBe(shown);
    const again = await rename(bucket, "keep/a", "tmp/a", { "x-amz-client-token": "token" });
    expect([again.status, again.headers.get("x-amz-expiration")]).toEqual([200, shown]);
    expect((await rename(bucket, "tmp/a", "keep/b")).headers.get("x-amz-expiration")).toBeNull();
  });

  it("renames an object and returns 200 without a body", async () => {
    const bucket = await bucketOf({ "checkpoints/model.ckpt.tmp": "weights" });
    const response = await rename(bucket, "checkpoints/model.ckpt.tmp", "checkpoints/model.ckpt");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expectAnswerHeaders(response);
    expect(await keysOf(bucket)).toEqual(["checkpoints/model.ckpt"]);
    expect(await bodyOf(bucket, "checkpoints/model.ckpt")).toBe("weights");
    expect(await bodyOf(bucket, "checkpoints/model.ckpt.tmp")).toBe("404 NoSuchKey");
    await expectBalanced(bucket);
  });

  it("replaces an object whose version is ahead of the database's clock", async () => {
    const bucket = await bucketOf({ a: "moved", b: "ahead" });
    const ahead = nextVersionId(Date.now() + 600_000, undefined);
    await env.DB.prepare("UPDATE objects SET version_id = ? WHERE bucket_id = ? AND key = 'b'")
      .bind(ahead, await bucketId(bucket))
      .run();
    expect((await rename(bucket, "a", "b")).status).toBe(200);
    expect(await bodyOf(bucket, "b")).toBe("moved");
    await expectBalanced(bucket);
  });

  it("is selected by the query and the header, or by the header alone", async () => {
    const bucket = await bucketOf({ a: "x" });
    for (const [target, source] of [
      ["b", "/a"],
      ["c?renameObject", "b"],
      ["d?renameObject=", "c"],
      ["e?x-id=RenameObject&renameObject=", "d"],
    ] as const) {
      const response = await send("PUT", `/${bucket}/${target}`, { headers: { "x-amz-rename-source": source } });
      expect(response.status, target).toBe(200);
    }
    expect(await keysOf(bucket)).toEqual(["e"]);
  });

  it("is not a PutObject when the query selects it and the header is missing", async () => {
    const bucket = await bucketOf({ a: "x" });
    await expectUntouched(bucket, async () => {
      const response = await send("PUT", `/${bucket}/a?renameObject`, { body: "replaced" });
      expect(response.status).toBeGreaterThanOrEqual(400);
    });
  });

  it("never reaches into another bucket", async () => {
    const [bucket, other] = [await bucketOf({ a: "x" }), await bucketOf({ k: "theirs" })];
    const source = `/${other}/k`;
    await expectRefused(bucket, () => rename(bucket, source, "b"), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: `${other}/k` },
    });
    expect(await bodyOf(other, "k")).toBe("theirs");
  });

  it("is rejected in a bucket that is or was versioned, and changes nothing", async () => {
    const bucket = await bucketOf({ a: "x" });
    for (const status of ["Enabled", "Suspended"] as const) {
      await setVersioning(bucket, status);
      for (const source of ["a", "missing"]) {
        await expectRefused(bucket, () => rename(bucket, source, "b"), {
          status: 409,
          code: "InvalidBucketState",
          fields: { BucketName: bucket },
        });
      }
    }
  });

  it("is rejected when the source or the destination ends in a slash", async () => {
    const bucket = await bucketOf({ "dir/": "", a: "x" });
    for (const [source, destination] of [
      ["dir/", "b"],
      ["/dir/", "b"],
      ["dir%2F", "b"],
      ["a", "dir2/"],
      ["dir/", "dir2/"],
    ] as const) {
      await expectRefused(bucket, () => rename(bucket, source, destination), { status: 400, code: "InvalidRequest" });
    }
  });

  it("is rejected when source and destination are the same key", async () => {
    const bucket = await bucketOf({ a: "x" });
    for (const source of ["a", "/a", `${bucket}/a`]) {
      await expectRefused(bucket, () => rename(bucket, source, "a"), { status: 400, code: "InvalidRequest" });
    }
  });

  it.each(["", "/"])("is rejected for the source %j", async (source) => {
    const bucket = await bucketOf({ a: "x" });
    await expectRefused(bucket, () => rename(bucket, source, "b"), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "x-amz-rename-source", ArgumentValue: source },
    });
  });

  it("is rejected for keys that are too long", async () => {
    const bucket = await bucketOf({ a: "x" });
    const long = "k".repeat(1025);
    for (const [source, destination] of [
      ["a", long],
      [long, "b"],
    ] as const) {
      await expectRefused(bucket, () => rename(bucket, source, destination), {
        status: 400,
        code: "KeyTooLongError",
        fields: { Size: "1025", MaxSizeAllowed: "1024" },
      });
    }
  });

  it("returns NoSuchKey when the source is missing or already renamed", async () => {
    const bucket = await bucketOf({ a: "x" });
    expect((await rename(bucket, "a", "b")).status).toBe(200);
    for (const headers of [{}, { "x-amz-client-token": "another" }]) {
      await expectRefused(bucket, () => rename(bucket, "/a", "b", headers), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "a" },
      });
    }
  });

  it("replaces the destination by default, whose bytes become garbage", async () => {
    const bucket = await bucketOf({ a: "new", b: "old" });
    const old = (await storedStateOf(bucket)).objects["b"];
    expect((await rename(bucket, "a", "b")).status).toBe(200);
    const { objects, garbage } = await storedStateOf(bucket);
    expect(Object.keys(objects)).toEqual(["b"]);
    expect(garbage).toEqual([old?.blob_id]);
    expect(await bodyOf(bucket, "b")).toBe("new");
    await expectBalanced(bucket);
  });

  it("keeps all properties of the object", async () => {
    const bucket = await freshBucket();
    const headers = {
      "content-type": "text/css",
      "cache-control": "max-age=60",
      "content-disposition": "inline",
      "content-encoding": "gzip",
      "content-language": "de",
      expires: "Wed, 21 Oct 2037 07:28:00 GMT",
      "x-amz-meta-m": "1",
      "x-amz-tagging": "a=1&b=2",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-checksum-sha256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
    };
    await send("PUT", `/${bucket}/a`, { body: "abc", headers });
    const seen = (response: Response) => {
      const {
        date: _d,
        "x-amz-request-id": _r,
        "x-amz-id-2": _h,
        "server-timing": _s,
        ...rest
      } = Object.fromEntries(response.headers);
      return rest;
    };
    const options = { headers: { "x-amz-checksum-mode": "ENABLED" } };
    const before = seen(await send("HEAD", `/${bucket}/a`, options));
    expect(before["x-amz-checksum-sha256"]).toBe(headers["x-amz-checksum-sha256"]);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await rename(bucket, "a", "b");
    expect(seen(await send("HEAD", `/${bucket}/b`, options))).toEqual(before);
    const listing = await (await send("GET", `/${bucket}`)).text();
    expect(listing).toContain("<Key>b</Key>");
    expect(listing).not.toContain("<Key>a</Key>");
  });

  it("decodes every encoding of the source", async () => {
    const cases = [
      ["raw UTF-8", "src  a+é.txt", (key: string) => key],
      ["percent-encoded", "src  a+é.txt", encodeURIComponent],
      ["percent-encoded except for slashes", "d/a b", encodeURI],
      ["with a leading slash", "a/b", (key: string) => `/${key}`],
      ["with the bucket", "a/b", (key: string, bucket: string) => `${bucket}/${key}`],
      ["with a slash and the bucket, encoded", "a b", (key: string, bucket: string) => `/${bucket}/${encodeURI(key)}`],
      ["with a plus that stays one", "a+b", (key: string) => key],
      ["with an escape that is none", "100%", (key: string) => key],
      ["raw, where it reads like an escape", "a%20b", (key: string) => key],
      ["encoded, where it reads like an escape", "a%20b", encodeURIComponent],
    ] as const;
    for (const [name, key, write] of cases) {
      const bucket = await bucketOf({ [key]: name });
      const response = await rename(bucket, write(key, bucket), "dst é+1.txt");
      expect(response.status, name).toBe(200);
      expect(await bodyOf(bucket, "dst é+1.txt"), name).toBe(name);
    }
  });

  it("prefers the literal key to the one without the bucket, and the decoded to the raw one", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { [`${bucket}/k`]: "literal", k: "rest", "a b": "decoded", "a%20b": "raw" });
    await rename(bucket, `${bucket}/k`, "first");
    await rename(bucket, `${bucket}/k`, "second");
    await rename(bucket, "a%20b", "third");
    await rename(bucket, "a%20b", "fourth");
    const moved = await Promise.all(["first", "second", "third", "fourth"].map((key) => bodyOf(bucket, key)));
    expect(moved).toEqual(["literal", "rest", "decoded", "raw"]);
  });

  describe("conditions", () => {
    const SOURCE = `"${md5Hex("source")}"`;
    const DESTINATION = `"${md5Hex("destination")}"`;
    const failed = (condition: string): ExpectedError => ({
      status: 412,
      code: "PreconditionFailed",
      message: "At least one of the pre-conditions you specified did not hold",
      fields: { Condition: condition },
    });

    it.each([
      ["of the destination", "if-match", DESTINATION],
      ["of the destination, bare", "if-match", DESTINATION.replaceAll('"', "")],
      ["of the destination", "if-modified-since", PAST],
      ["of the destination", "if-unmodified-since", FUTURE],
      ["of the source", "x-amz-rename-source-if-match", SOURCE],
      ["of the source, any", "x-amz-rename-source-if-match", "*"],
      ["of the source", "x-amz-rename-source-if-none-match", DESTINATION],
      ["of the source", "x-amz-rename-source-if-modified-since", PAST],
      ["of the source", "x-amz-rename-source-if-unmodified-since", FUTURE],
    ])("%s that hold let it go ahead: %s: %s", async (_whose, name, value) => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      expect((await rename(bucket, "a", "b", { [name]: value })).status).toBe(200);
      expect(await bodyOf(bucket, "b")).toBe("source");
    });

    it.each([
      ["if-match", SOURCE, "If-Match"],
      ["if-none-match", "*", "If-None-Match"],
      ["if-modified-since", FUTURE, "If-Modified-Since"],
      ["if-unmodified-since", PAST, "If-Unmodified-Since"],
      ["x-amz-rename-source-if-match", DESTINATION, "If-Match"],
      ["x-amz-rename-source-if-none-match", SOURCE, "If-None-Match"],
      ["x-amz-rename-source-if-none-match", "*", "If-None-Match"],
      ["x-amz-rename-source-if-modified-since", FUTURE, "If-Modified-Since"],
      ["x-amz-rename-source-if-unmodified-since", PAST, "If-Unmodified-Since"],
    ])("that fail refuse it: %s: %s", async (name, value, condition) => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { [name]: value }), failed(condition));
    });

    it("pass on a free key when only an existing object could fail them", async () => {
      for (const headers of [{ "if-none-match": "*" }, { "if-unmodified-since": PAST }]) {
        const bucket = await bucketOf({ a: "source" });
        expect((await rename(bucket, "a", "b", headers)).status).toBe(200);
      }
    });

    it("that need a destination fail when there is none", async () => {
      const bucket = await bucketOf({ a: "source" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { "if-match": SOURCE }), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "b" },
      });
      await expectRefused(
        bucket,
        () => rename(bucket, "a", "b", { "if-modified-since": PAST }),
        failed("If-Modified-Since"),
      );
    });

    it("report If-Match when both of the destination's fail", async () => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      const headers = { "if-match": SOURCE, "if-none-match": "*" };
      await expectRefused(bucket, () => rename(bucket, "a", "b", headers), failed("If-Match"));
    });

    it("are evaluated on the source first, and only when it exists", async () => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      const headers = { "if-none-match": "*", "x-amz-rename-source-if-match": DESTINATION };
      await expectRefused(bucket, () => rename(bucket, "a", "b", headers), failed("If-Match"));
      await expectRefused(bucket, () => rename(bucket, "missing", "b", headers), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "missing" },
      });
    });

    it("reject an ETag in the destination's If-None-Match, which accepts only *", async () => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { "if-none-match": SOURCE }), {
        status: 400,
        code: "InvalidRequest",
      });
    });

    it("let one of several renames onto one free key win", async () => {
      const keys = ["a", "b", "c", "d", "e"];
      const bucket = await bucketOf(Object.fromEntries(keys.map((key) => [key, key])));
      const responses = await Promise.all(keys.map((key) => rename(bucket, key, "won", { "if-none-match": "*" })));
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.every((status) => [200, 409, 412].includes(status))).toBe(true);
      const winner = keys[statuses.indexOf(200)];
      expect(await bodyOf(bucket, "won")).toBe(winner);
      expect(await keysOf(bucket)).toEqual([...keys.filter((key) => key !== winner), "won"]);
    });
  });

  describe("a client token", () => {
    it("returns the first response for a repeated rename, without a second rename", async () => {
      const bucket = await bucketOf({ a: "first" });
      const headers = { "x-amz-client-token": "token-1", "if-none-match": "*" };
      expect((await rename(bucket, "a", "b", headers)).status).toBe(200);
      await putAll(bucket, { a: "second" });
      await expectUntouched(bucket, async () => {
        const again = await rename(bucket, "a", "b", headers);
        expect(again.status).toBe(200);
        expect(costOf(again)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0 });
      });
      expect(await bodyOf(bucket, "a")).toBe("second");
      expect(await bodyOf(bucket, "b")).toBe("first");
    });

    it("is rejected with other parameters, whichever differs", async () => {
      const bucket = await bucketOf({ a: "x", c: "y" });
      const token = { "x-amz-client-token": "token-1" };
      expect((await rename(bucket, "a", "b", token)).status).toBe(200);
      for (const [source, destination, headers] of [
        ["c", "b", {}],
        ["/a", "b", {}],
        ["a", "d", {}],
        ["a", "b", { "if-none-match": "*" }],
        ["a", "b", { "if-unmodified-since": FUTURE }],
        ["a", "b", { "x-amz-rename-source-if-match": "*" }],
      ] as const) {
        await expectRefused(bucket, () => rename(bucket, source, destination, { ...token, ...headers }), {
          status: 400,
          code: "IdempotencyParameterMismatch",
        });
      }
    });

    it("belongs to the user who first sent it, under every name and session", async () => {
      const bucket = await bucketOf({ a: "x" });
      const [user, other] = [await freshUser(allow("s3:*")), await freshUser(allow("s3:*"))];
      const headers = { "x-amz-client-token": "token-1", "x-amz-rename-source": "a" };
      const statusFor = async (credentials: SendOptions["credentials"]): Promise<number> =>
        (await send("PUT", `/${bucket}/b`, { headers, ...(credentials === undefined ? {} : { credentials }) })).status;
      expect(await statusFor(user.credentials)).toBe(200);
      const session = credentialsOf(await succeed("sts", "GetSessionToken", {}, { credentials: user.credentials }));
      expect(await statusFor(session)).toBe(200);
      await succeed("iam", "UpdateUser", { UserName: user.name, NewUserName: `${user.name}-2` });
      expect(await statusFor(user.credentials)).toBe(200);
      for (const another of [other.credentials, undefined]) expect(await statusFor(another)).toBe(400);
      expect(await keysOf(bucket)).toEqual(["b"]);
    });

    it("is not consumed by a failed rename", async () => {
      const bucket = await bucketOf({ b: "x" });
      const headers = { "x-amz-client-token": "t" };
      expect((await rename(bucket, "a", "c", headers)).status).toBe(404);
      await putAll(bucket, { a: "now" });
      expect((await rename(bucket, "a", "c", headers)).status).toBe(200);
    });

    it("belongs to its bucket", async () => {
      for (const bucket of [await bucketOf({ a: "1" }), await bucketOf({ a: "2" })]) {
        expect((await rename(bucket, "a", "b", { "x-amz-client-token": "shared" })).status).toBe(200);
      }
    });

    it("executes one of several concurrent renames", async () => {
      const bucket = await bucketOf({ a: "x" });
      const headers = { "x-amz-client-token": "t" };
      const responses = await Promise.all([1, 2, 3, 4, 5].map(() => rename(bucket, "a", "b", headers)));
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(await keysOf(bucket)).toEqual(["b"]);
      await expectBalanced(bucket);
    });

    it("is valid for at least a day and then expires", async () => {
      const bucket = await bucketOf({ a: "x" });
      await rename(bucket, "a", "b", { "x-amz-client-token": "t" });
      const id = await bucketId(bucket);
      const left = async (): Promise<number> =>
        (await env.DB.prepare("SELECT 1 FROM rename_tokens WHERE bucket_id = ?").bind(id).all()).results.length;
      await runPass(expireTokens, Date.now() + 24 * 3_600_000);
      expect(await left()).toBe(1);
      await env.DB.prepare("UPDATE rename_tokens SET created_at = created_at - 93600000 WHERE bucket_id = ?")
        .bind(id)
        .run();
      await runPass(expireTokens, Date.now());
      expect(await left()).toBe(0);
    });

    it.each(["", "t".repeat(65), "a b", "é"])("is rejected as %j", async (token) => {
      const bucket = await bucketOf({ a: "x" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { "x-amz-client-token": token }), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "x-amz-client-token", ArgumentValue: token },
      });
    });

    it.each(["!", "~".repeat(64), "3b241101-e2bb-4255-8caf-4136c566a962"])("can be %j", async (token) => {
      const bucket = await bucketOf({ a: "x" });
      expect((await rename(bucket, "a", "b", { "x-amz-client-token": token })).status).toBe(200);
    });
  });

  it("shows readers exactly one of the two keys at any time", async () => {
    const bucket = await bucketOf({ a: "x" });
    const id = await bucketId(bucket);
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      const listing = await (await send("GET", `/${bucket}`)).text();
      seen.push(listing.split("<Key>").length - 1);
      const row = await env.DB.prepare("SELECT count(*) AS keys FROM objects WHERE bucket_id = ?")
        .bind(id)
        .first<{ keys: number }>();
      seen.push(row?.keys ?? -1);
    };
    for (let turn = 0; turn < 10; turn += 1) {
      const [from = "", to = ""] = turn % 2 === 0 ? ["a", "b"] : ["b", "a"];
      const [response] = await Promise.all([rename(bucket, from, to), read(), read(), read()]);
      expect(response.status).toBe(200);
    }
    expect(seen.length).toBeGreaterThan(4);
    expect(new Set(seen)).toEqual(new Set([1]));
  });

  it("loses nothing when renames and writes meet on the same keys", async () => {
    const bucket = await bucketOf({ a: "1" });
    await Promise.all([
      rename(bucket, "a", "b"),
      rename(bucket, "b", "a"),
      rename(bucket, "a", "c"),
      send("PUT", `/${bucket}/a`, { body: "2" }),
      send("PUT", `/${bucket}/b`, { body: "3" }),
      send("DELETE", `/${bucket}/c`),
    ]);
    await expectBalanced(bucket);
  });

  it("commits before versioning is enabled or is rejected, when both are concurrent", async () => {
    for (let turn = 0; turn < 8; turn += 1) {
      const bucket = await bucketOf({ a: "x" });
      const [renamed] = await Promise.all([rename(bucket, "a", "b"), setVersioning(bucket, "Enabled")]);
      expect([200, 409]).toContain(renamed.status);
      expect(await keysOf(bucket)).toEqual([renamed.status === 200 ? "b" : "a"]);
      await expectBalanced(bucket);
    }
  });

  it("costs the same for one byte as for an object of many parts", async () => {
    const bucket = await bucketOf({ small: "x" });
    await uploadInParts(bucket, "large", [largePart(1), largePart(2), largePart(3), "end"]);
    const costs = [];
    for (const key of ["small", "large"]) costs.push(costOf(await rename(bucket, key, `${key}.moved`)));
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[0]).toMatchObject({ coordinatorCalls: 1, blobCalls: 0 });
    expect(costs[0]?.roundTrips).toBeLessThanOrEqual(3);
    expect(costs[0]?.rowsWritten).toBeLessThanOrEqual(5);
    await expectBytes(
      await send("GET", `/${bucket}/large.moved`),
      joined([largePart(1), largePart(2), largePart(3), noise(0), new TextEncoder().encode("end")]),
    );
    await expectBalanced(bucket);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await rename(missing, "a", "b"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await bucketOf({ a: "x" });
    const headers = { "x-amz-rename-source": "a" };
    await expectRefused(bucket, () => deliver(anonymous("PUT", `/${bucket}/b?renameObject`, { headers })), {
      status: 403,
      code: "AccessDenied",
    });
  });

  it("rejects a versioned bucket before it checks anything else", async () => {
    const bucket = await versionedBucket();
    await expectRefused(bucket, () => rename(bucket, "a", "a"), {
      status: 409,
      code: "InvalidBucketState",
      fields: { BucketName: bucket },
    });
  });
});
