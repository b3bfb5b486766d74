// Declares actions of the IAM and STS APIs, with the resource that each acts on. The required permission is checked
// before an action runs.
import type { Access } from "../auth/access/access.ts";
import { userArn } from "../auth/identity/identity-arns.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { KeyRing } from "../auth/identity/key-ring.ts";
import type { Settings } from "../config/settings.ts";
import { USER_NAME } from "../protocol/iam/identity-parameters.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import type { QueryResult, QueryService } from "../protocol/iam/query-api-xml.ts";
import type { QueryParameters } from "../protocol/iam/query-parameters.ts";
import { foldTagKey } from "../protocol/core/tagging.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Database } from "../state/d1/database.ts";
import { lookUpUser, lookUpUserById, type User } from "../state/identities/users.ts";

/** The context of a call. */
export interface Call {
  readonly parameters: QueryParameters;
  readonly principal: Principal;
  readonly access: Access;
  /** The long-lived access key of the caller's credentials. */
  readonly parentAccessKeyId: string;
  /** When the caller's credentials expire, in milliseconds since the epoch; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly settings: Settings;
  readonly database: Database;
  /** Undefined if no master key is set. */
  readonly keys: KeyRing | undefined;
  /** When the request began, in milliseconds since the epoch. */
  readonly now: number;
}

/** An action that checks the caller's permission. */
export interface Action {
  readonly name: string;
  /** @throws QueryApiError */
  run(call: Call): Promise<QueryResult>;
}

/** Values of condition keys, by lower-case name. */
export type ConditionKeys = ReadonlyMap<string, readonly string[]>;

interface Declaration {
  /** AWS's name; the required permission has the same name. */
  readonly name: string;
  /** The ARN of the resource. */
  readonly resource: (call: Call) => string;
  /** The condition keys of the call's own parameters. */
  readonly conditionKeys?: (parameters: QueryParameters) => ConditionKeys;
  readonly run: (call: Call) => Promise<QueryResult>;
}

/** Declares an action on the account, or on a resource that its parameters name. */
export function defineAction(service: QueryService, { name, resource, conditionKeys, run }: Declaration): Action {
  return {
    name,
    async run(call) {
      requirePermission(call, `${service}:${name}`, resource(call), conditionKeys?.(call.parameters));
      return run(call);
    },
  };
}

interface UserDeclaration {
  readonly name: string;
  /** Whether a call without `UserName` acts on the caller. */
  readonly isCallerByDefault: boolean;
  readonly conditionKeys?: (parameters: QueryParameters) => ConditionKeys;
  readonly run: (call: Call, user: User) => Promise<QueryResult>;
}

/** Declares an IAM action on the user that `UserName` names. */
export function defineUserAction({ name, isCallerByDefault, conditionKeys, run }: UserDeclaration): Action {
  return {
    name,
    async run(call) {
      const { user, userName } = await findUser(call, isCallerByDefault);
      const { accountId } = call.settings;
      // The path of a missing user is unknown.
      const resource = userArn(accountId, user?.path ?? "/", user?.name ?? userName);
      const keys = new Map([...resourceTagKeys(user), ...(conditionKeys?.(call.parameters) ?? [])]);
      // A refusal contains only what the caller sent, and so reveals neither the user's existence nor its path.
      requirePermission(call, `iam:${name}`, resource, keys, userArn(accountId, "/", userName));
      if (user === undefined) throw noSuchUser(userName);
      return run(call, user);
    },
  };
}

/** The condition keys about the tags of the user that the action acts on. */
export function resourceTagKeys(user: User | undefined): ConditionKeys {
  return new Map(
    (user?.tags ?? []).flatMap(([key, value]): [string, string[]][] => [
      [`aws:resourcetag/${foldTagKey(key)}`, [value]],
      [`iam:resourcetag/${foldTagKey(key)}`, [value]],
    ]),
  );
}

function noSuchUser(name: string): QueryApiError {
  return new QueryApiError("NoSuchEntity", `The user with name ${name} cannot be found.`);
}

async function findUser(
  { parameters, principal, database }: Call,
  isCallerByDefault: boolean,
): Promise<{ readonly user: User | undefined; readonly userName: string }> {
  if (parameters.get("UserName") !== undefined || !isCallerByDefault) {
    const userName = parameters.text("UserName", USER_NAME);
    return { ...(await database.look(lookUpUser(userName))), userName };
  }
  const { creatorId, userName, session } = principal;
  if (creatorId === undefined || userName === undefined || session?.kind === "role") {
    throw new QueryApiError("ValidationError", "Must specify userName when calling with non-User credentials");
  }
  return { ...(await database.look(lookUpUserById(creatorId))), userName };
}

/**
 * Requires a permission.
 * @param shown the resource in the error, if the real one reveals more than the caller sent
 * @throws QueryApiError AccessDenied
 */
export function requirePermission(
  { access, principal }: Call,
  action: string,
  resource: string,
  conditionKeys?: ConditionKeys,
  shown = resource,
): void {
  const authorization = { actions: [action], bucket: undefined, bucketName: undefined, resource, conditionKeys };
  try {
    access.requireAllowed(authorization);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    // IAM's errors contain the requested action and resource, and no reason.
    const asked = `${action} on resource: ${shown}`;
    throw new QueryApiError("AccessDenied", `User: ${principal.arn} is not authorized to perform: ${asked}`);
  }
}
