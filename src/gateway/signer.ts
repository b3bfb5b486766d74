// Who signed a request, as far as it says; and, once what that takes has been looked up, whether it is so.
import { readClaim, verifyClaim } from "../auth/sigv4/authenticate.ts";
import type { SigningClaim } from "../auth/sigv4/claim.ts";
import { openBody } from "../auth/body/incoming-body.ts";
import { ANONYMOUS, type Principal } from "../auth/identity/principal.ts";
import type { Settings } from "../config/settings.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Statement, StatementResult } from "../state/d1/database.ts";
import { lookUpCredentials } from "./credentials.ts";

/** A signer whose claim is well-formed and timely, and not yet verified. */
export interface Authentication {
  /** Undefined for a request without credentials. */
  readonly claim: SigningClaim | undefined;
  /** What must be looked up to verify it; none where it can be verified at once. */
  readonly statements: readonly Statement[];
  /** @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken, SignatureDoesNotMatch */
  verify(results: readonly StatementResult[]): Promise<VerifiedAuthentication>;
}

/** A signer who is who he says. */
export interface VerifiedAuthentication {
  readonly principal: Principal;
  readonly open: () => IncomingBody;
  /** Records the use of the credentials; undefined where that is not needed. */
  readonly lastUse: Statement | undefined;
}

/**
 * Reads who signed a request.
 * @param now milliseconds since the epoch
 * @throws S3Error whatever {@link readClaim} and {@link lookUpCredentials} throw
 */
export async function authenticationOf(request: S3Request, settings: Settings, now: number): Promise<Authentication> {
  const claim = readClaim(request, now);
  if (claim === undefined) return { claim, statements: [], verify: () => Promise.resolve(nobody(request)) };
  const lookup = await lookUpCredentials(claim, settings, now);
  return {
    claim,
    statements: lookup.statements,
    async verify(results) {
      const { principal, secretAccessKey, lastUse } = await lookup.resolve(results);
      const verified = await verifyClaim(request, claim, secretAccessKey);
      const open = (): IncomingBody => openBody(request, claim.payloadHash, verified);
      // An operation that takes no body does not open it, but a signature over an envelope without a body is refused.
      if (request.body === null) open();
      return { principal, open, lastUse };
    },
  };
}

function nobody(request: S3Request): VerifiedAuthentication {
  const payloadHash = request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  return { principal: ANONYMOUS, open: () => openBody(request, payloadHash, undefined), lastUse: undefined };
}
