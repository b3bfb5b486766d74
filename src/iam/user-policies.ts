// IAM's actions on users' policies: PutUserPolicy, GetUserPolicy, ListUserPolicies, DeleteUserPolicy. A policy is
// validated, and stored as sent.
import { parsePolicy } from "../auth/policy/parse.ts";
import { PolicyProblem } from "../auth/policy/policy.ts";
import { uriEncode } from "../bytes/uri-encode.ts";
import { element } from "../bytes/xml.ts";
import { POLICY_DOCUMENT, POLICY_NAME } from "../protocol/iam/identity-parameters.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import { memberList } from "../protocol/iam/query-api-xml.ts";
import {
  deleteUserPolicy,
  listUserPolicies,
  lookUpUserPolicy,
  putUserPolicy,
} from "../state/identities/user-policies.ts";
import { defineUserAction, type Action } from "./action.ts";
import { pageOf } from "./paging.ts";

/**
 * The maximum size of all of a user's policies, in characters without white space: each request of the user reads them.
 */
const MAX_POLICIES_SIZE = 10_240;

const putUserPolicyAction = defineUserAction({
  name: "PutUserPolicy",
  isCallerByDefault: false,

  async run({ parameters, database }, user) {
    const name = parameters.text("PolicyName", POLICY_NAME);
    const document = parameters.text("PolicyDocument", POLICY_DOCUMENT);
    checkPolicy(document, "identity");
    const size = document.replaceAll(/\s/g, "").length;
    const [put] = await database.batch([putUserPolicy(user.id, { name, document, size }, MAX_POLICIES_SIZE)]);
    if (put?.changes !== 1) {
      throw new QueryApiError(
        "LimitExceeded",
        `Maximum policy size of ${MAX_POLICIES_SIZE} bytes exceeded for user ${user.name}`,
      );
    }
    return undefined;
  },
});

const getUserPolicy = defineUserAction({
  name: "GetUserPolicy",
  isCallerByDefault: false,

  async run({ parameters, database }, user) {
    const name = parameters.text("PolicyName", POLICY_NAME);
    const { document } = await database.look(lookUpUserPolicy(user.id, name));
    if (document === undefined) throw noSuchPolicy(name);
    return [
      element("UserName", user.name),
      element("PolicyName", name),
      element("PolicyDocument", uriEncode(document)),
    ];
  },
});

const listUserPoliciesAction = defineUserAction({
  name: "ListUserPolicies",
  isCallerByDefault: false,

  async run({ parameters, database }, user) {
    const names = await database.look(listUserPolicies(user.id));
    const { page, elements } = await pageOf(names, (name) => name, parameters, ["policies", user.id]);
    return [memberList("PolicyNames", page), ...elements];
  },
});

const deleteUserPolicyAction = defineUserAction({
  name: "DeleteUserPolicy",
  isCallerByDefault: false,

  async run({ parameters, database }, user) {
    const name = parameters.text("PolicyName", POLICY_NAME);
    const [deleted] = await database.batch([deleteUserPolicy(user.id, name)]);
    if (deleted?.changes !== 1) throw noSuchPolicy(name);
    return undefined;
  },
});

export const USER_POLICY_ACTIONS: readonly Action[] = [
  putUserPolicyAction,
  getUserPolicy,
  listUserPoliciesAction,
  deleteUserPolicyAction,
];

/** @throws QueryApiError MalformedPolicyDocument with AWS's sentence */
export function checkPolicy(document: string, of: "identity" | "session"): void {
  try {
    parsePolicy(document, { of });
  } catch (error) {
    if (!(error instanceof PolicyProblem)) throw error;
    throw new QueryApiError("MalformedPolicyDocument", error.message);
  }
}

function noSuchPolicy(name: string): QueryApiError {
  return new QueryApiError("NoSuchEntity", `The user policy with name ${name} cannot be found.`);
}
