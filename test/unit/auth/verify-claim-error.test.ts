// The SignatureDoesNotMatch error's elements.
import { describe, expect, it } from "vitest";

import { ACCESS_KEY_ID, bytesOf, caught, EMPTY_SHA256, hex, SECRET_ACCESS_KEY } from "./support.ts";
import { AMZ_DATE, HOST, claimOf, requestSigning, verify } from "./verify-claim-fixture.ts";

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

function spaced(text: string): string {
  return (hex(bytesOf(text)).match(/../g) ?? []).join(" ");
}
