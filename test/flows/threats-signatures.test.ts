// Requests that differ from what was signed: changed, added, duplicated, deleted or forged elements are rejected, and
// nothing changes.
import { beforeAll, describe, expect, it } from "vitest";

import { anonymous, deliver, ENDPOINT, presigned, ROOT, send, signed, withBody } from "../support/client.ts";
import { sha256Hex, utf8 } from "../support/digests.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { publicReadPolicy } from "../support/policies.ts";
import { freshUser } from "../support/users.ts";

let bucket: string;
beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, { k: "text", secret: "text" });
});

type Change = (parts: { url: URL; method: string; headers: Headers }) => void;

/** The same request with one change after signing. */
function changed(request: Request, change: Change): Request {
  const parts = { url: new URL(request.url), method: request.method, headers: new Headers(request.headers) };
  parts.headers.set("host", new URL(ENDPOINT).host);
  change(parts);
  return new Request(parts.url, { method: parts.method, headers: parts.headers, body: request.body });
}

async function codeOf(request: Request): Promise<string> {
  const response = await deliver(request);
  const code = /<Code>([^<]*)/.exec(await response.text())?.[1] ?? "";
  return `${response.status} ${code}`;
}

const WRONG = "403 SignatureDoesNotMatch";
const UNSIGNED = "403 AccessDenied";
const MALFORMED = "400 AuthorizationHeaderMalformed";

function authorization(change: (value: string) => string): Change {
  return ({ headers }) => headers.set("authorization", change(headers.get("authorization") ?? ""));
}

