// Canonical requests that a signature is compared with: their order and their number.
import { describe, expect, it, vi } from "vitest";

import { verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { canonicalRequests } from "../../../src/auth/sigv4/canonical-request.ts";
import type { SigningClaim } from "../../../src/auth/sigv4/claim.ts";
import { expectSoon } from "../../support/quick.ts";
import { ACCESS_KEY_ID, caught, EMPTY_SHA256, requestOf, SECRET_ACCESS_KEY } from "./support.ts";
import { AMZ_DATE, HOST, claimOf, requestSigning, verify } from "./verify-claim-fixture.ts";

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
    const refuse = async (): Promise<void> => {
      const error = await caught(() => verify({ ...request, headers }));
      expect(error.code).toBe("SignatureDoesNotMatch");
    };
    await expectSoon("the refusal", refuse, 3000);
  });
});

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
