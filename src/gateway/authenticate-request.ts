// Authenticates the requests of all APIs: reads the claim, returns the lookups that it needs, and verifies the
// signature with their results.
import { openBodyOfAnySize, openBody } from "../auth/body/open-body.ts";
import { ANONYMOUS } from "../auth/identity/principal.ts";
import { readClaim, verifyClaim } from "../auth/sigv4/authenticate.ts";
import { S3_ONLY, type SigningClaim } from "../auth/sigv4/claim.ts";
import type { Settings } from "../config/settings.ts";
import type { IncomingBody, UnsizedBody } from "../protocol/core/incoming-body.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Statement, StatementResult } from "../state/d1/database.ts";
import { lookUpCredentials, type Credentials } from "./credentials.ts";

/** A well-formed and timely claim that is not verified. */
export interface Authentication {
  /** Undefined for a request without credentials. */
  readonly claim: SigningClaim | undefined;
  /** The lookups that verification needs; may be empty. */
  readonly statements: readonly Statement[];
  /**
   * @param payloadHash the hexadecimal digest of the body, if the API signs it independently of headers
   * @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken, SignatureDoesNotMatch
   */
  verify(results: readonly StatementResult[], payloadHash?: string): Promise<VerifiedAuthentication>;
}

/** A verified claim. */
export interface VerifiedAuthentication extends Pick<Credentials, "principal" | "lastUse"> {
  /** Undefined for a request without credentials. */
  readonly credentials: Credentials | undefined;
  readonly open: () => IncomingBody;
  /** Opens a body that may lack a length. */
  readonly openAny: () => IncomingBody | UnsizedBody;
}

/**
 * Reads a request's claim.
 * @param now milliseconds since the epoch
 * @param services the services whose scopes are accepted
 * @throws S3Error what {@link readClaim} and {@link lookUpCredentials} throw
 */
export async function authenticateRequest(
  request: S3Request,
  settings: Settings,
  now: number,
  services: ReadonlySet<string> = S3_ONLY,
): Promise<Authentication> {
  const claim = readClaim(request, now, services);
  if (claim === undefined) return { claim, statements: [], verify: () => Promise.resolve(anonymous(request)) };
  const lookup = await lookUpCredentials(claim, settings, now);
  return {
    claim,
    statements: lookup.statements,
    async verify(results, payloadHash = claim.payloadHash) {
      const credentials = await lookup.resolve(results);
      const { principal, secretAccessKey, lastUse } = credentials;
      const verified = await verifyClaim(request, { ...claim, payloadHash }, secretAccessKey);
      const open = (): IncomingBody => openBody(request, payloadHash, verified);
      // An operation without a body never opens it, but an envelope without a body is still rejected.
      if (request.body === null) open();
      return {
        principal,
        lastUse,
        credentials,
        open,
        openAny: () => openBodyOfAnySize(request, payloadHash, verified),
      };
    },
  };
}

function anonymous(request: S3Request): VerifiedAuthentication {
  const payloadHash = request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const open = (): IncomingBody => openBody(request, payloadHash, undefined);
  const openAny = (): IncomingBody | UnsizedBody => openBodyOfAnySize(request, payloadHash, undefined);
  return { principal: ANONYMOUS, lastUse: undefined, credentials: undefined, open, openAny };
}
