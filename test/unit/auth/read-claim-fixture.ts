// Requests with a well-formed claim, in which single fields can be changed.
import { readClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { ACCESS_KEY_ID, caught, requestOf, VECTOR_TIME } from "./support.ts";

export const MINUTE = 60_000;
export const SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
export const SCOPE = "20130524/us-east-1/s3/aws4_request";
export const CREDENTIAL = `${ACCESS_KEY_ID}/${SCOPE}`;

export type Changes = Readonly<Record<string, string | undefined>>;

/** A request with a well-formed claim in its query, with the given changes and literal additions. */
export function presigned(changes: Changes = {}, appended = "", headers: Readonly<Record<string, string>> = {}) {
  const all: Changes = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": CREDENTIAL,
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "3600",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": SIGNATURE,
    ...changes,
  };
  const pairs = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return requestOf(`https://s3.example.com/bucket/key?${pairs.join("&")}${appended}`, {
    headers: { host: "s3.example.com", ...headers },
  });
}

export async function refusal(request: ReturnType<typeof requestOf>, now = VECTOR_TIME) {
  return caught(() => readClaim(request, now));
}
