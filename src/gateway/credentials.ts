// Resolves the credentials of a request to a principal and a secret. Nothing is cached between requests, so that
// revoked credentials stop working at once.
import { policyOf } from "../auth/policy/policy-cache.ts";
import { rootPrincipal, type Principal } from "../auth/identity/principal.ts";
import { ID_PREFIXES, isAccessKeyId } from "../auth/identity/new-credentials.ts";
import { sessionPrincipal, userPrincipal } from "../auth/identity/session-principal.ts";
import { readSessionToken, rootSecretDigest, type SessionFacts } from "../auth/identity/session-token.ts";
import type { NamedCredentials } from "../contract/context.ts";
import { loadKeyRing } from "../config/master-keys.ts";
import type { RootCredentials, Settings } from "../config/settings.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { recordLastUse } from "../state/identities/access-keys.ts";
import type { Statement, StatementResult } from "../state/d1/database.ts";
import { lookUpAccessKeyOwner, type AccessKeyOwner } from "../state/identities/access-key-owners.ts";

/** How old the recorded last use of an access key may become before it is written again, in milliseconds. */
const LAST_USE_MS = 5 * 60_000;

const REGION_MAX_LENGTH = 64;

/** Resolved credentials. */
export interface Credentials {
  readonly principal: Principal;
  readonly secretAccessKey: string;
  /** Records the use after the answer; undefined if a recent use is recorded. */
  readonly lastUse: Statement | undefined;
  /** The long-lived access key: the credentials' own, or the one that started the session. */
  readonly parentAccessKeyId: string;
  /** When they expire, in milliseconds since the epoch; undefined: never. */
  readonly expiresAt: number | undefined;
}

/** The lookups that resolve credentials. */
export interface CredentialsLookup {
  readonly statements: readonly Statement[];
  /** @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken */
  resolve(results: readonly StatementResult[]): Promise<Credentials>;
}

/**
 * Plans the lookups that resolve credentials.
 * @param now milliseconds since the epoch
 * @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken
 */
export async function lookUpCredentials(
  credentials: NamedCredentials,
  settings: Settings,
  now: number,
): Promise<CredentialsLookup> {
  const { accessKeyId, sessionToken } = credentials;
  if (rootPairOf(accessKeyId, settings) === undefined && accessKeyId.startsWith(ID_PREFIXES.session)) {
    return lookUpSession(credentials, settings, now);
  }
  const lookup = lookUpLongLived(accessKeyId, credentials, settings, now);
  return {
    statements: lookup.statements,
    async resolve(results) {
      const resolved = await lookup.resolve(results);
      // Session tokens belong only to temporary credentials.
      if (sessionToken !== undefined) throw new S3Error("InvalidToken");
      return resolved;
    },
  };
}

/** Temporary credentials act for the owner of the parent access key, within the session's limits. */
async function lookUpSession(
  credentials: NamedCredentials,
  settings: Settings,
  now: number,
): Promise<CredentialsLookup> {
  const { accessKeyId, sessionToken } = credentials;
  if (sessionToken === undefined) throw unknownKey(accessKeyId);
  const keys = await loadKeyRing(settings);
  const session = keys === undefined ? undefined : await readSessionToken(keys, accessKeyId, sessionToken);
  if (session === undefined) throw new S3Error("InvalidToken");
  if (session.expiresAt <= now) throw new S3Error("ExpiredToken");
  const lookup = lookUpLongLived(session.parentAccessKeyId, credentials, settings, now);
  return {
    statements: lookup.statements,
    async resolve(results) {
      const owner = await lookup.resolve(results);
      // Root's secret can change under the same id, and its sessions end with the secret.
      if (owner.principal.kind === "root" && session.rootDigest !== (await rootSecretDigest(owner.secretAccessKey))) {
        throw unknownKey(accessKeyId);
      }
      const { secretAccessKey, expiresAt } = session;
      const principal = await sessionPrincipal(owner.principal, accessKeyId, session, policyOfSession(session));
      return { ...owner, principal, secretAccessKey, expiresAt };
    },
  };
}

/**
 * Resolves root's or a user's own access key.
 * @param credentials the request's, which may be a session's; errors contain their access key id
 */
function lookUpLongLived(
  accessKeyId: string,
  credentials: NamedCredentials,
  settings: Settings,
  now: number,
): CredentialsLookup {
  const { accountId } = settings;
  const root = rootPairOf(accessKeyId, settings);
  if (root !== undefined) {
    const resolved: Credentials = {
      principal: rootPrincipal(accountId, accessKeyId),
      secretAccessKey: root.secretAccessKey,
      lastUse: undefined,
      parentAccessKeyId: accessKeyId,
      expiresAt: undefined,
    };
    return { statements: [], resolve: () => Promise.resolve(resolved) };
  }
  if (!isAccessKeyId(accessKeyId)) throw unknownKey(credentials.accessKeyId);
  const lookup = lookUpAccessKeyOwner(accessKeyId);
  return {
    statements: lookup.statements,
    async resolve(results) {
      const { owner } = lookup.read(results);
      if (owner === undefined) throw unknownKey(credentials.accessKeyId);
      return {
        principal: principalOf(owner, accessKeyId, accountId),
        secretAccessKey: await decryptSecret(owner, accessKeyId, settings),
        lastUse: lastUseOf(owner, accessKeyId, credentials, settings, now),
        parentAccessKeyId: accessKeyId,
        expiresAt: undefined,
      };
    },
  };
}

/** Root's current or previous credentials, whichever has the access key. */
function rootPairOf(accessKeyId: string, { root, previousRoot }: Settings): RootCredentials | undefined {
  return [root, previousRoot].find((pair) => pair?.accessKeyId === accessKeyId);
}

function principalOf(owner: AccessKeyOwner, accessKeyId: string, accountId: string): Principal {
  const { userId: id, userName: name, userPath: path, tags } = owner;
  const policies = owner.policies.map(([policyName, document]) => ({
    name: policyName,
    policy: policyOf(document, { of: "identity" }),
  }));
  return userPrincipal(accountId, accessKeyId, { id, name, path, tags, policies });
}

function policyOfSession({ policy }: SessionFacts): Principal["policies"][number]["policy"] | undefined {
  return policy === undefined ? undefined : policyOf(policy, { of: "session" });
}

/** @throws Error if no master key decrypts the secret, which no client can cause */
async function decryptSecret({ secret }: AccessKeyOwner, accessKeyId: string, settings: Settings): Promise<string> {
  const keys = await loadKeyRing(settings);
  const decrypted = await keys?.decrypt(secret, accessKeyId);
  if (decrypted !== undefined) return decrypted;
  throw new Error(`no master key opens the secret of ${accessKeyId}, which was sealed under ${secret.keyVersion}`);
}

function lastUseOf(
  { lastUsedAt }: AccessKeyOwner,
  accessKeyId: string,
  { scope }: NamedCredentials,
  settings: Settings,
  now: number,
): Statement | undefined {
  const unlessAfter = now - LAST_USE_MS;
  if (lastUsedAt !== undefined && lastUsedAt > unlessAfter) return undefined;
  const region = (scope?.region ?? settings.region).slice(0, REGION_MAX_LENGTH);
  return recordLastUse(accessKeyId, { at: now, region, service: scope?.service ?? "s3" }, unlessAfter);
}

function unknownKey(accessKeyId: string): S3Error {
  return new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
}
