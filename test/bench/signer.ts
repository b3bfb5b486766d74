// Signs the measured requests beforehand, with a signer that is not Cairn's own, so that no measurement contains a signing.
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { type Credentials, makeCredentials } from "../../scripts/project/credentials.ts";

export const CREDENTIALS: Credentials = makeCredentials();

export interface PreparedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** How a request's signature covers its body. */
export type Payload = "unsigned" | "sha256";

/** Prepares a signed request; it stays valid for a quarter of an hour. */
export async function signedRequest(
  method: string,
  url: string,
  body?: Buffer,
  payload: Payload = "unsigned",
  { accessKeyId, secretAccessKey }: Credentials = CREDENTIALS,
): Promise<PreparedRequest> {
  const hash =
    payload === "sha256"
      ? createHash("sha256")
          .update(body ?? "")
          .digest("hex")
      : "UNSIGNED-PAYLOAD";
  const signer = new AwsV4Signer({
    method,
    url,
    accessKeyId,
    secretAccessKey,
    service: "s3",
    region: "us-east-1",
    headers: { "x-amz-content-sha256": hash },
  });
  const signed = await signer.sign();
  return { ...bareRequest(method, url, body), headers: Object.fromEntries(signed.headers) };
}

/** Prepares an unsigned request. */
export function bareRequest(method: string, url: string, body?: Buffer): PreparedRequest {
  return { method, url, headers: {}, body };
}
