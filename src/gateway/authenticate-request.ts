// Authenticates the requests of all APIs: reads the claim, returns the lookups that it needs, and verifies the
// signature with their results.
import { openBodyOfAnySize, openBody } from "../auth/body/open-body.ts";
import { ANONYMOUS } from "../auth/identity/principal.ts";
import { readClaim, verifyWithKey } from "../auth/sigv4/authenticate.ts";
import { S3_ONLY, scopeText, type SigningClaim, type VerifiedSignature } from "../auth/sigv4/claim.ts";
import { signingKey } from "../auth/sigv4/signature.ts";
import { SigningKeyCache } from "../auth/sigv4/signing-key-cache.ts";
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
  /**
   * Whether the signature is that of the key which last verified a signature of the same access key, day and region in
   * this isolate. D1 may have revoked it since, so only {@link verify} authenticates.
   */
  isOfRecentKey(): Promise<boolean>;
}

/** The signing keys that last verified a signature, by access key and scope. */
const RECENT_KEYS = new SigningKeyCache(256);

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
  if (claim === undefined) {
    const verified = anonymous(request);
    return {
      claim,
      statements: [],
      verify: () => Promise.resolve(verified),
      isOfRecentKey: () => Promise.resolve(false),
    };
  }
  const recentName = `${claim.accessKeyId}\n${scopeText(claim.scope)}`;
  let early: { readonly key: CryptoKey; readonly verified: Promise<VerifiedSignature> } | undefined;
  const lookup = await lookUpCredentials(claim, settings, now);
  return {
    claim,
    statements: lookup.statements,
    async verify(results, payloadHash = claim.payloadHash) {
      const credentials = await lookup.resolve(results);
      const { principal, secretAccessKey, lastUse } = credentials;
      const key = await signingKey(secretAccessKey, claim.scope);
      // The same key means the same secret, so the signature is not computed twice.
      const isVerifiedEarly = early?.key === key && payloadHash === claim.payloadHash;
      const verified = await (isVerifiedEarly && early !== undefined
        ? early.verified
        : verifyWithKey(request, { ...claim, payloadHash }, key));
      RECENT_KEYS.put(recentName, key);
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
    async isOfRecentKey() {
      const key = RECENT_KEYS.get(recentName);
      if (key === undefined) return false;
      early = { key, verified: verifyWithKey(request, claim, key) };
      // The secret may have changed, which only D1 knows.
      return early.verified.then(
        () => true,
        () => false,
      );
    },
  };
}

function anonymous(request: S3Request): VerifiedAuthentication {
  const payloadHash = request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const open = (): IncomingBody => openBody(request, payloadHash, undefined);
  const openAny = (): IncomingBody | UnsizedBody => openBodyOfAnySize(request, payloadHash, undefined);
  return { principal: ANONYMOUS, lastUse: undefined, credentials: undefined, open, openAny };
}
