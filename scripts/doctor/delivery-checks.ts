// Checks of a delivery host (docs/delivery.md): that requests reach the Worker, that the host has a bucket, and that the Worker
// knows the credentials of presigned URLs.
import { randomBytes } from "node:crypto";
import { AwsClient } from "aws4fetch";
import { bad, good, skipped, type Finding } from "./findings.ts";
import type { Credentials } from "./wire.ts";

const TIMEOUT_MS = 30_000;

/** Codes of a refusal that comes before the question what the caller may do. */
const UNKNOWN_SIGNER: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "InternalError",
  "InvalidToken",
  "SignatureDoesNotMatch",
]);

/** Asks for a key that does not exist, once without credentials and once by a presigned URL. */
export async function checkDelivery(url: string, credentials: Credentials | undefined): Promise<Finding[]> {
  const target = new URL(`/cairn-doctor-${randomBytes(6).toString("hex")}`, url);
  const reached = await checkReached(target).catch((error: unknown) => unreachable(target, error));
  if (reached.level === "bad") return [reached];
  if (credentials === undefined) return [reached, skipped("presigned URLs", "there are no credentials to sign with")];
  return [reached, await checkPresigned(target, credentials)];
}

function unreachable({ host }: URL, error: unknown): Finding {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return bad(
    "delivery",
    `${host} cannot be reached (${cause})`,
    "Add the host's route to wrangler.delivery.toml and deploy again; a custom domain takes some minutes to get its DNS entry and certificate.",
  );
}

async function checkReached(target: URL): Promise<Finding> {
  const check = "delivery";
  const { status, code, isCairn } = await ask(target);
  if (!isCairn) {
    return bad(
      check,
      `${target.host} answers ${status} without the headers of a delivery host`,
      "Add the host to DELIVERY in wrangler.toml and its route to wrangler.delivery.toml, deploy again, and look for what answers before the Worker.",
    );
  }
  if (code === "NoSuchBucket") {
    return bad(
      check,
      `${target.host} has no bucket`,
      "Create the bucket that DELIVERY in wrangler.toml names for it, or let a bucket claim the host (PutBucketDelivery), and deploy again.",
    );
  }
  if (status >= 500) {
    return bad(
      check,
      `${target.host} answers ${status} with ${code}`,
      "Look at the Worker's log: npx wrangler tail --config wrangler.delivery.toml.",
    );
  }
  return good(check, `${target.host} delivers a bucket`);
}

async function checkPresigned(target: URL, credentials: Credentials): Promise<Finding> {
  const check = "presigned URLs";
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    service: "s3",
    region: "auto",
    ...(sessionToken === undefined ? {} : { sessionToken }),
  });
  const { url } = await client.sign(target, { aws: { signQuery: true } });
  const { status, code } = await ask(new URL(url));
  if (!UNKNOWN_SIGNER.has(code)) return good(check, `${target.host} accepts the signature of a presigned URL`);
  return bad(
    check,
    `${target.host} answers a presigned URL with ${status} ${code}`,
    "The delivery Worker has other secrets than the S3 endpoint: deploy again with them in the environment, or set them by npx wrangler secret put --config wrangler.delivery.toml.",
  );
}

async function ask(
  target: URL,
): Promise<{ readonly status: number; readonly code: string; readonly isCairn: boolean }> {
  const response = await fetch(target, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  const code = /<li>Code: (\w+)<\/li>/.exec(text)?.[1] ?? "no code";
  return { status: response.status, code, isCairn: response.headers.has("x-cairn-staleness-bound") };
}
