// What an action of IAM's or STS's API is: a declaration with what it acts on, for which the caller's rights are asked
// before it runs.
import type { Access } from "../auth/access/access.ts";
import { userArn } from "../auth/identity/identity-arns.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { KeyRing } from "../auth/identity/sealing.ts";
import type { Settings } from "../config/settings.ts";
import { USER_NAME } from "../protocol/iam/identity-parameters.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import type { QueryResult, QueryService } from "../protocol/iam/query-api-xml.ts";
import type { QueryParameters } from "../protocol/iam/query-parameters.ts";
import { foldTagKey } from "../protocol/core/tagging.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Database } from "../state/d1/database.ts";
import { lookUpUser, lookUpUserById, type User } from "../state/identities/users.ts";

/** What an action is given. */
export interface Call {
  readonly parameters: QueryParameters;
  readonly principal: Principal;
  readonly access: Access;
  /** The long-lived access key by which the caller's credentials live. */
  readonly beganBy: string;
  /** When the caller's credentials end, in milliseconds since the epoch; undefined: they do not. */
  readonly expiresAt: number | undefined;
  readonly settings: Settings;
  readonly database: Database;
  /** Undefined where no master key is set. */
  readonly keys: KeyRing | undefined;
  /** When the request began, in milliseconds since the epoch. */
  readonly now: number;
}

/** An action, ready to be called by whoever may. */
export interface Action {
  readonly name: string;
  /** @throws QueryApiError */
  run(call: Call): Promise<QueryResult>;
}

/** Values of condition keys, by lower-case name. */
export type ConditionKeys = ReadonlyMap<string, readonly string[]>;

interface Declaration {
  /** As AWS names it; the permission that it takes has the same name. */
  readonly name: string;
  /** The ARN of what is acted on. */
  readonly resource: (call: Call) => string;
  /** What policies' conditions may ask about the call's own parameters. */
  readonly conditionKeys?: (parameters: QueryParameters) => ConditionKeys;
  readonly run: (call: Call) => Promise<QueryResult>;
}

/** Declares an action on the account, or on what its parameters name by themselves. */
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
  /** Whether the user is the caller where the call names none. */
  readonly isCallerByDefault: boolean;
  readonly conditionKeys?: (parameters: QueryParameters) => ConditionKeys;
  readonly run: (call: Call, user: User) => Promise<QueryResult>;
}

/** Declares an action of IAM's on a user, whom `UserName` names. */
export function defineUserAction({ name, isCallerByDefault, conditionKeys, run }: UserDeclaration): Action {
  return {
    name,
    async run(call) {
      const { user, userName } = await findUser(call, isCallerByDefault);
      const { accountId } = call.settings;
      // Of a user who is not there the path is not known.
      const resource = userArn(accountId, user?.path ?? "/", user?.name ?? userName);
      const keys = new Map([...resourceTagKeys(user), ...(conditionKeys?.(call.parameters) ?? [])]);
      // A refusal tells of the user what the call says: that it is there, and under which path, is not the caller's to know.
      requirePermission(call, `iam:${name}`, resource, keys, userArn(accountId, "/", userName));
      if (user === undefined) throw noSuchUser(userName);
      return run(call, user);
    },
  };
}

/** What conditions may ask about the tags of the user who is acted on. */
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
 * Asks for a permission.
 * @param shown what a refusal says that it was asked on, where the resource is more than the call says
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
    access.require(authorization);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    // IAM says what was asked for, and leaves out why not.
    const asked = `${action} on resource: ${shown}`;
    throw new QueryApiError("AccessDenied", `User: ${principal.arn} is not authorized to perform: ${asked}`);
  }
}
