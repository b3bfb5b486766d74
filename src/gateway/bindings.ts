// Notices that the Worker was deployed without a binding that it cannot do without.
import { S3Error } from "../protocol/core/s3-error.ts";

const NEEDED = ["DB", "BLOBS", "COORDINATORS"] as const;

/** @throws S3Error ServiceUnavailable, which names the bindings that are missing */
export function requireBindings(env: object): void {
  const missing = NEEDED.filter((name) => Reflect.get(env, name) === undefined);
  if (missing.length === 0) return;
  const names = missing.join(", ");
  throw new S3Error(
    "ServiceUnavailable",
    {},
    `The Worker lacks the binding ${names}. Deploy it with its wrangler.toml.`,
  );
}
