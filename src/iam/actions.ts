// The actions of IAM and STS by name, and which of them temporary credentials may call.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_compare-resources.html
import type { Session } from "../auth/identity/principal.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import { QUERY_SERVICES, type QueryResult, type QueryService } from "../protocol/iam/query-api-xml.ts";
import { ACCESS_KEY_ACTIONS } from "./access-keys.ts";
import type { Action, Call } from "./action.ts";
import { getCallerIdentity } from "./caller-identity.ts";
import { SESSION_ACTIONS } from "./sessions.ts";
import { UNSET_ACTIONS } from "./unset-lists.ts";
import { USER_POLICY_ACTIONS } from "./user-policies.ts";
import { USER_TAG_ACTIONS } from "./user-tags.ts";
import { USER_ACTIONS } from "./users.ts";

const ACTIONS: Readonly<Record<QueryService, ReadonlyMap<string, Action>>> = {
  iam: byName([...USER_ACTIONS, ...USER_TAG_ACTIONS, ...USER_POLICY_ACTIONS, ...ACCESS_KEY_ACTIONS, ...UNSET_ACTIONS]),
  sts: byName([getCallerIdentity, ...SESSION_ACTIONS]),
};

/**
 * What each kind of session may call in addition to GetCallerIdentity, if policies allow it. `all` requires that no
 * parent session lacks it, so that assuming a role cannot widen a session.
 */
const CALLABLE: Readonly<Record<Session["kind"], Readonly<Record<QueryService, readonly string[] | "all">>>> = {
  session: { iam: [], sts: ["AssumeRole"] },
  federated: { iam: [], sts: [] },
  role: { iam: "all", sts: ["AssumeRole"] },
};

/** An action and the name in the call. */
export interface NamedCall {
  readonly name: string;
  run(call: Call): Promise<QueryResult>;
}

/**
 * The action that a call names.
 * @throws QueryApiError MissingAction, InvalidAction
 */
export function findAction(service: QueryService, name: string | undefined, version: string | undefined): NamedCall {
  if (name === undefined || name === "") {
    throw new QueryApiError("MissingAction", "The request must contain the parameter Action.");
  }
  const action = version === QUERY_SERVICES[service].version ? ACTIONS[service].get(name) : undefined;
  if (action === undefined) {
    const asked = version ?? "NO_VERSION_SPECIFIED";
    throw new QueryApiError("InvalidAction", `Could not find operation ${name} for version ${asked}`);
  }
  return {
    name,
    run(call) {
      refuseOfSession(service, name, call.principal.session);
      return action.run(call);
    },
  };
}

function refuseOfSession(service: QueryService, name: string, session: Session | undefined): void {
  if (session === undefined || name === getCallerIdentity.name) return;
  const callable = CALLABLE[session.kind][service];
  const isCallable = callable === "all" ? session.mayCallIam !== false : callable.includes(name);
  if (isCallable) return;
  throw new QueryApiError("AccessDenied", `Cannot call ${name} with session credentials`);
}

function byName(actions: readonly Action[]): ReadonlyMap<string, Action> {
  return new Map(actions.map((action) => [action.name, action]));
}
