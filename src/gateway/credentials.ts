// Whose credentials a request was signed with: what has to be looked up to know, and what that proves. Nothing is
// remembered from one request to the next, so credentials that were taken back stop at once.
import { rootPrincipal, type Principal } from "../auth/principal.ts";
import type { NamedCredentials } from "../contract/context.ts";
import type { Settings } from "../contract/settings.ts";
import { S3Error } from "../protocol/s3-error.ts";
import type { Statement, StatementResult } from "../state/database.ts";

/** Whom credentials belong to. */
export interface Holder {
  readonly principal: Principal;
  readonly secretAccessKey: string;
  /** Records the use, after the answer; undefined where one was recorded a short while ago. */
  readonly lastUse: Statement | undefined;
}

/** What must be known to tell the holder of credentials. */
export interface HolderLookup {
  readonly statements: readonly Statement[];
  /** @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken */
  resolve(results: readonly StatementResult[]): Promise<Holder>;
}

/**
 * Finds out what must be looked up to tell the holder of credentials.
 * @param now milliseconds since the epoch
 * @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken
 */
export function lookUpHolder(
  { accessKeyId, sessionToken }: NamedCredentials,
  settings: Settings,
  _now: number,
): Promise<HolderLookup> {
  const { root, accountId } = settings;
  if (root === undefined || accessKeyId !== root.accessKeyId) {
    throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
  }
  // Nobody is given session tokens, so whoever brings one did not get it here.
  if (sessionToken !== undefined) throw new S3Error("InvalidToken");
  const holder = {
    principal: rootPrincipal(accountId, accessKeyId),
    secretAccessKey: root.secretAccessKey,
    lastUse: undefined,
  };
  return Promise.resolve({ statements: [], resolve: () => Promise.resolve(holder) });
}
