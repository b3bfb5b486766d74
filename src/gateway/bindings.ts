// Detects that the Worker was deployed without a required binding.
import { S3Error } from "../protocol/core/s3-error.ts";

const NEEDED = ["DB", "BLOBS", "COORDINATORS"] as const;
/** A Worker that only delivers writes nothing, so it has no coordinators. */
const NEEDED_FOR_DELIVERY = ["DB", "BLOBS"] as const;

/** @throws S3Error ServiceUnavailable, which names the bindings that are missing */
export function requireBindings(env: object): void {
  requireAll(env, NEEDED);
}

/** @throws S3Error ServiceUnavailable */
export function requireDeliveryBindings(env: object): void {
  requireAll(env, NEEDED_FOR_DELIVERY);
}

function requireAll(env: object, needed: readonly string[]): void {
  const missing = needed.filter((name) => Reflect.get(env, name) === undefined);
  if (missing.length === 0) return;
  const names = missing.join(", ");
  throw new S3Error(
    "ServiceUnavailable",
    {},
    `The Worker lacks the binding ${names}. Deploy it with its wrangler.toml.`,
  );
}
