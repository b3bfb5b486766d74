// Which presigned URLs verify.
import { describe, expect, it } from "vitest";

import { ACCESS_KEY_ID, caught, requestOf, signCanonical } from "./support.ts";
import { AMZ_DATE, HOST, requestSigning, verify } from "./verify-claim-fixture.ts";

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
