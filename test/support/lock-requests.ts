// A valid request for every operation of Object Lock, with its required permissions.
import type { SendOptions } from "./client.ts";
import {
  BYPASS,
  legalHoldHeaders,
  lockConfiguration,
  lockedBucket,
  putLocked,
  retentionHeaders,
  retentionOf,
} from "./object-lock.ts";

/** As in operation-requests.ts. */
type Preparation = () => Promise<{
  readonly method: string;
  readonly target: string;
  readonly options: SendOptions;
  readonly permissions: readonly { readonly spellings: readonly string[]; readonly on: string }[];
}>;

/** An operation on a version with a retention of a day and a legal hold that is off; one permission per action. */
function onLocked(method: string, query: string, actions: readonly string[], options: SendOptions = {}): Preparation {
  return async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", { ...retentionHeaders("GOVERNANCE", 1), ...legalHoldHeaders("OFF") });
    const permissions = actions.map((action) => ({ on: `${bucket}/k`, spellings: [action] }));
    return { method, target: `/${bucket}/k${query}`, options, permissions };
  };
}

export const LOCK_PREPARATIONS: Readonly<Record<string, readonly Preparation[]>> = {
  PutObjectLockConfiguration: [
    async () => {
      const bucket = await lockedBucket();
      const target = `/${bucket}?object-lock`;
      const options = { body: lockConfiguration("<Mode>GOVERNANCE</Mode><Days>1</Days>") };
      const permissions = [{ on: bucket, spellings: ["s3:PutBucketObjectLockConfiguration"] }];
      return { method: "PUT", target, options, permissions };
    },
  ],
  GetObjectRetention: [onLocked("GET", "?retention", ["s3:GetObjectRetention"])],
  PutObjectRetention: [
    onLocked("PUT", "?retention", ["s3:PutObjectRetention"], { body: retentionOf("GOVERNANCE", 2) }),
    onLocked("PUT", "?retention", ["s3:PutObjectRetention", "s3:BypassGovernanceRetention"], {
      body: retentionOf("GOVERNANCE", 0.5),
      headers: BYPASS,
    }),
  ],
  GetObjectLegalHold: [onLocked("GET", "?legal-hold", ["s3:GetObjectLegalHold"])],
  PutObjectLegalHold: [
    onLocked("PUT", "?legal-hold", ["s3:PutObjectLegalHold"], { body: "<LegalHold><Status>ON</Status></LegalHold>" }),
  ],
};
