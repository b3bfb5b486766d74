// Which signed requests verify besides the canonical one, which must not, and what the error contains.
import { describe, expect, it, vi } from "vitest";

import { readClaim, verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { canonicalRequests } from "../../../src/auth/sigv4/canonical-request.ts";
import type { SigningClaim } from "../../../src/auth/sigv4/claim.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";
import {
  ACCESS_KEY_ID,
  bytesOf,
  caught,
  EMPTY_SHA256,
  hex,
  requestOf,
  SECRET_ACCESS_KEY,
  signCanonical,
  VECTOR_TIME,
} from "./support.ts";

const AMZ_DATE = "20130524T000000Z";
const HOST = "s3.example.com";

interface Sent {
  readonly method?: string;
  /** The raw path on the wire. */
  readonly path: string;
  readonly query?: string;
  readonly headers?: HeadersInit;
  readonly clientAcceptEncoding?: string;
}

interface Signed {
  readonly method?: string;
  /** The path, query and headers of the client's canonical request. */
  readonly path: string;
  readonly query?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** The received form `sent` of a request that the client signed as `signed`. */
async function requestSigning(signed: Signed, sent: Sent): Promise<S3Request> {
  const all = [
    ["host", HOST] as const,
    ["x-amz-content-sha256", EMPTY_SHA256] as const,
    ["x-amz-date", AMZ_DATE] as const,
    ...(signed.headers ?? []),
  ].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const names = all.map(([name]) => name).join(";");
  const lines = all.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [signed.method ?? "GET", signed.path, signed.query ?? "", lines, names, EMPTY_SHA256].join("\n");
  const signature = await signCanonical(canonical, AMZ_DATE);
  const headers = new Headers(sent.headers);
  if (!headers.has("host")) headers.set("host", HOST);
  headers.set("x-amz-content-sha256", EMPTY_SHA256);
  headers.set("x-amz-date", AMZ_DATE);
  headers.set(
    "authorization",
    `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
  );
  return requestOf(`https://${HOST}${sent.path}${sent.query === undefined ? "" : `?${sent.query}`}`, {
    method: sent.method ?? signed.method ?? "GET",
    headers,
    ...(sent.clientAcceptEncoding === undefined ? {} : { clientAcceptEncoding: sent.clientAcceptEncoding }),
  });
}

function claimOf(request: S3Request): SigningClaim {
  const claim = readClaim(request, VECTOR_TIME);
  if (claim === undefined) throw new Error("anonymous");
  return claim;
}

async function verify(request: S3Request, secret = SECRET_ACCESS_KEY) {
  return verifyClaim(request, claimOf(request), secret);
}

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
    ["the client's, told by the edge", "deflate", "br, gzip", "deflate"],
    ["the client's with commas", "gzip, deflate", "br, gzip", "gzip, deflate"],
    ["as it arrived", "br, gzip", "br, gzip", "zstd"],
    ["identity", "identity", "br, gzip", undefined],
    ["gzip", "gzip", "br, gzip", undefined],
    ["empty", "", "br, gzip", ""],
  ])("an Accept-Encoding signed %s", async (_name, signed, raw, told) => {
    const request = await requestSigning(
      { path: "/b/k", headers: [["accept-encoding", signed]] },
      {
        path: "/b/k",
        headers: { "accept-encoding": raw },
        ...(told === undefined ? {} : { clientAcceptEncoding: told }),
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
    request.headers.set("authorization", authorization.replace("host;x-amz-content", "Host;X-Amz-Content"));
    await expect(verify(request)).resolves.toBeDefined();
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
    ["a parameter taken away", { path: SENT.path, headers: { "x-amz-meta-a": "1" } }],
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

describe("the SignatureDoesNotMatch error", () => {
  it("contains the expected string, in text and in bytes", async () => {
    const request = await requestSigning({ path: "/b/k" }, { path: "/b/K é".replace(" é", "%20%C3%A9") });
    const error = await caught(() => verify(request));
    const canonical = `GET\n/b/K%20%C3%A9\n\nhost:${HOST}\nx-amz-content-sha256:${EMPTY_SHA256}\nx-amz-date:${AMZ_DATE}\n\nhost;x-amz-content-sha256;x-amz-date\n${EMPTY_SHA256}`;
    const signed = String(error.fields["StringToSign"]);
    expect(error.message).toBe(
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
    expect(error.fields).toEqual({
      AWSAccessKeyId: ACCESS_KEY_ID,
      StringToSign: expect.stringMatching(
        /^AWS4-HMAC-SHA256\n20130524T000000Z\n20130524\/us-east-1\/s3\/aws4_request\n[0-9a-f]{64}$/,
      ),
      SignatureProvided: claimOf(request).signature,
      StringToSignBytes: spaced(signed),
      CanonicalRequest: canonical,
      CanonicalRequestBytes: spaced(canonical),
    });
    expect(JSON.stringify(error.fields)).not.toContain(SECRET_ACCESS_KEY);
  });

  it("names the signed headers that did not arrive", async () => {
    const request = await requestSigning(
      {
        path: "/b/k",
        headers: [
          ["x-amz-meta-a.b", "1"],
          ["te", "x"],
          ["accept-encoding", "x"],
        ],
      },
      { path: "/b/k" },
    );
    const error = await caught(() => verify(request));
    expect(error.message).toMatch(
      /signing method\. Signed headers that did not reach the server: te, x-amz-meta-a\.b\.$/,
    );
  });

  it("does not repeat a customer's key", async () => {
    const name = "x-amz-server-side-encryption-customer-key";
    const request = await requestSigning(
      {
        path: "/b/k",
        query: "",
        headers: [
          [name, "c2VjcmV0"],
          [`x-amz-copy-source-${name.slice(6)}`, "b3RoZXI="],
        ],
      },
      {
        path: "/b/k",
        query: `x=1&${name}=aG9pc3RlZA%3D%3D`,
        headers: { [name]: "c2VjcmV0", [`x-amz-copy-source-${name.slice(6)}`]: "b3RoZXI=" },
      },
    );
    const error = await caught(() => verify(request));
    const shown = JSON.stringify(error.fields);
    expect(shown).toContain(`${name}:***`);
    for (const secret of ["c2VjcmV0", "b3RoZXI=", "aG9pc3RlZA", spaced("c2VjcmV0")])
      expect(shown).not.toContain(secret);
  });
});

describe("a presigned URL", () => {
  const CREDENTIAL = `${ACCESS_KEY_ID}%2F20130524%2Fauto%2Fs3%2Faws4_request`;

  /** A URL presigned for GET, with other signed parameters. */
  async function presign(extra = "", signedHeaders: readonly (readonly [string, string])[] = [["host", HOST]]) {
    const names = signedHeaders.map(([name]) => name).join("%3B");
    const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${CREDENTIAL}&X-Amz-Date=${AMZ_DATE}&X-Amz-Expires=300&X-Amz-SignedHeaders=${names}${extra}`;
    const lines = signedHeaders.map(([name, value]) => `${name}:${value}\n`).join("");
    const canonical = `GET\n/b/k\n${query}\n${lines}\n${names.replaceAll("%3B", ";")}\nUNSIGNED-PAYLOAD`;
    return `https://${HOST}/b/k?${query}&X-Amz-Signature=${await signCanonical(canonical, AMZ_DATE, "auto")}`;
  }

  const headers = { host: HOST };

  it("verifies with any additional unsigned headers", async () => {
    const request = requestOf(await presign(), {
      headers: { ...headers, "content-type": "x", authorization: "Bearer x" },
    });
    await expect(verify(request)).resolves.toMatchObject({ scope: { region: "auto" } });
  });

  it("fixes the parameters that are hoisted headers", async () => {
    const url = await presign("&x-amz-acl=private&x-id=GetObject");
    await expect(verify(requestOf(url, { headers }))).resolves.toBeDefined();
    const error = await caught(() => verify(requestOf(url.replace("acl=private", "acl=public-read"), { headers })));
    expect(error.code).toBe("SignatureDoesNotMatch");
  });

  it("reads a signed header from the query when it was sent there", async () => {
    const sse = "x-amz-server-side-encryption";
    const url = await presign(`&${sse}=AES256`, [
      ["host", HOST],
      [sse, "AES256"],
    ]);
    await expect(verify(requestOf(url, { headers }))).resolves.toBeDefined();
  });

  it.each([
    "&acl",
    "&versionId=1",
    "&response-content-type=text%2Fhtml",
    "&x-amz-copy-source=b%2Fo",
    "&=",
    "&X-Amz-Security-Token=x",
  ])("does not verify with %s added", async (added) => {
    const error = await caught(async () => verify(requestOf((await presign()) + added, { headers })));
    expect([error.code, error.status]).toEqual(["SignatureDoesNotMatch", 403]);
  });

  it.each(["HEAD", "PUT", "DELETE"])("does not verify for %s", async (method) => {
    const error = await caught(async () => verify(requestOf(await presign(), { method, headers })));
    expect(error.code).toBe("SignatureDoesNotMatch");
  });

  it("signs every other parameter, also with a similar name", async () => {
    const query = `?x=1&X-Amz-Signature=${"0".repeat(64)}`;
    const signed = { path: "/b/k", query: "x=1" };
    // In the header form X-Amz-Signature is an ordinary parameter; in the query it is a second mechanism.
    const request = await requestSigning(signed, { path: "/b/k", query: query.slice(1) });
    expect((await caught(() => verify(request))).message).toMatch(/^Only one auth mechanism allowed/);
  });
});

describe("canonicalRequests", () => {
  it("start with the documented one, and are finite", async () => {
    const names = Array.from({ length: 40 }, (_, at) => `x-amz-meta-${at}`);
    const request = await requestSigning(
      { path: "/b/a%2Fb%21", headers: [["accept-encoding", "x"], ...names.map((name) => [name, "1, 2"] as const)] },
      {
        path: "/b/a%2fb!",
        clientAcceptEncoding: "zstd",
        headers: { "accept-encoding": "br, gzip", ...Object.fromEntries(names.map((name) => [name, "1, 2"])) },
      },
    );
    const candidates = [...canonicalRequests(request, claimOf(request))];
    expect(candidates[0]?.split("\n").slice(0, 4)).toEqual(["GET", "/b/a/b%21", "", "accept-encoding:zstd"]);
    expect(candidates.length).toBe(64);
    expect(new Set(candidates).size).toBe(candidates.length);
  });

  it("omit the host's port after every candidate with it", async () => {
    const request = await requestSigning({ path: "/b/k" }, { path: "/b/k", headers: { host: `${HOST}:9000` } });
    const hosts = [...canonicalRequests(request, claimOf(request))].map((text) => /^host:(.*)$/m.exec(text)?.[1]);
    expect(hosts).toEqual([`${HOST}:9000`, HOST]);
  });

  it("consist of one candidate when nothing is ambiguous", async () => {
    const request = await requestSigning({ path: "/b/k" }, { path: "/b/k" });
    expect([...canonicalRequests(request, claimOf(request))]).toHaveLength(1);
  });

  it("handle a path of 40 KB, a query of 3000 parameters and 3000 headers", async () => {
    const names = Array.from({ length: 3000 }, (_, at) => `x-amz-meta-${at}`);
    const query = Array.from({ length: 3000 }, (_, at) => `q${at}=${"%20".repeat(10)}`).join("&");
    const request = {
      ...(await requestSigning({ path: "/b" }, { path: "/b", query })),
      rawPath: `/b/${"%2f!".repeat(10_000)}`,
    };
    const headers = new Headers(request.headers);
    for (const name of names) headers.set(name, "1, 2");
    const signedHeaders = `host;x-amz-content-sha256;x-amz-date;${names.join(";")}`;
    headers.set(
      "authorization",
      `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/20130524/auto/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${"0".repeat(64)}`,
    );
    const started = performance.now();
    const error = await caught(() => verify({ ...request, headers }));
    expect(error.code).toBe("SignatureDoesNotMatch");
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

function spaced(text: string): string {
  return (hex(bytesOf(text)).match(/../g) ?? []).join(" ");
}

describe("a forged signature under a known key", () => {
  /** The number of signatures computed for a rejected request. */
  async function signaturesFor(headerBytes: number): Promise<number> {
    const names = ["host", "x-amz-date", ...["a", "b", "c", "d"].map((name) => `x-amz-meta-${name}`)];
    const headers = Object.fromEntries(names.slice(2).map((name) => [name, `1, 2${"x".repeat(headerBytes)}`]));
    const request = requestOf(`https://${HOST}/bucket/a%2fb`, {
      headers: { host: HOST, "x-amz-date": AMZ_DATE, "accept-encoding": "br", ...headers },
    });
    const claim: SigningClaim = {
      form: "header",
      accessKeyId: ACCESS_KEY_ID,
      scope: { date: "20130524", region: "us-east-1", service: "s3" },
      signedHeaders: [...names, "accept-encoding"].toSorted(),
      signature: "0".repeat(64),
      amzDate: AMZ_DATE,
      payloadHash: EMPTY_SHA256,
      sessionToken: undefined,
      expiresAt: undefined,
    };
    await expect(verifyClaim(request, claim, SECRET_ACCESS_KEY)).rejects.toThrow();
    const sign = vi.spyOn(crypto.subtle, "sign");
    try {
      await expect(verifyClaim(request, claim, SECRET_ACCESS_KEY)).rejects.toThrow();
      return sign.mock.calls.length;
    } finally {
      sign.mockRestore();
    }
  }

  it("is compared with all candidates of an honest client, and with fewer for longer requests", async () => {
    const short = await signaturesFor(10);
    expect(short).toBeGreaterThan(10);
    expect(short).toBeLessThanOrEqual(256);
    // 120 KB of headers are hashed at most a few times.
    expect(await signaturesFor(30_000)).toBeLessThanOrEqual(3);
  });
});
