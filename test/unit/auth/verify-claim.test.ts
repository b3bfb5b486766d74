// Which signed requests verify in addition to the canonical one, and which must not.
import { describe, expect, it } from "vitest";

import { verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { ACCESS_KEY_ID, caught, SECRET_ACCESS_KEY } from "./support.ts";
import { HOST, claimOf, requestSigning, verify, type Sent, type Signed } from "./verify-claim-fixture.ts";

describe("verifyClaim accepts", () => {
  it.each([
    ["a plain path", "/b/k", "/b/k"],
    [
      "reserved characters that the client escapes and the wire does not",
      "/b/%21%27%28%29%2A%3D%3A%40%24",
      "/b/!'()*=:@$",
    ],
    ["unreserved characters that the wire escapes", "/b/a~b-c", "/b/%61%7eb%2Dc"],
    ["escapes in lower case", "/b/%C3%A9%20", "/b/%c3%a9%20"],
    ["a plus", "/b/a%2Bb", "/b/a+b"],
    ["bytes that are no UTF-8 in an escaped form", "/b/k%25ff", "/b/k%25ff"],
    ["doubled slashes and dot segments as they are", "/b/a//b/./c/../d/", "/b/a//b/./c/../d/"],
    ["escaped dots", "/b/../k", "/b/%2e%2e/k"],
    ["a path signed as it was sent", "/b/(1)!*'", "/b/(1)!*'"],
    ["a path signed with its lower-case escapes", "/b/%c3%a9", "/b/%c3%a9"],
    ["an escaped slash signed as a slash", "/b/a/b", "/b/a%2Fb"],
    ["an escaped slash signed as it was sent", "/b/a%2Fb", "/b/a%2Fb"],
    ["an escaped slash signed escaped, beside what is not", "/b/a%2Fb%21", "/b/a%2fb!"],
    ["an escape sign that is escaped", "/b/%252F", "/b/%252F"],
  ])("%s", async (_name, signed, sent) => {
    await expect(verify(await requestSigning({ path: signed }, { path: sent }))).resolves.toMatchObject({
      accessKeyId: ACCESS_KEY_ID,
    });
  });

  it.each([
    ["parameters in another order", "a=1&b=2&c=", "c&b=2&a=1"],
    ["the order of the encoded bytes", "%C3%A9=1&A=1&B=1&a=1&a-=1&a0=1&a~=1", "a~=1&a0=1&%C3%A9=1&a-=1&a=1&B=1&A=1"],
    ["one name with several values", "a=&a=1&a=10&a=2", "a=2&a=10&a&a=1"],
    ["subresources without a sign of equality, as old versions of curl sign them", "a=1&policy", "policy&a=1"],
    ["a plus for a space", "prefix=a%20b", "prefix=a+b"],
    ["an escaped space", "prefix=a%20b", "prefix=a%20b"],
    ["an escaped plus", "prefix=a%2Bb", "prefix=a%2Bb"],
    ["characters that the wire leaves bare", "k=%2F%3A%40%21%27%28%29%2A", "k=/:@!'()*"],
    ["an equals sign in a value", "a=b%3Dc", "a=b=c"],
    ["a sub-resource with and without its equals sign", "uploads=", "uploads"],
    ["parameters that mean nothing", "x-id=PutObject&x-purpose=y", "x-id=PutObject&x-purpose=y"],
  ])("%s in the query", async (_name, signed, sent) => {
    const request = await requestSigning({ path: "/b", query: signed }, { path: "/b", query: sent });
    await expect(verify(request)).resolves.toBeDefined();
  });

  it.each([
    ["runs of spaces", "a  b   c", "a b c"],
    ["tabs", "a\tb", "a b"],
    ["a value with a comma of its own", "a, b", "a, b"],
    ["a header that was sent twice", "a, b", "a,b"],
    ["nothing", "", ""],
  ])("a header value of %s", async (_name, sent, signed) => {
    const request = await requestSigning(
      { path: "/b", headers: [["x-amz-meta-a", signed]] },
      { path: "/b", headers: { "x-amz-meta-a": sent } },
    );
    await expect(verify(request)).resolves.toBeDefined();
  });

  it("a duplicate header next to one with a comma of its own, in any combination of three", async () => {
    for (let mask = 0; mask < 8; mask += 1) {
      const names = ["x-amz-meta-a", "x-amz-meta-b", "x-amz-meta-c"];
      const request = await requestSigning(
        { path: "/b", headers: names.map((name, at) => [name, mask & (1 << at) ? "1,2" : "1, 2"] as const) },
        { path: "/b", headers: Object.fromEntries(names.map((name) => [name, "1, 2"])) },
      );
      await expect(verify(request)).resolves.toBeDefined();
    }
  });

  it.each([
    ["none", []],
    ["all", [0, 1, 2, 3, 4]],
    ["one", [3]],
  ])("of five headers with commas %s as a duplicate", async (_name, twice) => {
    const names = ["a", "b", "c", "d", "e"].map((letter) => `x-amz-meta-${letter}`);
    const request = await requestSigning(
      { path: "/b", headers: names.map((name, at) => [name, twice.includes(at) ? "1,2" : "1, 2"] as const) },
      { path: "/b", headers: Object.fromEntries(names.map((name) => [name, "1, 2"])) },
    );
    await expect(verify(request)).resolves.toBeDefined();
  });

  it.each([
    ["the client's, reported by the edge", "deflate", "br, gzip", "deflate"],
    ["the client's with commas", "gzip, deflate", "br, gzip", "gzip, deflate"],
    ["as it arrived", "br, gzip", "br, gzip", "zstd"],
    ["identity", "identity", "br, gzip", undefined],
    ["gzip", "gzip", "br, gzip", undefined],
    ["empty", "", "br, gzip", ""],
  ])("an Accept-Encoding signed %s", async (_name, signed, raw, reported) => {
    const request = await requestSigning(
      { path: "/b/k", headers: [["accept-encoding", signed]] },
      {
        path: "/b/k",
        headers: { "accept-encoding": raw },
        ...(reported === undefined ? {} : { clientAcceptEncoding: reported }),
      },
    );
    await expect(verify(request)).resolves.toBeDefined();
  });

  it("two deviations at once", async () => {
    const request = await requestSigning(
      { path: "/b/a%2Fb", headers: [["accept-encoding", "identity"]] },
      { path: "/b/a%2Fb", headers: { "accept-encoding": "gzip, br" } },
    );
    await expect(verify(request)).resolves.toBeDefined();
  });

  it.each([
    ["a plain path", "/b/k", "/b/k", undefined],
    ["a path spelled otherwise", "/b/a!b", "/b/a!b", undefined],
    ["parameters without values", "/b", "/b", "acl"],
  ])("a host signed without the sent port, with %s", async (_what, signedPath, path, query) => {
    const request = await requestSigning(
      { path: signedPath, ...(query === undefined ? {} : { query: `${query}=` }) },
      { path, ...(query === undefined ? {} : { query }), headers: { host: `${HOST}:9000` } },
    );
    await expect(verify(request)).resolves.toBeDefined();
  });

  it("a signed Content-Length of a missing body", async () => {
    const request = await requestSigning({ path: "/b", headers: [["content-length", "0"]] }, { path: "/b" });
    await expect(verify(request)).resolves.toBeDefined();
  });

  it("X-HTTP-Method-Override as an unsigned header without effect", async () => {
    const request = await requestSigning(
      { path: "/b/k" },
      { path: "/b/k", headers: { "x-http-method-override": "DELETE" } },
    );
    await expect(verify(request)).resolves.toBeDefined();
    expect(request.method).toBe("GET");
  });

  it("upper-case header names in the list", async () => {
    const request = await requestSigning({ path: "/b" }, { path: "/b" });
    const authorization = request.headers.get("authorization") ?? "";
    const headers = new Headers([...request.headers]);
    headers.set("authorization", authorization.replace("host;x-amz-content", "Host;X-Amz-Content"));
    await expect(verify({ ...request, headers })).resolves.toBeDefined();
  });
});

describe("verifyClaim rejects", () => {
  const SIGNED: Signed = { path: "/b/k", query: "prefix=obj", headers: [["x-amz-meta-a", "1"]] };
  const SENT: Sent = { path: "/b/k", query: "prefix=obj", headers: { "x-amz-meta-a": "1" } };

  it("a request other than the one with the changes", async () => {
    await expect(verify(await requestSigning(SIGNED, SENT))).resolves.toBeDefined();
  });

  it.each(["HEAD", "PUT", "DELETE", "POST", "get"])("a request signed as GET and sent as %s", async (method) => {
    const error = await caught(async () => verify(await requestSigning(SIGNED, { ...SENT, method })));
    expect([error.code, error.status]).toEqual(["SignatureDoesNotMatch", 403]);
  });

  it.each([
    ["a header sent again", { ...SENT, headers: { "x-amz-meta-a": "1, 2" } }],
    ["a header changed", { ...SENT, headers: { "x-amz-meta-a": "2" } }],
    ["a parameter repeated", { ...SENT, query: "prefix=obj&prefix=" }],
    ["a parameter changed", { ...SENT, query: "prefix=Obj" }],
    ["a parameter added", { ...SENT, query: "prefix=obj&acl" }],
    ["a removed parameter", { path: SENT.path, headers: { "x-amz-meta-a": "1" } }],
    ["another key", { ...SENT, path: "/b/K" }],
    ["another bucket", { ...SENT, path: "/B/k" }],
    ["a slash more", { ...SENT, path: "/b//k" }],
    ["a slash at the end", { ...SENT, path: "/b/k/" }],
    ["a dot segment", { ...SENT, path: "/b/./k" }],
    ["a dot segment that cancels", { ...SENT, path: "/b/x/../k" }],
    ["a key escaped twice", { ...SENT, path: "/b/%256B" }],
    [
      "a host other than the signed",
      { ...SENT, headers: { "x-amz-meta-a": "1", host: "evil.example", "x-forwarded-host": HOST } },
    ],
    ["another host with a port", { ...SENT, headers: { "x-amz-meta-a": "1", host: "evil.example:9000" } }],
    ["a host with what is no port", { ...SENT, headers: { "x-amz-meta-a": "1", host: `${HOST}:x` } }],
    ["a host with two ports", { ...SENT, headers: { "x-amz-meta-a": "1", host: `${HOST}:1:2` } }],
  ] satisfies (readonly [string, Sent])[])("%s", async (_name, sent) => {
    const error = await caught(async () => verify(await requestSigning(SIGNED, sent)));
    expect([error.code, error.status]).toEqual(["SignatureDoesNotMatch", 403]);
  });

  it("another secret, and each part of another scope", async () => {
    const request = await requestSigning(SIGNED, SENT);
    for (const secret of ["", "undefined", `${SECRET_ACCESS_KEY} `, SECRET_ACCESS_KEY.toLowerCase()]) {
      expect((await caught(() => verify(request, secret))).code).toBe("SignatureDoesNotMatch");
    }
    const claim = claimOf(request);
    for (const scope of [{ region: "us-east-2" }, { date: "20130525" }, { service: "sts" }]) {
      const changed = { ...claim, scope: { ...claim.scope, ...scope } };
      expect((await caught(() => verifyClaim(request, changed, SECRET_ACCESS_KEY))).code).toBe("SignatureDoesNotMatch");
    }
  });

  it.each(["x-amz-copy-source", "x-amz-rename-source"])(
    "another key in %s, by a space after its comma",
    async (name) => {
      const request = await requestSigning(
        { path: "/b/k", headers: [[name, "/b/a,b"]] },
        { path: "/b/k", headers: { [name]: "/b/a, b" } },
      );
      expect((await caught(() => verify(request))).code).toBe("SignatureDoesNotMatch");
    },
  );

  it("a malformed signature, with 403 and no error of its own", async () => {
    const request = await requestSigning(SIGNED, SENT);
    const claim = claimOf(request);
    const { signature } = claim;
    const wrong = [
      "",
      "f",
      signature.slice(1),
      signature.slice(0, 63),
      `${signature}0`,
      `${signature}\n`,
      ` ${signature}`,
      signature.toUpperCase(),
      "é".repeat(64),
      "\u{1f600}".repeat(32),
      "g".repeat(64),
      "0".repeat(64),
      signature.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      signature.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
      "\0".repeat(64),
    ];
    for (const provided of wrong) {
      const error = await caught(() => verifyClaim(request, { ...claim, signature: provided }, SECRET_ACCESS_KEY));
      expect([error.code, error.status, error.fields["SignatureProvided"]]).toEqual([
        "SignatureDoesNotMatch",
        403,
        provided,
      ]);
    }
  });

  it("an impossible Accept-Encoding", async () => {
    const request = await requestSigning(
      { path: "/b/k", headers: [["accept-encoding", "deflate"]] },
      { path: "/b/k", headers: { "accept-encoding": "br, gzip" } },
    );
    expect((await caught(() => verify(request))).code).toBe("SignatureDoesNotMatch");
  });
});
