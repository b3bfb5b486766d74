// Rejects actions that need a master key if none is set.
import type { KeyRing } from "../auth/identity/key-ring.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import type { Call } from "./action.ts";

/** @throws QueryApiError NotImplemented where no master key is set */
export function requireKeys({ keys }: Call): KeyRing {
  if (keys !== undefined) return keys;
  throw new QueryApiError(
    "NotImplemented",
    "Access keys and temporary credentials need a master key: set the secret CAIRN_MASTER_KEY.",
  );
}
