// IAM's lists that are always empty here: a user's groups, attached policies, devices, certificates and passwords.
// Tools read all of them before they delete a user.
import { element } from "../bytes/xml.ts";
import { userArn } from "../auth/identity/identity-arns.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import { memberList } from "../protocol/iam/query-api-xml.ts";
import { defineAction, defineUserAction, type Action } from "./action.ts";

function emptyList(name: string, list: string): Action {
  return defineUserAction({
    name,
    isCallerByDefault: true,
    run: () => Promise.resolve([memberList(list, []), element("IsTruncated", false)]),
  });
}

function noLoginProfile(name: string): Action {
  return defineUserAction({
    name,
    isCallerByDefault: true,
    run: (_call, user) =>
      Promise.reject(new QueryApiError("NoSuchEntity", `Login Profile for User ${user.name} cannot be found.`)),
  });
}

const listVirtualMfaDevices = defineAction("iam", {
  name: "ListVirtualMFADevices",
  resource: ({ settings }) => userArn(settings.accountId, "/", "*"),
  run: () => Promise.resolve([memberList("VirtualMFADevices", []), element("IsTruncated", false)]),
});

export const UNSET_ACTIONS: readonly Action[] = [
  emptyList("ListGroupsForUser", "Groups"),
  emptyList("ListAttachedUserPolicies", "AttachedPolicies"),
  emptyList("ListMFADevices", "MFADevices"),
  emptyList("ListSSHPublicKeys", "SSHPublicKeys"),
  emptyList("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
  emptyList("ListSigningCertificates", "Certificates"),
  noLoginProfile("GetLoginProfile"),
  noLoginProfile("DeleteLoginProfile"),
  listVirtualMfaDevices,
];