describe("a signed request", () => {
  it("succeeds as it was signed", async () => {
    const request = await signed("PUT", `/${bucket}/same`, { body: "text", headers: { "x-amz-meta-a": "1" } });
    expect(await codeOf(changed(request, () => undefined))).toBe("200 ");
  });

  it.each<[what: string, code: string, change: Change]>([
    ["an unsigned x-amz-acl", UNSIGNED, ({ headers }) => headers.set("x-amz-acl", "public-read")],
    ["an unsigned x-amz-copy-source", UNSIGNED, ({ headers }) => headers.set("x-amz-copy-source", "/b/obj")],
    ["an unsigned x-amz-rename-source", UNSIGNED, ({ headers }) => headers.set("x-amz-rename-source", "secret")],
    ["an unsigned x-amz-tagging", UNSIGNED, ({ headers }) => headers.set("x-amz-tagging", "a=b")],
    ["an unsigned Content-MD5", UNSIGNED, ({ headers }) => headers.set("content-md5", "CY9rzUYh03PK3k6DJie09g==")],
    ["an unsigned security token", UNSIGNED, ({ headers }) => headers.set("x-amz-security-token", "bogus")],
    ["a signed header twice", WRONG, ({ headers }) => headers.append("x-amz-meta-a", "2")],
    ["a signed header changed", WRONG, ({ headers }) => headers.set("x-amz-meta-a", "2")],
    ["a removed signed header", WRONG, ({ headers }) => headers.delete("x-amz-meta-a")],
    ["a signed header taken off the list", UNSIGNED, authorization((value) => value.replace(";x-amz-meta-a", ""))],
    ["its host taken off the list", UNSIGNED, authorization((value) => value.replace("host;", ""))],
    ["another host", WRONG, ({ headers }) => headers.set("host", "evil.example")],
    [
      "another host that says it is the real one",
      WRONG,
      ({ headers }) => {
        headers.set("x-forwarded-host", headers.get("host") ?? "");
        headers.set("forwarded", `host=${headers.get("host")}`);
        headers.set("host", "evil.example");
      },
    ],
    ["POST as its method", WRONG, (parts) => (parts.method = "POST")],
    ["DELETE as its method", WRONG, (parts) => (parts.method = "DELETE")],
    ["another key", WRONG, ({ url }) => (url.pathname += "x")],
    ["a parameter repeated", WRONG, ({ url }) => (url.search += "&prefix=")],
    ["a parameter added", WRONG, ({ url }) => (url.search += "&acl")],
    ["a removed parameter", WRONG, ({ url }) => (url.search = "")],
    ["a signature of 63 digits", WRONG, authorization((value) => value.slice(0, -1))],
    ["a signature of one digit", WRONG, authorization((value) => value.replace(/Signature=.*/, "Signature=0"))],
    ["an empty signature", WRONG, authorization((value) => value.replace(/Signature=.*/, "Signature="))],
    [
      "a signature in capitals",
      WRONG,
      authorization((value) => value.replace(/\w+$/, (text) => `${text.toUpperCase()}A`)),
    ],
    ["a signature of one digit more", WRONG, authorization((value) => `${value}0`)],
    [
      "a signature of letters of several bytes",
      WRONG,
      authorization((value) => value.replace(/Signature=.*/, `Signature=${"é".repeat(64)}`)),
    ],
    ["two signatures", MALFORMED, authorization((value) => `${value}, Signature=${"0".repeat(64)}`)],
    ["two credentials", MALFORMED, authorization((value) => value.replace("Credential", "Credential=a, Credential"))],
    [
      "its Authorization twice",
      MALFORMED,
      ({ headers }) => headers.append("authorization", headers.get("authorization") ?? ""),
    ],
    ["another's Authorization after it", MALFORMED, ({ headers }) => headers.append("authorization", "Bearer token")],
    ["a scope of yesterday", MALFORMED, authorization((value) => value.replace(/\/\d{8}\//, "/20200101/"))],
    ["a scope in another region", WRONG, authorization((value) => value.replace("us-east-1", "us-east-2"))],
    ["a scope of sqs", MALFORMED, authorization((value) => value.replace("/s3/", "/sqs/"))],
    ["a scope of aws5_request", MALFORMED, authorization((value) => value.replace("aws4_request", "aws5_request"))],
    ["a scope of three parts", MALFORMED, authorization((value) => value.replace("us-east-1/s3/", ""))],
    ["a scope of six parts", MALFORMED, authorization((value) => value.replace("/s3/", "/s3/s3/"))],
    [
      "another time of its day",
      WRONG,
      ({ headers }) => headers.set("x-amz-date", near(headers.get("x-amz-date") ?? "")),
    ],
    ["another hash of its body", WRONG, ({ headers }) => headers.set("x-amz-content-sha256", sha256Hex(utf8("other")))],
    ["no body to be signed", WRONG, ({ headers }) => headers.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD")],
    [
      "a presigned query beside it",
      "400 InvalidArgument",
      ({ url }) => (url.search += `&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${"0".repeat(64)}`),
    ],
    [
      "a query of the second version beside it",
      "400 InvalidArgument",
      ({ url }) => (url.search += "&AWSAccessKeyId=a&Signature=b"),
    ],
  ])("with %s is rejected (%s)", async (_what, code, change) => {
    const headers = { "x-amz-meta-a": "1", "x-amz-content-sha256": sha256Hex(utf8("body")) };
    const request = await signed("PUT", `/${bucket}/k?prefix=obj`, { body: "body", headers });
    await expectNoTrace(bucket, async () => expect(await codeOf(changed(request, change))).toBe(code));
  });

  it.each(["GET", "HEAD", "PUT", "DELETE", "POST"])(
    "as %s is rejected with any other method, also if a header requests an override",
    async (method) => {
      for (const other of ["GET", "HEAD", "PUT", "DELETE", "POST"]) {
        if (other === method) continue;
        const request = await signed(method, `/${bucket}/k`);
        const overridden = changed(request, (parts) => {
          parts.method = other;
          parts.headers.set("x-http-method-override", method);
          parts.headers.set("x-method-override", method);
        });
        await expectNoTrace(bucket, async () => expect((await deliver(overridden)).status).toBe(403));
      }
      // No header turns a GET into a deletion.
      const request = await signed("GET", `/${bucket}/k`, { headers: { "x-http-method-override": "DELETE" } });
      expect(await codeOf(request)).toBe("200 ");
      expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
    },
  );

  it.each([
    ["a quarter of an hour late", -16 * 60_000, "403 RequestTimeTooSkewed"],
    ["a quarter of an hour early", 16 * 60_000, "403 RequestTimeTooSkewed"],
    ["of 1969", "19691231T235959Z", "403 RequestTimeTooSkewed"],
    ["of 9999", "99991231T235959Z", "403 RequestTimeTooSkewed"],
    ["of a thirteenth month", "20261321T000000Z", "403 AccessDenied"],
  ])("with a clock %s is refused", async (_what, clock, code) => {
    const at = typeof clock === "number" ? amzDate(Date.now() + clock) : clock;
    const request = changed(await signed("GET", `/${bucket}/k`), (parts) => {
      parts.headers.set("x-amz-date", at);
      authorization((value) => value.replace(/\/\d{8}\//, `/${at.slice(0, 8)}/`))(parts);
    });
    expect(await codeOf(request)).toBe(code);
  });

  it("with a signed security token that was never issued is rejected, for any signing key", async () => {
    const user = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    for (const credentials of [ROOT, user.credentials]) {
      for (const sessionToken of ["bogus", "1.AAAA", "..", "__proto__", "A".repeat(20_000)]) {
        const request = await signed("GET", `/${bucket}/k`, { credentials: { ...credentials, sessionToken } });
        expect(await codeOf(request)).toBe("400 InvalidToken");
      }
    }
  });

  it.each([
    "__proto__",
    "constructor",
    "toString",
    "undefined",
    "null",
    "",
    " ",
    "*",
    "%",
    "' OR 1=1 --",
    "ASIA",
    "AKIA",
  ])("of the access key %j, which has no secret, is rejected", async (accessKeyId) => {
    for (const secretAccessKey of ["undefined", "null", "", "[object Object]"]) {
      const request = await signed("GET", `/${bucket}/k`, {
        credentials: { accessKeyId: accessKeyId || "x", secretAccessKey: secretAccessKey || "x" },
      });
      const value = (request.headers.get("authorization") ?? "").replace("Credential=x/", `Credential=${accessKeyId}/`);
      const status = await codeOf(changed(request, ({ headers }) => headers.set("authorization", value)));
      expect(["403 InvalidAccessKeyId", MALFORMED]).toContain(status);
    }
  });

  it("can be repeated while its date is valid, but not past a condition that it contains", async () => {
    const [plain, once] = [await freshBucket(), await freshBucket()];
    for (const [target, headers, again] of [
      [`/${plain}/k`, {}, 200],
      [`/${once}/k`, { "if-none-match": "*" }, 412],
    ] as const) {
      const request = await signed("PUT", target, { body: "text", headers });
      expect((await deliver(withBody(request, utf8("text")))).status).toBe(200);
      expect((await deliver(withBody(request, utf8("text")))).status).toBe(again);
    }
  });
});

describe("an unsigned request", () => {
  it("gains nothing from parts of a signature", async () => {
    const open = await freshBucket();
    await putAll(open, { k: "text" });
    expect((await send("PUT", `/${open}?policy`, { body: publicReadPolicy(open) })).status).toBe(204);
    for (const headers of [{}, { "x-amz-security-token": "bogus" }, { "x-amz-date": amzDate(Date.now()) }]) {
      expect((await deliver(anonymous("GET", `/${open}/k`, { headers }))).status).toBe(200);
      expect((await deliver(anonymous("GET", `/${bucket}/k`, { headers }))).status).toBe(403);
    }
    // A request with a partial signature never counts as anonymous.
    for (const [query, headers] of [
      ["?X-Amz-Signature=0", {}],
      ["?x-amz-signature=0", {}],
      ["?X-Amz-Credential=a", {}],
      ["?X-Amz-Algorithm=AWS4-HMAC-SHA256", {}],
      ["?AWSAccessKeyId=a&Signature=b&Expires=99999999999", {}],
      ["", { authorization: "AWS4-HMAC-SHA256" }],
      ["", { authorization: "AWS a:b" }],
      ["", { authorization: "Basic cm9vdDpyb290" }],
      ["", { authorization: "" }],
    ] as const) {
      const response = await deliver(anonymous("GET", `/${open}/k${query}`, { headers }));
      expect([query, headers, response.status]).toEqual([query, headers, 400]);
      await response.arrayBuffer();
    }
  });
});

describe("a presigned URL", () => {
  it.each([
    "acl",
    "acl=",
    "versionId=",
    "versionId=null",
    "response-content-type=text/html",
    "response-content-disposition=attachment",
    "x-amz-acl=public-read",
    "x-amz-copy-source=b%2Fk",
    "x-amz-server-side-encryption-customer-algorithm=AES256",
    "uploads",
    "tagging",
    "policy",
  ])("has nothing added to it: %s", async (addition) => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const { url } = await presigned(method, `/${bucket}/k`, { expires: 60 });
      for (const longer of [`${url}&${addition}`, url.replace("?", `?${addition}&`)]) {
        await expectNoTrace(bucket, async () => {
          expect(await codeOf(anonymous(method, longer.slice(ENDPOINT.length)))).toBe(WRONG);
        });
      }
    }
  });

  it("is rejected with an added security token", async () => {
    const { url } = await presigned("GET", `/${bucket}/k`, { expires: 60 });
    const target = url.slice(ENDPOINT.length);
    expect(await codeOf(anonymous("GET", `${target}&X-Amz-Security-Token=bogus`))).toBe("400 InvalidToken");
    const headers = { "x-amz-security-token": "bogus" };
    expect(await codeOf(anonymous("GET", target, { headers }))).toBe(UNSIGNED);
  });

  it("that has expired is rejected with a second date or expiry", async () => {
    const { url } = await presigned("GET", `/${bucket}/k`, { expires: 60 });
    const at = amzDate(Date.now() - 3_600_000);
    // The day of the credential goes with the date: an hour ago may have been yesterday.
    const old = url.replace(/X-Amz-Date=\w+/, `X-Amz-Date=${at}`).replace(/%2F\d{8}%2F/, `%2F${at.slice(0, 8)}%2F`);
    expect(await codeOf(anonymous("GET", old.slice(ENDPOINT.length)))).toBe("403 AccessDenied");
    for (const addition of [
      "X-Amz-Expires=604800",
      `X-Amz-Date=${amzDate(Date.now())}`,
      "x-amz-date=now",
      "X-AMZ-EXPIRES=1",
    ]) {
      for (const doubled of [`${old}&${addition}`, old.replace("?", `?${addition}&`)]) {
        const code = await codeOf(anonymous("GET", doubled.slice(ENDPOINT.length)));
        expect(code).toBe("400 AuthorizationQueryParametersError");
      }
    }
  });

  it.each(["-1", "0", "604801", "1e3", "0x100", "NaN", "%20300", "300.5", "9".repeat(20), "", undefined])(
    "with an expiry of %s seconds is rejected",
    async (life) => {
      const { url } = await presigned("GET", `/${bucket}/k`, { expires: 60 });
      const other = url.replace(/X-Amz-Expires=60&?/, life === undefined ? "" : `X-Amz-Expires=${life}&`);
      const code = await codeOf(anonymous("GET", other.slice(ENDPOINT.length)));
      expect(code).toBe("400 AuthorizationQueryParametersError");
    },
  );
});

function amzDate(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}

/** A minute of the same day that is not close to the given one. */
function near(date: string): string {
  const minute = Number(date.slice(11, 13));
  return date.slice(0, 11) + String(minute === 0 ? 1 : minute - 1).padStart(2, "0") + date.slice(13);
}
